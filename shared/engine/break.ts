import { grantedIds } from '#domain/line.ts'
import { isHeld, type OperationRecord } from '#domain/operation.ts'
import type { Ports } from '#ports/ports.ts'
import { endWaiting } from './ending.ts'
import { type Breaking, broken } from './hold-endings.ts'
import { release } from './release.ts'
import { retrying } from './retry.ts'

/**
 * Takes a line from whoever holds it: ends the holds that are granted there, and writes into each who broke
 * it and why. What is not a hold is left alone: it ends by itself, within its lease. Returns the holds that
 * were broken.
 */
export const breakLine = async (
  ports: Ports,
  key: string,
  breaking: Breaking,
): Promise<OperationRecord[]> => {
  const [line] = await ports.lines.read([key])
  const ids = line === undefined ? [] : grantedIds(line)
  const records = ids.length === 0 ? [] : await ports.operations.getMany(ids.slice(0, mostAtOnce))
  const ended = await Promise.all(records.map((record) => breakHold(ports, record, breaking)))
  return ended.filter((record) => record !== undefined)
}

/** Readers that may hold one line together are more than one batch only on a line that is nearly full. */
const mostAtOnce = 100

/** Undefined if it is no hold, or ended by itself meanwhile. */
const breakHold = async (
  ports: Ports,
  record: OperationRecord,
  breaking: Breaking,
): Promise<OperationRecord | undefined> => {
  if (record.kind !== 'hold') return undefined
  const now = ports.clock.now()
  const ending = { status: 'cancelled', error: broken(record.id, breaking), now } as const
  if (!isHeld(record)) return endWaiting(ports, record, ending)
  const options = { until: now + 10_000, unanswered: true }
  // Whoever breaks it has no message that would repeat the release: so it stays open, and the sweeper does.
  const outcome = await retrying(ports, options, () =>
    ports.operations.endHold(record.id, ending, { stayOpen: true }),
  )
  if (outcome.kind === 'refused') return undefined
  await release(ports, outcome.record)
  return outcome.record
}
