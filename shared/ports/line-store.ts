import type { Line, LineUse } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'

/** What the first put of a record says when it is part of a joint enqueue. */
export type Guard =
  /** First submit: the record must not exist and is put in the same transaction. */
  | { readonly kind: 'create'; readonly record: OperationRecord; readonly body?: Uint8Array }
  /**
   * A retry, or the sweeper: the record must be `waiting`. It is marked `late` in the same transaction, since
   * an entry of the first submitter may still arrive after the operation's end.
   */
  | { readonly kind: 'waiting'; readonly id: string }

export type EnterOutcome =
  | { readonly kind: 'entered'; readonly line: Line }
  /** An entry of this operation was there already; nothing was changed. */
  | { readonly kind: 'present'; readonly line: Line }
  /** The hold that it is to stand under is not in the line, or in a weaker mode; nothing was changed. */
  | { readonly kind: 'hold-gone'; readonly line: Line }

export type EnterTogetherOutcome =
  | { readonly kind: 'entered' }
  /**
   * The guard admits it, but an entry of this operation was in some line already (and then in all of them,
   * unless it is leaving); nothing was changed, the record is not marked either.
   */
  | { readonly kind: 'present' }
  /** No entry of it, but the hold is missing in some line, or weaker there; nothing was changed. */
  | { readonly kind: 'hold-gone' }
  /**
   * The guard refused (which is told before anything about entries); nothing was changed. `record` is what is
   * there (undefined only if a `waiting` guard found none).
   */
  | { readonly kind: 'refused'; readonly record: OperationRecord | undefined }

/**
 * The lines. Every call is linearizable per line (one item each); `enterTogether` is atomic over all its
 * items. Reads are strongly consistent. A line that does not exist reads as empty, and `next` starts at the
 * current time in microseconds, so tickets keep growing when a line is made anew.
 */
export interface LineStore {
  /**
   * Draws a ticket and adds the entry, in one update: conditional on the entry's absence. NEVER retried by
   * the adapter after an unanswered call: a second try could arrive after the operation has run and left the
   * line, and stay there for ever. Throws PortFault.
   *
   * `hold`: only if that hold stands in the line, in a mode that covers this one, which the same update checks; the entry is
   * then under the hold's ticket.
   */
  enter(use: LineUse, id: string, now: number, hold?: string): Promise<EnterOutcome>
  /**
   * Enters 1 to 99 different lines, and puts or checks the record, in one transaction; under `hold` in all of
   * them, if given. Conflicts are `busy` faults.
   */
  enterTogether(
    uses: readonly LineUse[],
    id: string,
    guard: Guard,
    now: number,
    hold?: string,
  ): Promise<EnterTogetherOutcome>
  /** A snapshot of each line (not one of all together), in the order of `keys`. */
  read(keys: readonly string[]): Promise<Line[]>
  /**
   * Removes the entry. `before` is the line just before; `was` tells whether the entry was in it. Safe to
   * retry: a repeat answers `was: false`. A line that does not exist is not created.
   */
  leave(use: LineUse, id: string, now: number): Promise<{ readonly was: boolean; readonly before: Line }>
  /**
   * Marks the line as nudged now, unless that happened less than `everyMs` ago or the line does not exist.
   * True if this call marked it.
   */
  markNudged(key: string, now: number, everyMs: number): Promise<boolean>
}
