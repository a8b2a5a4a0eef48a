import { invalid, LockstepError } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import { isGranted, isInLine, type Line, positionOf, ticketOf, titleOfLine } from '#domain/line.ts'
import { holdKind, isFinal, isHeld, type OperationRecord } from '#domain/operation.ts'
import { parseArguments } from '#operations/arguments.ts'
import type { HoldingKind } from '#operations/kind.ts'
import { kindOf } from '#operations/registry.ts'
import type { ClaimOutcome } from '#ports/operation-store.ts'
import type { Ports } from '#ports/ports.ts'
import { endWaiting, unknownOperation } from './ending.ts'
import { givenUp, leaseEnded, waitedTooLong } from './hold-endings.ts'
import { release, wake } from './release.ts'
import type { Prepared } from './request.ts'
import { retrying } from './retry.ts'
import { type Accepted, submit } from './submit.ts'

/**
 * Holds: locks that clients hold. A hold is an operation that stays in its lines from its turn on.
 *
 *   submit      granted         extend        extend            release
 *   |--waiting--|---------------running-------------------------|--- final
 *               claim           lease: |------------->|
 *               arm: a message at the end of the lease, which ends the hold or arms the next one
 *
 * Whoever finds it granted claims it: its client, which looks at its lines, or the worker, to whom the
 * release before it sent a message. While a hold is `running`, a message of it is on its way, so nobody has
 * to come by for its lease to end; and that message also repeats a release that stopped half-way, so a hold
 * that is released needs no sweeper.
 */

/** A call of a holder that must not take long: within a fraction of the shortest lease. */
const shortlyMs = 10_000

const insisting = <T>(ports: Ports, call: () => Promise<T>): Promise<T> =>
  retrying(ports, { until: ports.clock.now() + shortlyMs, unanswered: true }, call)

const kindOfHold = (record: OperationRecord): HoldingKind<OperationRecord['args']> => {
  const kind = kindOf(record.kind)
  if (kind.effect !== 'hold') throw invalid('id', record.id, `the id of a hold; this is a ${record.kind}`)
  return kind
}

const lineKeys = ({ uses }: OperationRecord): string[] => uses.map((use) => use.line)

const isGrantedIn = (lines: readonly Line[], id: string): boolean =>
  lines.every((line) => isGranted(line, id))

/** When the lease ends if it begins, or is extended, now. No hold lives longer than any operation may. */
const leaseEnd = (ports: Ports, record: Pick<OperationRecord, 'submittedAt'>, leaseMs: number): number =>
  Math.min(ports.clock.now() + leaseMs, record.submittedAt + limits.operationLifeMs)

/** By path or name: the ticket, which is the fencing token there. */
const tokensOf = (lines: readonly Line[], id: string): Record<string, number> =>
  Object.fromEntries(lines.map((line) => [titleOfLine(line.key), ticketOf(line, id) ?? 0]))

/** A message at the end of the lease, or on the way there. */
const arm = (ports: Ports, id: string, leaseUntil: number): Promise<void> => {
  const leftMs = Math.max(leaseUntil - ports.clock.now(), 0)
  return wake(ports, id, 'operations', Math.min(leftMs, limits.messageDelayMs))
}

const claim = (
  ports: Ports,
  record: OperationRecord,
  lines: readonly Line[],
  leaseUntil: number,
): Promise<ClaimOutcome> => {
  const wish = {
    seenAttempt: 0,
    leaseUntil,
    nonce: ports.ids.nonce(),
    base: {},
    result: { tokens: tokensOf(lines, record.id) },
    now: ports.clock.now(),
  }
  return insisting(ports, () => ports.operations.claim(record.id, wish))
}

/**
 * What a client's look at its hold has shown. `ahead`: how many stand before it, at most, in one of its
 * lines.
 */
export type HoldState =
  | {
      readonly kind: 'waiting'
      readonly record: OperationRecord
      readonly ahead: number
      /** At the head of the line with most before it. */
      readonly head?: string | undefined
    }
  | ({ readonly kind: 'held' } & Held)
  | { readonly kind: 'ended'; readonly record: OperationRecord }

export interface Held {
  readonly record: OperationRecord
  /** By this very look. Otherwise by the worker, some time after the look before. */
  readonly claimed: boolean
  /** Its message is known to be on its way. If not (the queue does not answer), the sweeper is what heals. */
  readonly armed: boolean
}

/**
 * The client's side of a grant: claims its own hold, then arms its message, and only then has it. In this
 * order: a message that is handled while the hold still waits is dropped.
 */
const take = async (ports: Ports, record: OperationRecord, lines: readonly Line[]): Promise<HoldState> => {
  const leaseUntil = leaseEnd(ports, record, kindOfHold(record).leaseMs(record.args))
  const outcome = await claim(ports, record, lines, leaseUntil)
  if (outcome.kind !== 'claimed') return stateOf(outcome.record, record)
  const armed = await arm(ports, record.id, leaseUntil).then(
    () => true,
    () => false,
  )
  return { kind: 'held', record: outcome.record, claimed: true, armed }
}

const stateOf = (found: OperationRecord | undefined, known: OperationRecord): HoldState => {
  if (found === undefined) throw unknownOperation(known.id)
  if (isFinal(found.status)) return { kind: 'ended', record: found }
  if (isHeld(found)) return { kind: 'held', record: found, claimed: false, armed: true }
  return { kind: 'waiting', record: found, ahead: 1 }
}

/** Submits a hold. One that is granted at once is claimed here, and no message is needed for it. */
export const acquireHold = async (
  ports: Ports,
  prepared: Prepared,
  signal?: AbortSignal,
): Promise<HoldState> => {
  let taken: HoldState | undefined
  let ahead = 1
  const { record }: Accepted = await submit(ports, prepared, {
    ...(signal !== undefined && { signal }),
    granted: async (lines) => {
      taken = await take(ports, prepared.record, lines)
    },
    waiting: (lines) => {
      ahead = aheadIn(lines, prepared.record.id)
    },
  })
  if (taken !== undefined) return taken
  return record.status === 'waiting' ? { kind: 'waiting', record, ahead } : stateOf(record, record)
}

const aheadIn = (lines: readonly Line[], id: string): number =>
  Math.max(...lines.map((line) => positionOf(line, id)))

const headOf = (lines: readonly Line[], id: string): string | undefined =>
  lines.toSorted((a, b) => positionOf(b, id) - positionOf(a, id))[0]?.entries[0]?.id

/**
 * What somebody who waits for long may do about it: sends a head that has ended without leaving, or whose
 * lease has ended without notice. So a line that somebody waits in need not wait for the sweeper.
 */
export const followHead = async (ports: Ports, id: string): Promise<void> => {
  const head = await ports.operations.get(id)
  const isStalled = head?.status === 'running' && head.leaseUntil + limits.leaseMarginMs <= ports.clock.now()
  if (head !== undefined && (isStalled || isFinal(head.status))) await wake(ports, id)
}

/** Looks whether a waiting hold is granted, and takes it if so. One call while it waits. */
export const lookAtHold = async (ports: Ports, record: OperationRecord): Promise<HoldState> => {
  const lines = await insisting(ports, () => ports.lines.read(lineKeys(record)))
  if (isGrantedIn(lines, record.id)) return take(ports, record, lines)
  if (lines.every((line) => isInLine(line, record.id))) {
    return { kind: 'waiting', record, ahead: aheadIn(lines, record.id), head: headOf(lines, record.id) }
  }
  return stateOf(await insisting(ports, () => ports.operations.get(record.id)), record)
}

/**
 * Extends the lease to `leaseMs` from now, never to an earlier end than it has. Returns the record as it is
 * then. Throws LockstepError `LeaseLost` (with why), `NotFound`.
 */
export const extendHold = async (
  ports: Ports,
  record: Pick<OperationRecord, 'id' | 'submittedAt'>,
  leaseMs: number,
  signal?: AbortSignal,
): Promise<OperationRecord> => {
  const { id } = record
  const options = { until: ports.clock.now() + shortlyMs, unanswered: true, signal }
  const extended = await retrying(ports, options, () =>
    ports.operations.extendHold(id, leaseEnd(ports, record, leaseMs)),
  )
  if (extended !== undefined) return extended
  throw notHeld(await insisting(ports, () => ports.operations.get(id)), id)
}

/** As {@link extendHold}, for whoever knows nothing but the id. */
export const extendById = async (ports: Ports, id: string, leaseMs?: number): Promise<OperationRecord> => {
  const record = await insisting(ports, () => ports.operations.get(id))
  if (record === undefined) throw unknownOperation(id)
  const kind = kindOfHold(record)
  const args = leaseMs === undefined ? record.args : parseArguments(kind, { ...record.args, leaseMs })
  return extendHold(ports, record, kind.leaseMs(args))
}

/** Why a hold is not held: for its holder. */
export const notHeld = (found: OperationRecord | undefined, id: string): LockstepError => {
  if (found === undefined) return unknownOperation(id)
  kindOfHold(found)
  const why =
    found.error?.message ?? (found.status === 'waiting' ? 'It still waits for its turn.' : 'It was released.')
  return new LockstepError('LeaseLost', `Hold ${id} is not held: ${why}`, {
    details: { ...found.error?.details, hold: id },
  })
}

/**
 * Ends a hold: releases what is held, gives up what waits. May be repeated by anybody at any time: one that
 * is final is released once more. `armed`: a message of it is known to be on its way, which would repeat a
 * release that stops half-way; else it stays in the open index, and the sweeper does. Returns the record as
 * it is then. Throws LockstepError `NotFound`, `InvalidArgument` (no hold).
 */
export const releaseHold = async (
  ports: Ports,
  id: string,
  options: { readonly armed?: boolean } = {},
): Promise<OperationRecord> => {
  const ending = { status: 'succeeded', now: ports.clock.now() } as const
  const stayOpen = options.armed !== true
  const { record } = await insisting(ports, () => ports.operations.endHold(id, ending, { stayOpen }))
  if (record === undefined) throw unknownOperation(id)
  kindOfHold(record)
  if (record.status === 'waiting') {
    const gaveUp = { status: 'cancelled', error: givenUp(id), now: ports.clock.now() } as const
    return (await endWaiting(ports, record, gaveUp)) ?? releaseHold(ports, id, options)
  }
  await release(ports, record)
  return record
}

/**
 * Ends a waiting hold whose time to wait is over; undefined if it does not wait any more (then it may be
 * held).
 */
export const timeOutHold = (ports: Ports, record: OperationRecord): Promise<OperationRecord | undefined> => {
  const error = waitedTooLong(record.id, kindOfHold(record).timeoutMs(record.args) ?? 0)
  return endWaiting(ports, record, { status: 'failed', error, now: ports.clock.now() })
}

/** A waiting hold that nobody waits for any more: it must not be granted late to a client that is gone. */
export const isTimedOut = (record: OperationRecord, now: number): boolean => {
  if (record.kind !== holdKind || record.status !== 'waiting') return false
  const timeoutMs = kindOfHold(record).timeoutMs(record.args)
  return timeoutMs !== undefined && now >= record.submittedAt + timeoutMs
}

/** Handles a message of a hold that is not final. When it resolves, the message is done with. */
export const runHold = async (ports: Ports, record: OperationRecord): Promise<void> => {
  if (record.status === 'running') return watchLease(ports, record)
  if (isTimedOut(record, ports.clock.now())) {
    await timeOutHold(ports, record)
    return
  }
  const lines = await ports.lines.read(lineKeys(record))
  if (!isGrantedIn(lines, record.id)) return // whoever releases last sends it
  const leaseUntil = leaseEnd(ports, record, kindOfHold(record).leaseMs(record.args))
  const outcome = await claim(ports, record, lines, leaseUntil)
  if (outcome.kind === 'claimed') return arm(ports, record.id, leaseUntil)
  // Its client was faster, and arms a message of its own. But if this was an earlier try of ours, and the
  // hold has been released since, this message is the only one that could repeat the release.
  if (outcome.record !== undefined && isFinal(outcome.record.status)) await release(ports, outcome.record)
}

/**
 * At the end of a lease: ends the hold, unless it was extended; then the next message goes out before this
 * one is done.
 */
const watchLease = async (ports: Ports, record: OperationRecord): Promise<void> => {
  const now = ports.clock.now()
  if (record.leaseUntil > now) return arm(ports, record.id, record.leaseUntil)
  const ending = { status: 'failed', error: leaseEnded(record), now } as const
  const outcome = await insisting(ports, () =>
    ports.operations.endHold(record.id, ending, { ifExpired: true }),
  )
  if (outcome.record === undefined) return
  if (isHeld(outcome.record)) return arm(ports, record.id, outcome.record.leaseUntil)
  await release(ports, outcome.record)
}
