import type { VirtualClock } from '#memory/virtual-clock.ts'
import type { Chance } from './chance.ts'

/** The end of all microtasks: whoever was let go has made its next call, or ended. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/**
 * Who goes next. Every call of every process waits here for its turn, and one at a time is let go, chosen by
 * the seed; what it does until its next call is one step. Time stands still while anybody can go.
 */
export class Scheduler {
  readonly #clock: VirtualClock
  readonly #chance: Chance
  readonly #ready: (() => void)[] = []
  /** The call just let go has not taken its first atomic step yet: that needs no turn of its own. */
  #isFresh = false
  #isObserving = false
  steps = 0

  constructor(clock: VirtualClock, chance: Chance) {
    this.#clock = clock
    this.#chance = chance
  }

  /** Before a call of a port. */
  turn(): Promise<void> {
    return new Promise((resolve) => void this.#ready.push(resolve))
  }

  /** Before an atomic step of a store: calls of several steps can be interrupted between them. */
  readonly step = (): Promise<void> => {
    if (this.#isObserving) return Promise.resolve()
    if (!this.#isFresh) return this.turn()
    this.#isFresh = false
    return Promise.resolve()
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#ready.length
  }

  /** Lets one of those that wait go. */
  async grant(): Promise<void> {
    const index = this.#chance.integer(0, this.#ready.length - 1)
    const go = this.#ready[index]
    const last = this.#ready.pop()
    if (go === undefined || last === undefined) throw new RangeError('nobody waits for a turn')
    if (go !== last) this.#ready[index] = last
    this.steps += 1
    this.#isFresh = true
    go()
    await settled()
    this.#isFresh = false
  }

  /** After something was started: lets it make its first call. */
  settle(): Promise<void> {
    return settled()
  }

  /**
   * Moves time to the next sleeper, or to `at` if that comes first, and lets those who wake make their next
   * call. False if time would not change anything.
   */
  async advance(at: number): Promise<boolean> {
    const next = Math.min(at, this.#clock.nextWakeAt ?? Number.POSITIVE_INFINITY)
    if (next === Number.POSITIVE_INFINITY) return false
    this.#clock.jump(Math.max(0, next - this.#clock.now()))
    await settled()
    return true
  }

  /** Runs something that looks at the stores without being part of the run. */
  async observe<Value>(look: () => Promise<Value>): Promise<Value> {
    this.#isObserving = true
    try {
      return await look()
    } finally {
      this.#isObserving = false
    }
  }
}
