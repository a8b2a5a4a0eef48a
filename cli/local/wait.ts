import { setTimeout as delay } from 'node:timers/promises'

import { LocalEnvironmentError } from './errors.ts'

/**
 * Nothing local announces itself to us, so we look again after this long: short for a person, cheap for the
 * machine.
 */
const pollMs = 50

export interface WaitOptions {
  /** What is waited for, as the end of "Waited ... for". */
  readonly what: string
  readonly deadlineMs: number
  /** What the person should look at when the deadline passes. */
  readonly remedy: string
  readonly signal?: AbortSignal | undefined
  /** Waits a random share of the usual time, for those who would otherwise keep meeting each other. */
  readonly jitter?: boolean
}

/**
 * Calls `look` until it gives something other than undefined.
 *
 * @throws LocalEnvironmentError `TimedOut` at the deadline; the signal's reason when it is aborted.
 */
export async function waitFor<T>(look: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const startedAt = performance.now()
  for (;;) {
    options.signal?.throwIfAborted()
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() - startedAt >= options.deadlineMs) {
      const waited = `${(options.deadlineMs / 1000).toString()} s`
      throw new LocalEnvironmentError(
        'TimedOut',
        `Waited ${waited} for ${options.what}, in vain: ${options.remedy}.`,
      )
    }
    await delay(options.jitter === true ? pollMs * Math.random() : pollMs, undefined, {
      signal: options.signal,
    })
  }
}
