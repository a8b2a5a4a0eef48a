import { LockstepError } from '#domain/errors.ts'
import type { OperationRecord } from '#domain/operation.ts'
import type { Ending } from '#ports/operation-store.ts'
import type { Ports } from '#ports/ports.ts'
import { release } from './release.ts'
import { retrying } from './retry.ts'
import { tidy } from './tidy.ts'

export const unknownOperation = (id: string): LockstepError =>
  new LockstepError(
    'NotFound',
    `id: got ${id}, which is no operation of this deployment, or one that finished over a week ago. Check the id and the stack.`,
    { details: { id } },
  )

/**
 * Ends an operation that waits, without a message that would repeat its release: it stays in the open index,
 * and the sweeper releases it once more when its submitter can no longer be enqueueing. Undefined if it does
 * not wait any more.
 */
export const endWaiting = async (
  ports: Ports,
  record: OperationRecord,
  ending: Ending,
): Promise<OperationRecord | undefined> => {
  const until = ports.clock.now() + 10_000
  const outcome = await retrying(ports, { until, unanswered: true }, () =>
    ports.operations.endWaiting(record.id, ending),
  )
  if (outcome.kind === 'refused') return undefined
  await release(ports, outcome.record)
  await tidy(ports, outcome.record)
  return outcome.record
}
