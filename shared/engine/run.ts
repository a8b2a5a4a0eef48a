import { type ErrorDocument, isLockstepError, LockstepError } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import { isGranted } from '#domain/line.ts'
import { isFinal, type OperationRecord } from '#domain/operation.ts'
import type { WorkingKind } from '#operations/kind.ts'
import { isKnownKind, kindOf } from '#operations/registry.ts'
import { isPortFault } from '#ports/faults.ts'
import type { QueueName } from '#ports/message-queue.ts'
import type { Ports } from '#ports/ports.ts'
import { judgeEffect, lastingCause, observe, type Rest, takeEffect, versionsOf } from './effect.ts'
import { endWaiting } from './ending.ts'
import { runHold } from './hold.ts'
import { holdLost } from './hold-endings.ts'
import { release, wake } from './release.ts'
import { retrying } from './retry.ts'
import { Attempt, CancelAsked, ClaimLost } from './task.ts'
import { tidy } from './tidy.ts'
import { isStillUnderHold } from './under-hold.ts'

/** What becomes of the message: delete it, park it as foreign, or give it back and see it again after a while. */
export type RunOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'foreign'; readonly reason: string }
  | { readonly kind: 'again'; readonly afterMs: number; readonly why: string }

export interface Invocation {
  /** The queue whose message this is, hence what function this is. */
  readonly lane: QueueName
  /** Epoch ms at which the platform kills this sandbox. */
  readonly deadline: number
  readonly signal: AbortSignal
}

const done: RunOutcome = { kind: 'done' }
const again = (afterMs: number, why: string): RunOutcome => ({
  kind: 'again',
  afterMs: Math.max(afterMs, 0),
  why,
})

/**
 * Handles one message: looks at the operation, and runs it if it is granted and nobody else does.
 *
 *   record -> lines -> objects -> claim -> effect -> finish -> release -> (the caller deletes the message)
 *
 * In this order: the objects are read after the grant was seen, the record is final before its lines are left, the message
 * goes last. A crash anywhere leaves a message, a lease that ends, or both.
 */
export const run = async (ports: Ports, id: string, invocation: Invocation): Promise<RunOutcome> => {
  const record = await ports.operations.get(id)
  if (record === undefined)
    return { kind: 'foreign', reason: `no operation ${id} is known (finished long ago, or elsewhere)` }
  if (isFinal(record.status)) return leave(ports, record)
  if (record.v !== 1 || !isKnownKind(record.kind)) return again(60_000, 'made by a newer version')
  const kind = kindOf(record.kind)
  if (kind.effect === 'hold') {
    await runHold(ports, record)
    return done
  }
  const lines = await ports.lines.read(record.uses.map((use) => use.line))
  if (!lines.every((line) => isGranted(line, id))) return done // whoever releases last sends it
  // Claimed before, it is brought to its end: its entry keeps all others out, whatever became of the hold.
  if (record.status === 'waiting' && !isStillUnderHold(record, lines)) return refuseLost(ports, record)
  const leftMs = record.leaseUntil - ports.clock.now()
  if (record.status === 'running' && leftMs > 0) return again(leftMs + 250, 'claimed by a live lease')
  if (record.work?.large === true && invocation.lane === 'operations') {
    await wake(ports, id, 'shards')
    return done
  }
  return claimAndRun(ports, record, kind, invocation)
}

/** Its hold ended before its turn came. */
const refuseLost = async (ports: Ports, record: OperationRecord): Promise<RunOutcome> => {
  const error = holdLost(record.hold ?? '').toDocument()
  const ended = await endWaiting(ports, record, { status: 'failed', error, now: ports.clock.now() })
  return ended === undefined ? again(1_000, 'claimed by somebody else') : done
}

/** Final already: what its ending may have left to do is done (again). */
const leave = async (ports: Ports, record: OperationRecord): Promise<RunOutcome> => {
  // The lines first: what is left to tidy is seen by nobody, and must not keep others waiting if it fails.
  await release(ports, record)
  await tidy(ports, record)
  return done
}

const claimAndRun = async (
  ports: Ports,
  record: OperationRecord,
  kind: WorkingKind,
  invocation: Invocation,
): Promise<RunOutcome> => {
  const seen = await observe(ports, kind.touches(record.args))
  const claim = {
    seenAttempt: record.attempt,
    leaseUntil: invocation.deadline + limits.leaseMarginMs,
    nonce: ports.ids.nonce(),
    base: versionsOf(seen),
    now: ports.clock.now(),
  }
  const claimed = await retrying(ports, { until: invocation.deadline, unanswered: true }, () =>
    ports.operations.claim(record.id, claim),
  )
  if (claimed.kind === 'refused') return again(1_000, 'claimed by somebody else')
  const attempt = new Attempt(ports, claimed.record, {
    deadline: invocation.deadline,
    pauseAt: ports.clock.now() + limits.shardMs,
    large: invocation.lane === 'shards',
    signal: invocation.signal,
  })
  try {
    const why = whyNotRun(record, claimed.record, ports.clock.now())
    const rest =
      why === undefined
        ? await takeEffect(ports, attempt, kind, seen)
        : await judgeEffect(ports, attempt, kind, seen, why)
    return await conclude(ports, attempt, rest)
  } catch (error) {
    return afterFailure(ports, attempt, kind, error)
  }
}

/** Why the claimed operation may not be run any more: exhausted, expired, cancelled. Then only what is there counts. */
const whyNotRun = (
  before: OperationRecord,
  claimed: OperationRecord,
  now: number,
): ErrorDocument | undefined => {
  if (claimed.cancelRequestedAt !== undefined) return cancelled(claimed.id)
  if (before.tries >= limits.tries) {
    return new LockstepError(
      'Exhausted',
      `${before.tries} attempts at ${claimed.kind} ${claimed.id} ended without an effect. Nothing was changed; see the ` +
        "worker's log for the cause, then submit it again under a new id.",
      { details: { attempts: before.attempt } },
    ).toDocument()
  }
  return now - claimed.submittedAt > limits.operationLifeMs ? expired(claimed.id) : undefined
}

export const expired = (id: string): ErrorDocument =>
  new LockstepError(
    'Expired',
    `${id} was not done within ${limits.operationLifeMs / 86_400_000} days of its submit. Nothing was changed; submit it ` +
      'again under a new id.',
  ).toDocument()

const cancelledError = (id: string): LockstepError =>
  new LockstepError('Cancelled', `${id} was cancelled before it took effect. Nothing was changed.`)

export const cancelled = (id: string): ErrorDocument => cancelledError(id).toDocument()

const conclude = async (ports: Ports, attempt: Attempt, rest: Rest): Promise<RunOutcome> => {
  const { record } = attempt
  if (rest.kind === 'later') return handOver(ports, attempt)
  const now = ports.clock.now()
  const ending =
    rest.kind === 'succeeded'
      ? ({ status: 'succeeded', result: rest.result, now } as const)
      : ({
          status: rest.error.code === 'Cancelled' ? 'cancelled' : 'failed',
          error: rest.error,
          now,
        } as const)
  const finished = await retrying(ports, { until: record.leaseUntil, unanswered: true }, () =>
    ports.operations.finish(record.id, record.attempt, ending),
  )
  if (finished.kind === 'refused') return again(1_000, 'the claim was lost before the end')
  return leave(ports, finished.record)
}

/** Lets go of the claim, not of the lines, and continues in the shards function. */
const handOver = async (ports: Ports, attempt: Attempt): Promise<RunOutcome> => {
  const work = { ...attempt.work, large: true, ...(attempt.isUntouched() && { untouched: true as const }) }
  await attempt.amend({ work, ...(attempt.work.large !== true && { progressed: true }) })
  const afterMs = await letGo(ports, attempt)
  await wake(ports, attempt.record.id, 'shards', afterMs)
  return done
}

/**
 * An attempt that ends in an orderly way ends its lease at once, so that the next one need not wait for it: unless a try of
 * its effect had no answer. That one may still arrive, and must find nobody who has judged by its absence.
 * Returns after how many ms the next attempt may begin.
 */
const letGo = async (ports: Ports, { record, unanswered }: Attempt): Promise<number> => {
  if (unanswered) return Math.max(record.leaseUntil - ports.clock.now(), 0)
  await ports.operations.endLease(record.id, record.attempt)
  return 0
}

/** What went wrong decides: others may try again, or the operation ends by what is there. */
const afterFailure = async (
  ports: Ports,
  attempt: Attempt,
  kind: WorkingKind,
  error: unknown,
): Promise<RunOutcome> => {
  if (error instanceof ClaimLost) return again(1_000, 'the claim was lost')
  if (error instanceof CancelAsked || isLockstepError(error)) {
    const why = error instanceof CancelAsked ? cancelledError(attempt.record.id) : error
    return conclude(ports, attempt, await judged(ports, attempt, kind, why))
  }
  const { tries } = attempt.record
  const lasting = lastingCause(error, tries)
  if (lasting !== undefined) return conclude(ports, attempt, await judged(ports, attempt, kind, lasting))
  // Only an answered refusal leaves the effect undone for sure; any other error may have come after it.
  if (isPortFault(error) && attempt.isUntouched() && kind.effect === 'change') {
    await attempt.amend({ work: { ...attempt.work, untouched: true } })
  }
  const afterMs = Math.max(await letGo(ports, attempt), backoffMs(tries))
  return again(afterMs, error instanceof Error ? `${error.name}: ${error.message}` : String(error))
}

/** Ends an attempt that cannot go on, by what is there: `why`, unless the effect is. */
const judged = async (
  ports: Ports,
  attempt: Attempt,
  kind: WorkingKind,
  why: LockstepError,
): Promise<Rest> => {
  const seen = await observe(ports, kind.touches(attempt.record.args))
  return judgeEffect(ports, attempt, kind, seen, why.toDocument())
}

/** 0.5, 1, 2, ... seconds, at most 30: an outage of minutes is outlived by the tries that an operation has. */
const backoffMs = (tries: number): number => Math.min(500 * 2 ** Math.max(tries - 1, 0), 30_000)
