import type { Base, FinalStatus, OperationRecord, Progress, Work } from '#domain/operation.ts'

export type CreateOutcome =
  | { readonly kind: 'created' }
  | { readonly kind: 'exists'; readonly record: OperationRecord }

export interface Claim {
  /** The attempt that the claimant saw: the claim is refused if it has moved on. */
  readonly seenAttempt: number
  readonly leaseUntil: number
  readonly nonce: string
  /** Recorded by the first claim only; ignored (the old one kept) when a base is there. */
  readonly base: Base
  /** What it has from now on, though it is not final: of a hold, its tokens. */
  readonly result?: Readonly<Record<string, unknown>>
  readonly now: number
}

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly record: OperationRecord }
  /** Somebody else claimed or ended it. */
  | { readonly kind: 'refused'; readonly record: OperationRecord | undefined }

/** What a claimant may change while it runs. A field given replaces the old one; `work: null` removes it. */
export interface Amendment {
  readonly base?: Base
  readonly work?: Work | null
  readonly progress?: Progress
  /**
   * Real progress was made: `tries` starts again from 1, so that long work is not taken for repeated failure.
   */
  readonly progressed?: boolean
}

export interface Ending {
  readonly status: FinalStatus
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: OperationRecord['error']
  readonly now: number
}

export type FinishOutcome =
  /** Done by this call, or by an earlier try of it (the attempt's own ending). */
  | { readonly kind: 'finished'; readonly record: OperationRecord }
  | { readonly kind: 'refused'; readonly record: OperationRecord | undefined }

export interface SchedulePage {
  readonly ids: readonly string[]
  /** Give it back to continue; undefined at the end. */
  readonly cursor?: string
}

/**
 * The records. Every change is one conditional update of one item; reads of a record are strongly consistent,
 * the index (`schedule`) is eventually consistent. All changes here are safe to retry after an unanswered
 * call.
 */
export interface OperationStore {
  /**
   * Puts the record if the id is new, and the body item beside it (in parallel) if given. The body belongs to
   * id and digest: that of a conflicting request under the same id never replaces it.
   */
  create(record: OperationRecord, body?: Uint8Array): Promise<CreateOutcome>
  get(id: string): Promise<OperationRecord | undefined>
  /** Those that exist, in any order. At most 100 ids. */
  getMany(ids: readonly string[]): Promise<OperationRecord[]>
  /** The body item put beside the record; undefined if it never arrived. */
  body(record: OperationRecord): Promise<Uint8Array | undefined>
  /**
   * Becomes the attempt `seenAttempt + 1`: only if the record is `waiting`, or `running` with its lease ended
   * (`leaseUntil` <= `now`), and its attempt is still `seenAttempt`. Recognises its own earlier try by the
   * nonce.
   */
  claim(id: string, claim: Claim): Promise<ClaimOutcome>
  /**
   * Changes what the attempt may change, only while it is `running` under that attempt; undefined = no longer
   * ours.
   */
  amend(id: string, attempt: number, amendment: Amendment): Promise<OperationRecord | undefined>
  /** Makes it final, only while `running` under that attempt. Stays in the open index if `late`. */
  finish(id: string, attempt: number, ending: Ending): Promise<FinishOutcome>
  /** The attempt lets go: its lease ends at once. No effect if the attempt has moved on. */
  endLease(id: string, attempt: number): Promise<void>
  /**
   * Makes it final, only while `waiting`. Marks it `late`: its first submitter may still be enqueueing.
   * Recognises its own earlier try by the status and time of the ending; any other end is `refused`.
   */
  endWaiting(id: string, ending: Ending): Promise<FinishOutcome>
  /**
   * Moves the end of the lease of a hold, only while it is `running`; undefined = it is not. Never back, so that a repeat that
   * arrives late takes nothing from a later one: `leaseUntil` of the answer may lie further ahead.
   */
  extendHold(id: string, leaseUntil: number): Promise<OperationRecord | undefined>
  /**
   * Makes a hold final, only while it is `running` (`ifExpired`: and its lease has ended, `leaseUntil` <= `now`). A result
   * that is there stays unless another is given. Stays in the open index if it is `late`; `stayOpen` makes it so. Recognises
   * its own earlier try by the status and time of the ending; any other end, and any other kind, is `refused`.
   */
  endHold(
    id: string,
    ending: Ending,
    options?: { readonly ifExpired?: boolean; readonly stayOpen?: boolean },
  ): Promise<FinishOutcome>
  /** Asks a running attempt to stop at its next step; undefined if it is not running. */
  requestCancel(id: string, now: number): Promise<OperationRecord | undefined>
  /**
   * Takes a final record out of the open index, into the finished one. No effect if it is not final, or gone.
   */
  settle(record: OperationRecord): Promise<void>
  /** A page of one shard of the index, by time: ids with time from `from` to `to` inclusive (epoch ms). */
  schedule(
    shard: string,
    options: { from?: number; to?: number; newestFirst?: boolean; limit: number; cursor?: string },
  ): Promise<SchedulePage>
}
