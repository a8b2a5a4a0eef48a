import { limits } from '#domain/limits.ts'
import { emptyLine, inTurn, type Line, type LineEntry, type LineUse, type Mode } from '#domain/line.ts'
import { fromWire, type Item, ttlOf, type WireItem } from './dynamo-items.ts'

/**
 * An item of the Lines table. One attribute per entry, so that entering and leaving are single updates that
 * need no read:
 *
 *   line: 'f:a/b.txt', next: 1795507200000003, ttl: …, nudged: …,
 *   'w#01K…': 1795507200000001, 'r#01K…': 1795507200000002
 *
 * An attribute takes 28 bytes for its name and 9 for its ticket. An operation under a hold has a second one, `u#01K…`: the
 * hold's ticket.
 */
const modeMarks = { read: 'r#', write: 'w#' } as const satisfies Record<Mode, string>

export const entryName = (use: LineUse, id: string): string => modeMarks[use.mode] + id

const underMark = 'u#'

/** The attribute with the ticket of the hold that the operation is under. */
export const underName = (id: string): string => underMark + id

/**
 * The first ticket of a line that is made now: microseconds, so that tickets grow when a line is made anew.
 */
export const seedOf = (now: number): number => now * 1000

export const lineTtl = (now: number): number => ttlOf(now + limits.lineLifeMs)

/** The line as it stands in its item; a line without an item is empty. */
export const lineOfItem = (key: string, wire: WireItem | undefined): Line => {
  if (wire === undefined) return emptyLine(key)
  const item = fromWire(wire)
  const entries = Object.entries(item).flatMap(([name, ticket]) => entryOf(name, ticket, item))
  const { nudged } = item
  return { key, entries: inTurn(entries), ...(typeof nudged === 'number' && { nudgedAt: nudged }) }
}

const entryOf = (name: string, ticket: unknown, item: Item): LineEntry[] => {
  const mode = name.startsWith(modeMarks.read)
    ? 'read'
    : name.startsWith(modeMarks.write)
      ? 'write'
      : undefined
  if (mode === undefined || typeof ticket !== 'number') return []
  const id = name.slice(modeMarks[mode].length)
  const under = item[underName(id)]
  return [{ id, mode, ticket, ...(typeof under === 'number' && { under }) }]
}
