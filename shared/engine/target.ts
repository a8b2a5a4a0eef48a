import type { OperationRecord } from '#domain/operation.ts'
import { kindOf } from '#operations/registry.ts'

/** The path whose object the operation changes. Only called for kinds that change one. */
export const targetOf = (record: OperationRecord): string => {
  const kind = kindOf(record.kind)
  if (kind.effect !== 'change') throw new TypeError(`an operation of kind ${record.kind} has no target`)
  return kind.target(record.args)
}
