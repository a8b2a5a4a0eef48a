import { grantedIds, type LineUse, newlyGranted } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'
import type { QueueName } from '#ports/message-queue.ts'
import type { Ports } from '#ports/ports.ts'
import { type RetryOptions, retrying } from './retry.ts'

const shortly = (ports: Ports): RetryOptions => ({ until: ports.clock.now() + 10_000, unanswered: true })

/** Sends the nudge of one operation; a duplicate is harmless, so an unanswered send is repeated. */
export const wake = (ports: Ports, id: string, queue: QueueName = 'operations', delayMs = 0): Promise<void> =>
  retrying(ports, shortly(ports), () => ports.queue.send(queue, id, delayMs > 0 ? { delayMs } : {}))

/**
 * Takes a final operation out of its lines and wakes whom that grants. May be repeated at any time, by anybody who finds
 * the record final: a first try may have died between its removal and its sends, so a release that finds its entry gone
 * sends everything granted in that line now.
 */
export const release = async (ports: Ports, record: Pick<OperationRecord, 'id' | 'uses'>): Promise<void> => {
  await Promise.all(record.uses.map((use) => leaveLine(ports, record.id, use)))
}

const leaveLine = async (ports: Ports, id: string, use: LineUse): Promise<void> => {
  const { was, before } = await retrying(ports, shortly(ports), () =>
    ports.lines.leave(use, id, ports.clock.now()),
  )
  const granted = was ? newlyGranted(before, id) : grantedIds(before)
  await Promise.all(granted.map((other) => wake(ports, other)))
}
