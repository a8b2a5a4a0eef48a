/**
 * How a port fails. Expected outcomes are values; these are faults, and the one question that matters about a fault is
 * whether the call may have taken effect.
 *  - `unanswered`: no answer, or one (5xx) that does not say: the call may have taken effect, now or later;
 *  - `busy`: answered "not now" (throttling, TransactionConflict, 409, SlowDown): it took no effect;
 *  - `denied`: the credentials do not allow it; `unreachable`: no connection was made. Both: no effect.
 */
export type FaultKind = 'unanswered' | 'busy' | 'denied' | 'unreachable'

export class PortFault extends Error {
  override readonly name = 'PortFault'
  readonly fault: FaultKind
  /** Which port and call, for logs. */
  readonly call: string

  constructor(fault: FaultKind, call: string, cause?: unknown) {
    const detail = cause instanceof Error ? `: ${cause.name}: ${cause.message}` : ''
    super(`${call}: ${fault}${detail}`, { cause })
    this.fault = fault
    this.call = call
  }
}

export const isPortFault = (error: unknown): error is PortFault =>
  error instanceof Error && error.name === 'PortFault'

export const isUnanswered = (error: unknown): boolean => isPortFault(error) && error.fault === 'unanswered'
