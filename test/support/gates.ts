import type { Call, Intercept } from '#memory/intercept.ts'
import { Crash } from '#memory/intercept.ts'
import { PortFault } from '#ports/faults.ts'

/** Which call is meant: `'lines.enter'`, or a predicate. */
export type Matches = string | ((call: Call) => boolean)

export const nameOf = (call: Call): string => `${call.port}.${call.method}`

const isMatch = (matches: Matches, call: Call): boolean =>
  typeof matches === 'string' ? matches === nameOf(call) : matches(call)

/** An intercept that acts on one call only, and tells when that call has come. */
interface OneCall {
  readonly intercept: Intercept
  /** Resolves when the call is there. */
  readonly reached: Promise<void>
}

/** A process stands still at one call, until it is told to go on. */
export interface Gate extends OneCall {
  open(): void
}

/**
 * Stops the first call that matches: `before` it takes effect, or `after` it did and before the caller learns
 * of it.
 */
export const pausing = (moment: 'before' | 'after', matches: Matches): Gate => {
  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  let isUsed = false
  const intercept: Intercept = async (call, proceed) => {
    if (isUsed || !isMatch(matches, call)) return proceed()
    isUsed = true
    const value = moment === 'after' ? await proceed() : undefined
    reached.resolve()
    await opened.promise
    return moment === 'after' ? value : proceed()
  }
  return { intercept, reached: reached.promise, open: opened.resolve }
}

/** A request that is held up in the network. */
export interface LateRequest extends OneCall {
  /** Now it takes effect; nobody learns of the answer. */
  arrive(): Promise<unknown>
}

/** The first call that matches has no answer; it takes effect when it is told to, or never. */
export const arrivingLate = (matches: Matches): LateRequest => {
  const reached = Promise.withResolvers<void>()
  let send: (() => Promise<unknown>) | undefined
  const intercept: Intercept = async (call, proceed) => {
    if (send !== undefined || !isMatch(matches, call)) return proceed()
    send = proceed
    reached.resolve()
    throw new PortFault('unanswered', nameOf(call))
  }
  const arrive = async (): Promise<unknown> => send?.()
  return { intercept, reached: reached.promise, arrive }
}

/**
 * A process that dies, for good, at the first call that matches: `before` it takes effect or `after`. Every
 * later call of it fails too, so that nothing which the engine does in answer to the failure has an effect.
 */
export class Mortal {
  readonly #moment: 'before' | 'after'
  readonly #matches: Matches
  isDead = false

  constructor(moment: 'before' | 'after', matches: Matches) {
    this.#moment = moment
    this.#matches = matches
  }

  readonly intercept: Intercept = async (call, proceed) => {
    if (this.isDead) throw new Crash(`${nameOf(call)} of a dead process`)
    if (!isMatch(this.#matches, call)) return proceed()
    this.isDead = true
    if (this.#moment === 'after') await proceed()
    throw new Crash(`${this.#moment} ${nameOf(call)}`)
  }
}
