import { messageOf } from '#domain/message.ts'
import type { World } from './world.ts'

/** Messages that nobody needed: a message is a nudge to look, so any number of them, at any time, is harmless. */
export const sendStrays = async (world: World, count: number): Promise<void> => {
  const { chance, clock, memory } = world
  for (let left = count; left > 0; left -= 1) {
    await clock.sleep(chance.happens(0.5) ? chance.integer(1, 50) : chance.integer(1, 60_000))
    const ids = [...world.wishes.keys()].filter((id) => memory.tables.records.has(id))
    if (ids.length === 0) continue
    const lane = chance.happens(0.9) ? 'operations' : 'shards'
    memory.queue.queues[lane].push(messageOf(chance.pick(ids)))
  }
}
