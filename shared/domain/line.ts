/**
 * A line: the queue of operations that wait on one path. Pure rules over a snapshot of it.
 *
 *   ticket   7      8      9      10
 *   entry    A:r    B:r    C:w    D:r
 *            granted together     D waits for C, C for A and B; nobody considers those behind
 */

export type Mode = 'read' | 'write'

/** One line that an operation stands in, and how. */
export interface LineUse {
  /** Key of the line: {@link lineOfPath} or {@link lineOfName}. */
  readonly line: string
  readonly mode: Mode
}

export interface LineEntry {
  /** The operation. */
  readonly id: string
  readonly mode: Mode
  /** Drawn from the line's counter; also the path's fencing token. Only grows. */
  readonly ticket: number
}

/** A snapshot of a line. `entries` are in ticket order. */
export interface Line {
  readonly key: string
  readonly entries: readonly LineEntry[]
  /** When its head was last sent again by somebody who enqueued behind it, epoch ms. */
  readonly nudgedAt?: number
}

const pathMark = 'f:'
const nameMark = 'n:'

export const lineOfPath = (path: string): string => pathMark + path
export const lineOfName = (name: string): string => nameMark + name

/** What a line stands for, told back from its key. */
export const subjectOfLine = (key: string): { path: string } | { name: string } =>
  key.startsWith(nameMark) ? { name: key.slice(nameMark.length) } : { path: key.slice(pathMark.length) }

/** The plain text of a line's subject, for people. */
export const titleOfLine = (key: string): string => key.slice(pathMark.length)

export const emptyLine = (key: string): Line => ({ key, entries: [] })

const conflicts = (a: Mode, b: Mode): boolean => a === 'write' || b === 'write'

const entryOf = (line: Line, id: string): LineEntry | undefined =>
  line.entries.find((entry) => entry.id === id)

export const isInLine = (line: Line, id: string): boolean => entryOf(line, id) !== undefined

/** The conflicting entry with the smallest ticket before `id`; undefined if granted, or not in the line. */
export const blockerOf = (line: Line, id: string): LineEntry | undefined => {
  const own = entryOf(line, id)
  if (own === undefined) return undefined
  return line.entries.find((other) => other.ticket < own.ticket && conflicts(other.mode, own.mode))
}

/** Granted: in the line, and no conflicting entry has a smaller ticket. Entries behind never matter. */
export const isGranted = (line: Line, id: string): boolean =>
  isInLine(line, id) && blockerOf(line, id) === undefined

/** Ids granted in this line: its leading run of readers, or the writer at its head. */
export const grantedIds = (line: Line): string[] => {
  const [head, ...rest] = line.entries
  if (head === undefined) return []
  if (head.mode === 'write') return [head.id]
  const writer = rest.findIndex((entry) => entry.mode === 'write')
  return [head, ...(writer < 0 ? rest : rest.slice(0, writer))].map((entry) => entry.id)
}

export const withoutEntry = (line: Line, id: string): Line => ({
  ...line,
  entries: line.entries.filter((entry) => entry.id !== id),
})

/** Ids that are granted once `id` has left the line and were not before: exactly those whom its release must wake. */
export const newlyGranted = (before: Line, id: string): string[] => {
  const already = new Set(grantedIds(before))
  return grantedIds(withoutEntry(before, id)).filter((other) => !already.has(other))
}

/** Entries before `id` that it waits for, 0 when granted. For people: "position 3 of the line". */
export const positionOf = (line: Line, id: string): number => {
  const own = entryOf(line, id)
  if (own === undefined || isGranted(line, id)) return 0
  return line.entries.filter((other) => other.ticket < own.ticket).length
}

export const ticketOf = (line: Line, id: string): number | undefined => entryOf(line, id)?.ticket
