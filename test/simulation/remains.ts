import { isFinal, type OperationRecord } from '#domain/operation.ts'
import type { World } from './world.ts'

/** What must be gone at the end. */
export interface Remains {
  readonly openOperations: readonly OperationRecord[]
  readonly leftEntries: readonly { readonly id: string; readonly line: string }[]
}

/**
 * What still has to be done, by those who are there to do it:
 *  - without a sweeper, nobody takes final records out of the open index;
 *  - if messages are lost, which SQS does not do, the entry of a final operation stays until somebody waits
 *    behind it: then the sweeper follows the blocker.
 */
export const remains = (world: World): Remains => {
  const { tables } = world.memory
  const { sweeper, loss } = world.profile
  const isOpen = (id: string): boolean => {
    const item = tables.records.get(id)
    if (item === undefined) return false
    return !isFinal(item.record.status) || (sweeper && item.index.shard.startsWith('open'))
  }
  const leftEntries = [...tables.lines].flatMap(([line, { entries }]) => {
    const ids = [...entries.keys()].map((name) => name.slice(name.indexOf(':') + 1))
    const isExcused = loss > 0 && ids.every((id) => !isOpen(id))
    return isExcused ? [] : ids.map((id) => ({ id, line }))
  })
  const openOperations = [...tables.records.values()]
    .map(({ record }) => record)
    .filter(({ id }) => isOpen(id))
  return { openOperations, leftEntries }
}
