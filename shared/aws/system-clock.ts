import type { Clock } from '#ports/clock.ts'

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer)
        reject(asError(signal?.reason))
      }
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', stop)
          resolve()
        },
        Math.max(ms, 0),
      )
      if (signal?.aborted === true) stop()
      else signal?.addEventListener('abort', stop, { once: true })
    }),
}

/** A reason may be anything; what is thrown is an error, so that it has a stack and a message. */
const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new DOMException(String(reason), 'AbortError')
