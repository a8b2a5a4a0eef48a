import { type MemoryWorldOptions, memoryWorld } from '#memory/memory-ports.ts'
import { SeededIds } from '#memory/seeded-ids.ts'
import { VirtualClock } from '#memory/virtual-clock.ts'
import { describeArrivalStoreContract } from './arrival-store.suite.ts'
import { describeClockContract } from './clock.suite.ts'
import { describeIdsContract } from './ids.suite.ts'
import { describeLineStoreContract } from './line-store.suite.ts'
import { describeMessageQueueContract } from './message-queue.suite.ts'
import { describeObjectStoreContract } from './object-store.suite.ts'
import { describeOperationStoreContract } from './operation-store.suite.ts'
import type { ObjectStoreSetup } from './setups.ts'

describeLineStoreContract('memory', async () => {
  const world = memoryWorld()
  return { ...world, collectLine: async (key) => world.tables.collectLine(key) }
})

describeOperationStoreContract('memory', async () => memoryWorld())

const objectSetup = (options: MemoryWorldOptions): ObjectStoreSetup => {
  const { objects } = memoryWorld(options)
  const outsider = {
    write: (...args: Parameters<typeof objects.write>) => objects.write(...args),
    remove: (path: string) => objects.remove(path),
  }
  return { objects, outsider, follow: (link) => objects.follow(link) }
}

describeObjectStoreContract('memory', async () => objectSetup({}))
describeObjectStoreContract('memory, versioned', async () => objectSetup({ versioned: true }))
describeObjectStoreContract('memory, ETags as under KMS', async () =>
  objectSetup({ etags: 'unique', repeatsAnswers: true }),
)

describeMessageQueueContract('memory', async () => {
  const { queue } = memoryWorld()
  return {
    queue,
    take: async (name) => {
      const delivery = queue.queues[name].receive()
      return delivery === undefined ? [] : [delivery]
    },
    takeRejected: async () => queue.rejected.splice(0),
  }
})

describeArrivalStoreContract('memory', async () => memoryWorld())

describeClockContract('virtual', async () => {
  const clock = new VirtualClock()
  return { clock, pass: (ms) => clock.advance(ms) }
})

describeIdsContract('seeded', async () => {
  const clock = new VirtualClock()
  return { clock, ids: new SeededIds(clock, 42) }
})
