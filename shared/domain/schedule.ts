import { createHash } from 'node:crypto'
import { limits } from './limits.ts'

/**
 * The one index of the Operations table: open operations by the time to look at them, finished ones by their end. Sixteen
 * shards each, so that no single partition takes the writes of all; claims and progress do not touch it.
 */
export const scheduleShards = 16

const shardNumber = (id: string): string => {
  const byte = createHash('sha256').update(id).digest()[0] ?? 0
  return String(byte % scheduleShards).padStart(2, '0')
}

export const openShard = (id: string): string => `open#${shardNumber(id)}`
export const doneShard = (id: string): string => `done#${shardNumber(id)}`

const allShards = (prefix: string): string[] =>
  Array.from({ length: scheduleShards }, (_, number) => `${prefix}#${String(number).padStart(2, '0')}`)

export const openShards = (): string[] => allShards('open')
export const doneShards = (): string[] => allShards('done')

/** When the sweeper first looks at an operation: not before its submitter has given up. */
export const firstDueAt = (submittedAt: number): number => submittedAt + limits.submitStalledMs

/** When an operation that ended while its submitter may live is looked at once more. */
export const lateDueAt = (submittedAt: number): number => submittedAt + limits.submitterGoneMs
