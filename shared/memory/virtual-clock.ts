import { setImmediate } from 'node:timers/promises'
import type { Clock } from '#ports/clock.ts'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** Any fixed time does; this one is easy to read in a failure. */
const defaultStart = Date.UTC(2026, 0, 1)

/**
 * Time that moves only when told.
 *
 *   sleepers      a(+10)     b(+10)   c(+50)
 *   advance(30)   wakes a, then b, each at its own time and with whatever follows from it, then stands at +30
 */
export class VirtualClock implements Clock {
  #now: number
  /** In the order in which they wake: by time, then by who slept first. */
  readonly #sleepers: Sleeper[] = []

  constructor(options: { start?: number } = {}) {
    this.#now = options.start ?? defaultStart
  }

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(reasonOf(signal))
    if (ms <= 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1)
        if (signal !== undefined) reject(reasonOf(signal))
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      // Timers count in whole milliseconds, and so does the time that they wake at.
      const sleeper: Sleeper = { at: this.#now + Math.ceil(ms), wake }
      this.#insert(sleeper)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** When the next sleeper wakes, epoch ms; undefined if nobody sleeps. */
  get nextWakeAt(): number | undefined {
    return this.#sleepers[0]?.at
  }

  /**
   * Moves straight to the next sleeper and wakes it. False if nobody sleeps. Synchronous: what it wakes runs
   * afterwards.
   */
  wakeNext(): boolean {
    const sleeper = this.#sleepers.shift()
    if (sleeper === undefined) return false
    this.#now = Math.max(this.#now, sleeper.at)
    sleeper.wake()
    return true
  }

  /** Moves without letting anything run in between; sleepers that are due wake now, in order. */
  jump(ms: number): void {
    this.#now += ms
    while ((this.nextWakeAt ?? Number.POSITIVE_INFINITY) <= this.#now) this.wakeNext()
  }

  /** Lets `ms` pass: each sleeper wakes at its own time, and what it does runs before time goes on. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await setImmediate()
    while ((this.nextWakeAt ?? Number.POSITIVE_INFINITY) <= end) {
      this.wakeNext()
      await setImmediate()
    }
    this.#now = Math.max(this.#now, end)
  }

  /**
   * Lets time pass as fast as nobody has anything else to do, until `work` ends. Throws if it waits for no
   * sleeper.
   */
  async runUntil<T>(work: Promise<T>): Promise<T> {
    let isOver = false
    const over = (): void => {
      isOver = true
    }
    work.then(over, over)
    await setImmediate()
    while (!isOver) {
      if (!this.wakeNext())
        throw new Error('runUntil: the work waits, and nobody sleeps: it would wait for ever')
      await setImmediate()
    }
    return work
  }

  #insert(sleeper: Sleeper): void {
    const index = this.#sleepers.findIndex((other) => other.at > sleeper.at)
    this.#sleepers.splice(index < 0 ? this.#sleepers.length : index, 0, sleeper)
  }
}

/** As it is: whoever aborts may give a reason of any type, and expects to meet it again. */
const reasonOf = (signal: AbortSignal): Error => signal.reason as Error
