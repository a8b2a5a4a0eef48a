import { limits } from '#domain/limits.ts'
import { isFinal } from '#domain/operation.ts'
import type { Ports } from '#ports/ports.ts'
import { wake } from './release.ts'
import { type Invocation, type RunOutcome, run } from './run.ts'

/** SQS delays a message by at most this. */
const longestDelayMs = 900_000

/**
 * A message was received more often than its queue allows. That says nothing about the operation (it may have been given
 * back because a live worker held it), so the record decides: final ones are released again; exhausted ones are claimed and
 * judged by what is there; everything else is sent again, not before its lease has ended.
 */
export const handleDeadLetter = async (
  ports: Ports,
  id: string,
  bounds: Omit<Invocation, 'lane'>,
): Promise<RunOutcome> => {
  const record = await ports.operations.get(id)
  const lane = record?.work?.large === true ? 'shards' : 'operations'
  const invocation: Invocation = { ...bounds, lane }
  if (record === undefined || isFinal(record.status)) return run(ports, id, invocation)
  const leftMs = record.leaseUntil - ports.clock.now()
  const exhausted = record.status === 'running' && leftMs <= 0 && record.tries >= limits.tries
  if (exhausted) {
    const outcome = await run(ports, id, invocation)
    if (outcome.kind !== 'again') return outcome
    await wake(ports, id, lane, Math.min(outcome.afterMs, longestDelayMs))
    return { kind: 'done' }
  }
  await wake(ports, id, lane, Math.min(Math.max(leftMs, 0) + 1_000, longestDelayMs))
  return { kind: 'done' }
}
