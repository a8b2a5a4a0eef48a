import { type FaultKind, PortFault } from '#ports/faults.ts'

/** One call of a port's method. */
export interface Call {
  readonly port: string
  readonly method: string
  readonly args: readonly unknown[]
}

/**
 * Stands between a caller and a port. It may wait, call `proceed` once, never, or (a late duplicate) again,
 * answer something else, or throw.
 */
export type Intercept = (call: Call, proceed: () => Promise<unknown>) => Promise<unknown>

/**
 * The same port with every call going through `intercept`. For ports whose methods are all async (not Clock
 * or Ids).
 */
export const intercepted = <Port extends object>(port: Port, name: string, intercept: Intercept): Port =>
  new Proxy(port, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function' || typeof property !== 'string') return value
      return (...args: unknown[]): Promise<unknown> =>
        intercept(
          { port: name, method: property, args },
          async (): Promise<unknown> => Reflect.apply(value, target, args) as unknown,
        )
    },
  })

type Matches = string | ((call: Call) => boolean)

const isMatch = (matches: Matches, call: Call): boolean =>
  typeof matches === 'string' ? matches === `${call.port}.${call.method}` : matches(call)

const nameOf = (call: Call): string => `${call.port}.${call.method}`

/**
 * Does `fault` on the next `times` calls that match (`'lines.enter'`, or a predicate); all others proceed.
 */
const onMatch = (matches: Matches, times: number, fault: Intercept): Intercept => {
  let left = times
  return async (call, proceed) => {
    if (left === 0 || !isMatch(matches, call)) return proceed()
    left -= 1
    return fault(call, proceed)
  }
}

/** The call takes effect, and its answer is lost. */
export const losingAnswers = (matches: Matches, times = 1): Intercept =>
  onMatch(matches, times, async (call, proceed) => {
    await proceed()
    throw new PortFault('unanswered', nameOf(call))
  })

/**
 * The call takes no effect, and fails with `fault` (an `unanswered` one that never arrived, or an answered
 * `busy`).
 */
export const refusing = (matches: Matches, fault: FaultKind, times = 1): Intercept =>
  onMatch(matches, times, async (call) => {
    throw new PortFault(fault, nameOf(call))
  })

/** What a dying process throws: nobody is to catch it. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

/** The process dies just before the call, or just after it took effect. */
export const crashing = (moment: 'before' | 'after', matches: Matches, times = 1): Intercept =>
  onMatch(matches, times, async (call, proceed) => {
    if (moment === 'after') await proceed()
    throw new Crash(`${moment} ${nameOf(call)}`)
  })

/** One intercept around another, the first one outermost. */
export const chained = (...intercepts: readonly Intercept[]): Intercept => {
  const [first, ...rest] = intercepts
  if (first === undefined) return (_call, proceed) => proceed()
  return (call, proceed) => first(call, () => chained(...rest)(call, proceed))
}

/** Proceeds, and keeps the calls in order: what was asked, and how often. */
export const recording = (): { intercept: Intercept; calls: Call[] } => {
  const calls: Call[] = []
  const intercept: Intercept = (call, proceed) => {
    calls.push(call)
    return proceed()
  }
  return { calls, intercept }
}
