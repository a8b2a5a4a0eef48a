import type { Clock } from '#ports/clock.ts'
import { isPortFault } from '#ports/faults.ts'
import type { Ids } from '#ports/ids.ts'

/**
 * Tries of a call that is answered "not now", the first included. Whoever called then decides whether to wait
 * longer.
 */
const tries = 5

/** The first pause is at most this long, each further one at most twice the one before: 0.75 s in all. */
const firstPauseMs = 50

/** What waiting takes. */
export interface Insistence {
  readonly clock: Clock
  readonly ids: Ids
}

/**
 * Repeats a call while it is answered `busy`: it had no effect then, so this is safe for effects too. Full
 * jitter, so that those who met do not meet again.
 */
export const insisting = async <T>(world: Insistence, call: () => Promise<T>): Promise<T> => {
  for (let attempt = 1, pauseMs = firstPauseMs; ; attempt += 1, pauseMs *= 2) {
    try {
      return await call()
    } catch (error) {
      if (!isPortFault(error) || error.fault !== 'busy' || attempt === tries) throw error
      await pause(world, pauseMs)
    }
  }
}

/** Waits for a random time up to `longestMs`. */
export const pause = (world: Insistence, longestMs: number): Promise<void> =>
  world.clock.sleep(longestMs * world.ids.chance())
