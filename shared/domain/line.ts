/**
 * A line: the queue of operations that wait on one path. Pure rules over a snapshot of it.
 *
 *   ticket   7      8      9      10
 *   entry    A:r    B:r    C:w    D:r
 *            granted together     D waits for C, C for A and B; nobody considers those behind
 *
 * An operation under a hold stands right behind that hold, before all that came after it, whenever it came itself:
 *
 *   ticket   7      9        10       8
 *   entry    H:w    O:w/H    P:w/H    X:w
 *            H does not block O; O blocks P, and X waits for all three, also when H has left before O
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
  /** Of an operation under a hold: the ticket of that hold, which decides its place. */
  readonly under?: number
}

/** A snapshot of a line. `entries` are in the order of their turns: {@link inTurn}. */
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

/** By the ticket that gives the place; at the same one, the hold itself comes first, then those under it by their own tickets. */
const turnOrder = (a: LineEntry, b: LineEntry): number =>
  (a.under ?? a.ticket) - (b.under ?? b.ticket) || ownTicketUnderHold(a) - ownTicketUnderHold(b)

const ownTicketUnderHold = ({ under, ticket }: LineEntry): number => (under === undefined ? 0 : ticket)

/** Entries in the order in which they have their turn. */
export const inTurn = (entries: readonly LineEntry[]): LineEntry[] => entries.toSorted(turnOrder)

const isHoldOf = (other: LineEntry, own: LineEntry): boolean =>
  own.under !== undefined && other.under === undefined && other.ticket === own.under

/** `other` has its turn before `own`, and is not the hold that `own` is under. */
const isAhead = (other: LineEntry, own: LineEntry): boolean =>
  turnOrder(other, own) < 0 && !isHoldOf(other, own)

const entryOf = (line: Line, id: string): LineEntry | undefined =>
  line.entries.find((entry) => entry.id === id)

export const isInLine = (line: Line, id: string): boolean => entryOf(line, id) !== undefined

/** The hold that `id` is under, if any, still stands in the line too. */
export const isHoldInLine = (line: Line, id: string): boolean => {
  const own = entryOf(line, id)
  return own?.under === undefined || line.entries.some((other) => isHoldOf(other, own))
}

/** The first conflicting entry before `id`; undefined if granted, or not in the line. */
export const blockerOf = (line: Line, id: string): LineEntry | undefined => {
  const own = entryOf(line, id)
  if (own === undefined) return undefined
  return line.entries.find((other) => isAhead(other, own) && conflicts(other.mode, own.mode))
}

/** Granted: in the line, and no conflicting entry but its own hold is before it. Entries behind never matter. */
export const isGranted = (line: Line, id: string): boolean =>
  isInLine(line, id) && blockerOf(line, id) === undefined

/**
 * Ids granted in this line: its leading run of readers, or the writer at its head, and whom a hold there lets run under it.
 * One pass, since a line may be long: what stands before an entry is counted, less its own hold.
 */
export const grantedIds = (line: Line): string[] => {
  const granted: string[] = []
  const ahead = { read: 0, write: 0 }
  let hold: LineEntry | undefined
  for (const entry of line.entries) {
    const own = hold !== undefined && isHoldOf(hold, entry) ? hold.mode : undefined
    const writers = ahead.write - (own === 'write' ? 1 : 0)
    const readers = ahead.read - (own === 'read' ? 1 : 0)
    if (writers === 0 && (entry.mode === 'read' || readers === 0)) granted.push(entry.id)
    if (ahead.write > 1) break // nobody behind two writers can be granted, whoever its hold is
    ahead[entry.mode] += 1
    if (entry.under === undefined) hold = entry
  }
  return granted
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
  return line.entries.filter((other) => isAhead(other, own)).length
}

export const ticketOf = (line: Line, id: string): number | undefined => entryOf(line, id)?.ticket
