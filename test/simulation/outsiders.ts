import { Process } from './process.ts'
import { pathsOf } from './workload.ts'
import type { World } from './world.ts'

/** Somebody who writes and deletes files with another S3 tool, at any time. */
export const disturb = async (world: World, times: number): Promise<void> => {
  const { chance, clock, profile, scheduler, ledger } = world
  const process = new Process(world, 'outsider')
  for (let count = 0; count < times; count += 1) {
    if (chance.happens(0.7)) await clock.sleep(chance.integer(1, 60_000))
    await scheduler.turn()
    const path = chance.pick(pathsOf(profile))
    const isDelete = chance.happens(0.2)
    const bytes = Buffer.from(`<outsider ${count}>`)
    const call = { port: 'outsider', method: isDelete ? 'remove' : 'write', args: [path] }
    await ledger.recording({ process, call, operation: undefined }, async () =>
      isDelete ? world.memory.objects.remove(path) : world.memory.objects.write(path, bytes),
    )
  }
  process.end()
}
