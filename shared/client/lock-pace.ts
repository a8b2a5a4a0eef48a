/**
 * When to look next whether a hold is granted: calls are few, and yet a release is noticed soon.
 *
 *   who is next in line    looks every 250 ms at most: 125 ms after a release at the median, 240 calls/min
 *   n places further back  looks every n x 250 ms, at most 2 s: 30 calls/min from the eighth place on
 *   at a place for long    looks every 120th part of that time (from 30 s on), at most 2 s: a wait of minutes
 *                          ends at most 1 % late
 *   in a line that moves   looks when half of the time should be over that it takes to its turn at this pace
 */
const shortestMs = 25
const nextInLineMs = 250
const longestMs = 2_000
const growth = 1.5
/** A wait is prolonged by at most one part in so many. */
const partOfWait = 120

/** Many who started to wait together should not look together for ever. */
const jitter = 0.2

export class LockPace {
  readonly #startedAt: number
  #placeSince: number
  #ahead: number | undefined
  /** Places gone forward since the start. */
  #moved = 0
  #growing = shortestMs

  constructor(now: number) {
    this.#startedAt = now
    this.#placeSince = now
  }

  /** Milliseconds until the next look, if `ahead` stand before it now. `chance`: in [0, 1). */
  next(ahead: number, now: number, chance: number): number {
    const before = this.#ahead ?? ahead
    if (ahead !== before) {
      this.#moved += Math.max(before - ahead, 0)
      this.#placeSince = now
    }
    this.#ahead = ahead
    const most = Math.min(Math.max(nextInLineMs * ahead, (now - this.#placeSince) / partOfWait), longestMs)
    const wish = this.#moved > 0 ? ((now - this.#startedAt) / this.#moved) * (ahead / 2) : this.#grown()
    return Math.max(Math.min(wish, most) * (1 - jitter * chance), shortestMs)
  }

  /** Nothing is known of the pace yet: quick at first, then ever less often. */
  #grown(): number {
    this.#growing *= growth
    return this.#growing
  }
}
