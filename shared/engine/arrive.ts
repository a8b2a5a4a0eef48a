import { type Arrival, parseArrivals } from '#domain/arrival.ts'
import { isLockstepError, LockstepError } from '#domain/errors.ts'
import { derivedId } from '#domain/identifier.ts'
import { limits } from '#domain/limits.ts'
import { isInLine, titleOfLine } from '#domain/line.ts'
import { brokenPathRule } from '#domain/path.ts'
import { matchesRule, operationsFor, type Rule } from '#domain/rule.ts'
import type { Ports } from '#ports/ports.ts'
import { type OperationRequest, prepare } from './request.ts'
import { isFull, submit } from './submit.ts'

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

/** Every rule's operations, in order. One that can never be submitted does not keep the others from it. */
const submitAll = async (
  ports: Ports,
  rules: readonly Rule[],
  arrival: Arrival,
  hops: number,
): Promise<ArrivalOutcome> => {
  const { path, sequencer, at } = arrival
  const ids: string[] = []
  const refusals: string[] = []
  for (const rule of rules) {
    for (const [index, request] of operationsFor(rule, path).entries()) {
      const id = derivedId(at, 'arrival', path, sequencer, JSON.stringify(rule), String(index))
      try {
        ids.push(await submitOne(ports, { ...request, id }, hops))
      } catch (error) {
        if (!isLockstepError(error) || error.retryable) throw error
        refusals.push(`${rule.prefix} -> ${String(request['kind'])}: ${error.message}`)
      }
    }
  }
  return refusals.length > 0 ? { kind: 'rejected', reason: refusals.join(' ') } : { kind: 'submitted', ids }
}

/**
 * The event brings the same id each time it is delivered, and a refusal is final for its id: so a full line is found before
 * anything is written, and the event comes back later.
 */
const submitOne = async (
  ports: Ports,
  request: OperationRequest & { id: string },
  hops: number,
): Promise<string> => {
  const prepared = prepare(request, { now: ports.clock.now(), newId: () => request.id, hops })
  const { record } = prepared
  const lines = await ports.lines.read(record.uses.map((use) => use.line))
  const full = lines.find((line) => isFull(line) && !isInLine(line, record.id))
  if (full !== undefined) {
    throw new LockstepError(
      'LineFull',
      `${JSON.stringify(titleOfLine(full.key))} has too many operations waiting.`,
    )
  }
  await submit(ports, prepared, { refuseWhenFull: false })
  return record.id
}
