import { LockstepError } from '#domain/errors.ts'
import { isPortFault, type PortFault } from '#ports/faults.ts'
import type { Ports } from '#ports/ports.ts'

const firstPauseMs = 25
const longestPauseMs = 2_000

export interface RetryOptions {
  /** Epoch ms after which the last fault is thrown. */
  readonly until: number
  /** True for calls that are safe to repeat although they may have taken effect. */
  readonly unanswered: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Repeats `call` while it fails with a fault that promises to pass: `busy`, and `unanswered` where the call allows it.
 * Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), so that those who met do not meet again.
 */
export const retrying = async <T>(
  ports: Ports,
  options: RetryOptions,
  call: () => Promise<T>,
): Promise<T> => {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await call()
    } catch (error) {
      const passing =
        isPortFault(error) && (error.fault === 'busy' || (options.unanswered && error.fault === 'unanswered'))
      const waitMs = pauseMs * ports.ids.chance()
      if (!passing || ports.clock.now() + waitMs >= options.until) throw error
      await ports.clock.sleep(waitMs, options.signal)
    }
  }
}

/** A fault in the words of the error catalogue, for users. */
export const errorOfFault = (fault: PortFault): LockstepError => {
  const options = { cause: fault, details: { call: fault.call } }
  switch (fault.fault) {
    case 'busy':
      return new LockstepError(
        'Throttled',
        `${fault.call} was refused for too long: the service is busy. Try again later.`,
        options,
      )
    case 'denied':
      return new LockstepError(
        'AccessDenied',
        `${fault.call} was denied (${causeOf(fault)}). Check which credentials are in use and what they may do.`,
        options,
      )
    case 'unreachable':
      return new LockstepError(
        'Unreachable',
        `${fault.call} could not be made (${causeOf(fault)}). Check the endpoint, the region and that Lockstep is deployed there.`,
        options,
      )
    case 'unanswered':
      return new LockstepError(
        'Unreachable',
        `${fault.call} was not answered (${causeOf(fault)}). If it changes something, it may have taken effect: repeat it with the same id.`,
        options,
      )
  }
}

const causeOf = (fault: PortFault): string =>
  fault.cause instanceof Error ? `${fault.cause.name}: ${fault.cause.message}` : 'no more is known'

/** Runs `call` and turns port faults into errors of the catalogue. The border between the engine and its users. */
export const withCatalogue = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    throw isPortFault(error) ? errorOfFault(error) : error
  }
}
