import { LockstepError } from '#domain/errors.ts'
import { timeOfId } from '#domain/identifier.ts'
import { limits } from '#domain/limits.ts'
import { isGranted, type Line, positionOf, titleOfLine } from '#domain/line.ts'
import { isFinal, type OperationRecord } from '#domain/operation.ts'
import { isUnanswered } from '#ports/faults.ts'
import type { EnterOutcome, Guard } from '#ports/line-store.ts'
import type { Ports } from '#ports/ports.ts'
import { endWaiting } from './ending.ts'
import { holdLost } from './hold-endings.ts'
import { release, wake } from './release.ts'
import type { Prepared } from './request.ts'
import { retrying } from './retry.ts'
import { tidy } from './tidy.ts'
import { whyNotUnder } from './under-hold.ts'

/** `again`: the id had been submitted before, with the same request; `record` is what has become of it. */
export interface Accepted {
  readonly record: OperationRecord
  readonly again: boolean
}

export interface SubmitOptions {
  readonly signal?: AbortSignal
  /**
   * False for who comes back under the same id for ever (a refusal is final for its id): then the caller looks at the line
   * beforehand, and waits. Default: true.
   */
  readonly refuseWhenFull?: boolean
  /** What the submitter does by itself once the operation is granted, instead of the message that would run it. */
  readonly granted?: (lines: readonly Line[]) => Promise<void>
  /** Told where it stands, if it is not. */
  readonly waiting?: (lines: readonly Line[]) => void
}

/** Whether a line has as many waiting as it may have. */
export const isFull = (line: Line): boolean => line.entries.length > limits.waiters

/**
 * Makes the request durable and puts it in its lines; when this resolves, it will reach a final state whatever dies.
 *
 *   1. put the record (several paths: together with 2, in one transaction)
 *   2. enter its lines
 *   3. granted everywhere? then send its message; if not, whoever releases last does
 *
 * A retry, or an enter without an answer, takes the guarded route: it enters only while the record is still `waiting`, in
 * one transaction, because its entry could otherwise arrive after the operation has run, and stay.
 * Throws LockstepError `Conflict` (the id belongs to another request), `LineFull`; PortFault when the outcome is not known
 * (then submit again under the same id).
 */
export const submit = async (
  ports: Ports,
  prepared: Prepared,
  options: SubmitOptions = {},
): Promise<Accepted> => {
  const { record } = prepared
  const { signal, refuseWhenFull = true } = options
  const until = ports.clock.now() + limits.submitMs
  const known = await underHold(ports, record, until)
  if (known !== undefined) return { record: known, again: true }
  const entered =
    record.uses.length === 1
      ? await enterAlone(ports, prepared, until, signal)
      : await enterTogether(ports, prepared, until, signal)
  if (entered.kind === 'ended') return { record: sameRequest(record, entered.record), again: true }
  if (
    refuseWhenFull &&
    !entered.again &&
    entered.lines.some((line) => positionOf(line, record.id) > limits.waiters)
  ) {
    await refuseFull(ports, record, entered.lines)
  }
  if (entered.lines.every((line) => isGranted(line, record.id))) {
    await (options.granted?.(entered.lines) ?? wake(ports, record.id))
  } else {
    options.waiting?.(entered.lines)
    await Promise.all(entered.lines.map((line) => nudgeHead(ports, line, record.id)))
  }
  return { record, again: entered.again }
}

/**
 * An operation under a hold is refused before anything is written: a line that the hold does not hold, a hold that is gone. But
 * what was accepted under it before is answered as it was then: returned if it has moved on.
 */
const underHold = async (
  ports: Ports,
  record: OperationRecord,
  until: number,
): Promise<OperationRecord | undefined> => {
  if (record.hold === undefined) return undefined
  const { hold } = record
  const holder = await retrying(ports, { until, unanswered: true }, () => ports.operations.get(hold))
  const refusal = whyNotUnder(record, hold, holder)
  if (refusal === undefined) return undefined
  const found = await retrying(ports, { until, unanswered: true }, () => ports.operations.get(record.id))
  if (found === undefined) throw refusal
  return sameRequest(record, found)
}

/** `lines` as they were when, or after, the operation was entered; `ended`: it runs or is final, there is nothing to do. */
type Entered =
  | { readonly kind: 'entered'; readonly lines: readonly Line[]; readonly again: boolean }
  | { readonly kind: 'ended'; readonly record: OperationRecord }

const enterAlone = async (
  ports: Ports,
  { record, body }: Prepared,
  until: number,
  signal: AbortSignal | undefined,
): Promise<Entered> => {
  const created = await retrying(ports, { until, unanswered: true, signal }, () =>
    ports.operations.create(record, body),
  )
  if (created.kind === 'exists') return enterAgain(ports, record, created.record, until, signal)
  const [use] = record.uses
  if (use === undefined) throw new TypeError('an operation stands in at least one line')
  let outcome: EnterOutcome
  try {
    outcome = await retrying(ports, { until, unanswered: false, signal }, () =>
      ports.lines.enter(use, record.id, ports.clock.now(), record.hold),
    )
  } catch (error) {
    if (!isUnanswered(error)) throw error
    return enterGuarded(ports, record, until, signal)
  }
  if (outcome.kind === 'hold-gone') return refuseLost(ports, record)
  return { kind: 'entered', lines: [outcome.line], again: false }
}

const enterTogether = async (
  ports: Ports,
  { record, body }: Prepared,
  until: number,
  signal: AbortSignal | undefined,
): Promise<Entered> => {
  const guard: Guard = { kind: 'create', record, ...(body !== undefined && { body }) }
  const outcome = await retrying(ports, { until, unanswered: true, signal }, () =>
    ports.lines.enterTogether(record.uses, record.id, guard, ports.clock.now(), record.hold),
  )
  if (outcome.kind === 'hold-gone') throw holdLost(record.hold ?? '')
  if (outcome.kind === 'refused') return enterAgain(ports, record, outcome.record, until, signal)
  return { kind: 'entered', lines: await readLines(ports, record, until), again: false }
}

/** The id is known: the same request is taken up where it stands, another one is refused. Stops at a final record. */
const enterAgain = async (
  ports: Ports,
  record: OperationRecord,
  found: OperationRecord | undefined,
  until: number,
  signal: AbortSignal | undefined,
): Promise<Entered> => {
  if (found !== undefined) {
    sameRequest(record, found)
    if (isFinal(found.status)) return { kind: 'ended', record: found }
  }
  return enterGuarded(ports, record, until, signal)
}

const enterGuarded = async (
  ports: Ports,
  record: OperationRecord,
  until: number,
  signal: AbortSignal | undefined,
): Promise<Entered> => {
  const outcome = await retrying(ports, { until, unanswered: true, signal }, () =>
    ports.lines.enterTogether(
      record.uses,
      record.id,
      { kind: 'waiting', id: record.id },
      ports.clock.now(),
      record.hold,
    ),
  )
  if (outcome.kind === 'hold-gone') return refuseLost(ports, record)
  if (outcome.kind !== 'refused')
    return { kind: 'entered', lines: await readLines(ports, record, until), again: true }
  if (outcome.record === undefined)
    throw new LockstepError('Internal', `Operation ${record.id} has lost its record.`)
  return { kind: 'ended', record: outcome.record }
}

/** The hold went while its operation was being submitted: the record is ended, so that nobody completes the submit. */
const refuseLost = async (ports: Ports, record: OperationRecord): Promise<Entered> => {
  const error = holdLost(record.hold ?? '')
  const ended = await endWaiting(ports, record, {
    status: 'failed',
    error: error.toDocument(),
    now: ports.clock.now(),
  })
  if (ended !== undefined) throw error
  const found = await ports.operations.get(record.id)
  if (found === undefined) throw error
  return { kind: 'ended', record: found }
}

const readLines = (ports: Ports, record: OperationRecord, until: number): Promise<Line[]> =>
  retrying(ports, { until, unanswered: true }, () => ports.lines.read(record.uses.map((use) => use.line)))

const sameRequest = (record: OperationRecord, found: OperationRecord): OperationRecord => {
  if (found.digest !== record.digest) {
    throw new LockstepError(
      'Conflict',
      `id: got ${record.id} for a ${record.kind}, but it belongs to another request (${found.kind}). Use a new id.`,
      { details: { field: 'id', id: record.id } },
    )
  }
  if (found.error?.code === 'LineFull') throw new LockstepError('LineFull', found.error.message)
  return found
}

/** Too many wait: the record is cancelled first, so that nobody runs what was refused, and then taken out of its lines. */
const refuseFull = async (ports: Ports, record: OperationRecord, lines: readonly Line[]): Promise<void> => {
  const full = lines.find((line) => positionOf(line, record.id) > limits.waiters)
  const error = new LockstepError(
    'LineFull',
    `path: ${JSON.stringify(titleOfLine(full?.key ?? ''))} has more than ${limits.waiters} operations waiting. ` +
      'Nothing was accepted; try again later, under a new id.',
    { details: { limit: limits.waiters } },
  )
  const until = ports.clock.now() + limits.submitMs
  const ending = { status: 'cancelled', error: error.toDocument(), now: ports.clock.now() } as const
  const outcome = await retrying(ports, { until, unanswered: true }, () =>
    ports.operations.endWaiting(record.id, ending),
  )
  if (outcome.kind === 'refused' && outcome.record?.error?.code !== 'LineFull') return // it was granted and claimed meanwhile
  await release(ports, record)
  await tidy(ports, { ...record, status: 'cancelled' })
  throw error
}

/**
 * A head older than it should be is sent again by whoever enqueues behind it, even if it does not block them: so contended
 * files heal at once. At most one per line and half minute, so a long-running head causes no storm. Never needed to be
 * right (the sweeper comes by), so a failure here must not refuse what is accepted.
 */
const nudgeHead = async (ports: Ports, line: Line, id: string): Promise<void> => {
  const head = line.entries[0]
  const now = ports.clock.now()
  if (head === undefined || head.id === id || timeOfId(head.id) > now - limits.headStalledMs) return
  if (line.nudgedAt !== undefined && line.nudgedAt > now - limits.nudgeEveryMs) return
  try {
    if (await ports.lines.markNudged(line.key, now, limits.nudgeEveryMs))
      await ports.queue.send('operations', head.id)
  } catch {
    // The sweeper heals what a nudge would have healed.
  }
}
