import { type Arrival, parseArrivals } from '#domain/arrival.ts'
import { isLockstepError } from '#domain/errors.ts'
import { derivedId } from '#domain/identifier.ts'
import { limits } from '#domain/limits.ts'
import { brokenPathRule } from '#domain/path.ts'
import { matchesRule, operationsFor, type Rule } from '#domain/rule.ts'
import type { Ports } from '#ports/ports.ts'
import { prepare } from './request.ts'
import { submit } from './submit.ts'

/** What became of one arrival, for the log. */
export type ArrivalOutcome =
  | { readonly kind: 'submitted'; readonly ids: readonly string[] }
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'rejected'; readonly reason: string }

/**
 * Handles the body of one message of the `uploads` queue. What can never be handled is parked in `rejected` with the reason;
 * a fault is thrown, and the message comes back.
 */
export const receiveArrivals = async (
  ports: Ports,
  rules: readonly Rule[],
  body: string,
): Promise<ArrivalOutcome[]> => {
  const parsed = parseArrivals(body)
  if ('reason' in parsed) {
    await ports.queue.reject(body, parsed.reason)
    return [{ kind: 'rejected', reason: parsed.reason }]
  }
  const outcomes: ArrivalOutcome[] = []
  for (const arrival of parsed.arrivals) {
    const outcome = await arrive(ports, rules, arrival)
    if (outcome.kind === 'rejected') await ports.queue.reject(JSON.stringify(arrival), outcome.reason)
    outcomes.push(outcome)
  }
  return outcomes
}

/**
 * Submits what the rules say for a file that arrived. The ids follow from the event, so a duplicate of it submits nothing
 * new; an event older than the newest seen for its path is dropped; rules that trigger rules end after some hops.
 */
const arrive = async (ports: Ports, rules: readonly Rule[], arrival: Arrival): Promise<ArrivalOutcome> => {
  const { path } = arrival
  const matching = rules.filter((rule) => matchesRule(rule, path))
  if (matching.length === 0) return { kind: 'ignored', reason: 'no rule matches' }
  const broken = brokenPathRule(path)
  if (broken !== undefined) return { kind: 'rejected', reason: `the key is not a path of ours: ${broken}` }
  const standing = await ports.arrivals.note(path, arrival.sequencer, ports.clock.now())
  if (standing === 'older') return { kind: 'ignored', reason: 'older than the newest arrival at this path' }
  const head = await ports.objects.head(path)
  const hops = head?.mark === undefined ? 1 : (head.mark.hops ?? 0) + 1
  if (hops > limits.hops) {
    const reason = `rules triggered rules ${limits.hops} times, last by ${head?.mark?.operationId}: a cycle? Not run again.`
    return { kind: 'rejected', reason }
  }
  return submitAll(ports, matching, arrival, hops)
}

const submitAll = async (
  ports: Ports,
  rules: readonly Rule[],
  arrival: Arrival,
  hops: number,
): Promise<ArrivalOutcome> => {
  const { path, sequencer, at } = arrival
  const ids: string[] = []
  for (const rule of rules) {
    for (const [index, request] of operationsFor(rule, path).entries()) {
      const id = derivedId(at, 'arrival', path, sequencer, JSON.stringify(rule), String(index))
      try {
        const prepared = prepare({ ...request, id }, { now: ports.clock.now(), newId: () => id, hops })
        ids.push((await submit(ports, prepared)).record.id)
      } catch (error) {
        if (!isLockstepError(error) || error.retryable) throw error
        return { kind: 'rejected', reason: `${rule.prefix} -> ${String(request['kind'])}: ${error.message}` }
      }
    }
  }
  return { kind: 'submitted', ids }
}
