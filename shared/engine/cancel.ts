import { isFinal, type OperationRecord } from '#domain/operation.ts'
import { kindOf } from '#operations/registry.ts'
import type { Ports } from '#ports/ports.ts'
import { endWaiting, unknownOperation } from './ending.ts'
import { releaseHold } from './hold.ts'
import { cancelled } from './run.ts'

export { unknownOperation } from './ending.ts'

/**
 * Ends what waits, at once; asks what runs to stop at its next step (it then says what it did); leaves what is final. A hold is
 * released. Returns the record as it is then. Throws LockstepError `NotFound`.
 */
export const cancel = async (ports: Ports, id: string): Promise<OperationRecord> => {
  const record = await ports.operations.get(id)
  if (record === undefined) throw unknownOperation(id)
  if (isFinal(record.status)) return record
  if (kindOf(record.kind).effect === 'hold') return releaseHold(ports, id)
  if (record.status === 'waiting') {
    const ended = await endWaiting(ports, record, {
      status: 'cancelled',
      error: cancelled(id),
      now: ports.clock.now(),
    })
    if (ended !== undefined) return ended
  }
  const asked = await ports.operations.requestCancel(id, ports.clock.now())
  return asked ?? (await ports.operations.get(id)) ?? record
}
