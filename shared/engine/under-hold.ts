import { invalid, type LockstepError } from '#domain/errors.ts'
import { isHoldInLine, type Line, subjectOfLine } from '#domain/line.ts'
import { holdKind, isFinal, type OperationRecord } from '#domain/operation.ts'
import { holdLost } from './hold-endings.ts'

/**
 * Why `record` may not run under the hold; undefined if it may. Only on lines that the hold holds: an
 * operation that also waited elsewhere, for somebody who waits for this very hold, would wait for ever. And
 * only in a mode that the hold's covers: it steps in front of all who wait behind the hold, some of whom
 * share what is held for reading.
 */
export const whyNotUnder = (
  record: OperationRecord,
  id: string,
  hold: OperationRecord | undefined,
): LockstepError | undefined => {
  if (hold === undefined) return holdLost(id)
  if (hold.kind !== holdKind) return invalid('hold', id, `the id of a hold; this is a ${hold.kind}`)
  const held = new Map(hold.uses.map((use) => [use.line, use.mode]))
  for (const { line, mode } of record.uses) {
    const heldMode = held.get(line)
    if (heldMode !== undefined && (heldMode === 'write' || mode === 'read')) continue
    const subject = subjectOfLine(line)
    const kind = 'path' in subject ? 'path' : 'name'
    const expected = `a ${kind} that hold ${id} holds${mode === 'write' ? ' for writing' : ''}`
    return 'path' in subject
      ? invalid('path', subject.path, expected)
      : invalid('locks', subject.name, expected)
  }
  return isFinal(hold.status) ? holdLost(id) : undefined
}

/**
 * Told by the same snapshot that shows the grant: the hold still stands in all lines of an operation under
 * it.
 */
export const isStillUnderHold = (record: OperationRecord, lines: readonly Line[]): boolean =>
  record.hold === undefined || lines.every((line) => isHoldInLine(line, record.id))
