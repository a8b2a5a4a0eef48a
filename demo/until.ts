import { setTimeout as delay } from 'node:timers/promises'

/** How long anything here may take before it counts as lost: three times what the slowest step takes by design. */
export const patienceMs = 120_000

/** Looking costs the one emulator some of the time that the work needs, so not too often. */
const pauseMs = 200

/** Looks until there is something to see. Throws an error that says what never came, or the signal's reason. */
export const until = async <T>(
  what: string,
  signal: AbortSignal,
  look: () => Promise<T | undefined>,
): Promise<T> => {
  const startedAt = performance.now()
  for (;;) {
    signal.throwIfAborted()
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() - startedAt > patienceMs) {
      throw new Error(`Waited ${patienceMs / 1000} s for ${what}, in vain: see .local/emulator.log.`)
    }
    await delay(pauseMs, undefined, { signal })
  }
}
