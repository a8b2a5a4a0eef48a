import { LockstepError } from '#domain/errors.ts'
import { isFinal, type OperationRecord, type Status } from '#domain/operation.ts'
import { unknownOperation } from '#engine/cancel.ts'
import { retrying } from '#engine/retry.ts'
import type { Ports } from '#ports/ports.ts'

export interface WaitOptions {
  /** How long to wait before `Timeout` is thrown; the operation goes on. Default: for ever. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** An uncontended small operation is done in about this time. */
export const firstPauseMs = 40
const growth = 1.5
const longestPauseMs = 2_000

/** A fault while looking may pass: how long it may take, within the caller's own deadline. */
const faultMs = 60_000

/**
 * Looks at an operation until it is final, and yields what is seen each time. Quick at first and after each
 * change of the status, then ever less often, so that a long wait costs one small read in two seconds. Throws
 * LockstepError `NotFound`, `Timeout`; the signal's reason.
 */
export async function* follow(
  ports: Ports,
  id: string,
  options: WaitOptions = {},
): AsyncGenerator<OperationRecord> {
  const { timeoutMs, signal } = options
  const until = timeoutMs === undefined ? Number.POSITIVE_INFINITY : ports.clock.now() + timeoutMs
  let pauseMs = firstPauseMs
  let status: Status | undefined
  for (;;) {
    signal?.throwIfAborted()
    const record = await look(ports, id, until, signal)
    yield record
    if (isFinal(record.status)) return
    if (record.status !== status) pauseMs = firstPauseMs
    status = record.status
    const leftMs = until - ports.clock.now()
    if (leftMs <= 0) throw timedOut(record, timeoutMs ?? 0)
    await ports.clock.sleep(Math.min(jittered(ports, pauseMs), leftMs), signal)
    pauseMs = Math.min(pauseMs * growth, longestPauseMs)
  }
}

/** The record once it is final. */
export const untilFinal = async (
  ports: Ports,
  id: string,
  options: WaitOptions,
): Promise<OperationRecord> => {
  for await (const record of follow(ports, id, options)) if (isFinal(record.status)) return record
  throw new LockstepError('Internal', `The wait for ${id} ended without a final state.`)
}

const look = async (
  ports: Ports,
  id: string,
  until: number,
  signal: AbortSignal | undefined,
): Promise<OperationRecord> => {
  const patience = { until: Math.min(until, ports.clock.now() + faultMs), unanswered: true, signal }
  const record = await retrying(ports, patience, () => ports.operations.get(id))
  if (record === undefined) throw unknownOperation(id)
  return record
}

/** Many who started to wait together should not look together for ever. */
const jittered = (ports: Ports, ms: number): number => ms * (0.75 + 0.5 * ports.ids.chance())

const timedOut = ({ id, kind, status }: OperationRecord, timeoutMs: number): LockstepError =>
  new LockstepError(
    'Timeout',
    `The ${kind} ${id} is still ${status} after ${timeoutMs} ms. It goes on: wait again, or cancel it.`,
    { details: { id, status, timeoutMs } },
  )
