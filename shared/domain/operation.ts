import type { ErrorDocument } from './errors.ts'
import type { LineUse, Mode } from './line.ts'

/**
 *            claim              finish
 *  waiting ---------> running ---------> succeeded | failed | cancelled
 *     |                 |  ^ claim again (a takeover) once the lease has ended: attempt + 1
 *     |                 +--+
 *     +--- cancel, refusal, expiry ---> cancelled | failed
 */
export const statuses = ['waiting', 'running', 'succeeded', 'failed', 'cancelled'] as const
export type Status = (typeof statuses)[number]

export type FinalStatus = 'succeeded' | 'failed' | 'cancelled'

export const isFinal = (status: Status): status is FinalStatus => status !== 'waiting' && status !== 'running'

/** What an object was when it was seen: enough to condition an effect on it. */
export interface ObjectVersion {
  /** As S3 gives it, quotes included. */
  readonly etag: string
  /** Bytes. */
  readonly size: number
  readonly versionId?: string
}

/** By path: what the first claim saw of each object that the operation reads or changes; null = absent. */
export type Base = Readonly<Record<string, ObjectVersion | null>>

/** Where the bytes of a `write` or `append` are. */
export type Content =
  /** In the record (up to 512 bytes). */
  | { readonly kind: 'inline'; readonly bytes: Uint8Array; readonly size: number }
  /** In an item of its own beside the record (up to 16 KiB). */
  | { readonly kind: 'item'; readonly size: number }
  /** An object under `.lockstep/staging/`, named by `upload`. */
  | { readonly kind: 'staged'; readonly upload: string; readonly size: number }
  /** Parts of a multipart upload on the target that the client has filled. */
  | { readonly kind: 'upload'; readonly uploadId: string; readonly parts: number; readonly size: number }

/** What an attempt leaves for the next one. Every change of it is conditional on the attempt. */
export interface Work {
  /** Larger than one invocation should do: runs in the shards function. */
  readonly large?: boolean
  /** Every attempt so far let go in good order, before any try of its effect: what moved since was only outsiders. */
  readonly untouched?: true
  /** A multipart upload on the target that this operation created and owns, and the plan it is filled by. */
  readonly upload?: { readonly path: string; readonly uploadId: string; readonly plan: string }
  /** The effect on the target is there; what remains is to delete the source at this ETag (`move`). */
  readonly copied?: { readonly sourceEtag: string; readonly result: Readonly<Record<string, unknown>> }
  /** State of a computation over a long stream (`checksum`): how far it got in which version, and the hash so far (base64). */
  readonly checkpoint?: { readonly offset: number; readonly etag: string; readonly state: string }
}

export interface Progress {
  readonly done: number
  readonly total: number
  readonly unit: 'bytes' | 'parts' | 'files'
}

/** The kind of operation that is a lock held by a client. */
export const holdKind = 'hold'

/** A named lock that an operation takes together with its paths. */
export interface NamedLock {
  readonly name: string
  readonly mode: Mode
}

/** One durable request: what the Operations table holds. */
export interface OperationRecord {
  /** Version of this document, so that an old function can tell that it meets a new record. */
  readonly v: 1
  readonly id: string
  readonly kind: string
  /** Arguments as validated by the kind's schema, without content. */
  readonly args: Readonly<Record<string, unknown>>
  /** Of kind, arguments and content: the same id with another digest is a `Conflict`. */
  readonly digest: string
  /** The lines it stands in. At most one per line; order as the kind gives it. */
  readonly uses: readonly LineUse[]
  readonly content?: Content
  /** The hold that it runs under: its place in the lines is that hold's. */
  readonly hold?: string
  /** Named locks taken besides what the kind takes; their lines are among `uses`. */
  readonly locks?: readonly NamedLock[]
  readonly status: Status
  /** Epoch ms, by the submitter's clock. */
  readonly submittedAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
  /** Claims so far: the fence of everything an attempt writes. */
  readonly attempt: number
  /** Claims since the last recorded progress: what exhaustion is decided by. */
  readonly tries: number
  /** Until when the claimant, or the holder, may be presumed alive, epoch ms. 0 = it let go. */
  readonly leaseUntil: number
  /** Of the last claim, so that a lost answer is recognised as one's own. */
  readonly nonce?: string
  readonly base?: Base
  readonly work?: Work
  readonly progress?: Progress
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: ErrorDocument
  readonly cancelRequestedAt?: number
  /** Its entries may still arrive after its end: its lines are checked once more before it leaves the index. */
  readonly late?: boolean
  /** How many rules led here, one after another. */
  readonly hops?: number
}

/** The operation document: what users see of a record. Times are ISO 8601. */
export interface OperationDocument {
  readonly id: string
  readonly kind: string
  readonly args: Readonly<Record<string, unknown>>
  readonly hold?: string
  readonly locks?: readonly NamedLock[]
  readonly status: Status
  readonly submittedAt: string
  readonly startedAt?: string
  readonly finishedAt?: string
  readonly attempt: number
  /** Of a hold that is held: when it ends unless it is extended. */
  readonly leaseUntil?: string
  readonly progress?: Progress
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: ErrorDocument
  readonly waiting?: Waiting
}

/** Why an operation waits: on which path, behind how many, for whom and since when that one runs. */
export interface Waiting {
  readonly path: string
  readonly position: number
  readonly holder: string
  readonly heldSince?: string
}

export const documentOf = (record: OperationRecord, waiting?: Waiting): OperationDocument => ({
  id: record.id,
  kind: record.kind,
  args: record.args,
  ...(record.hold !== undefined && { hold: record.hold }),
  ...(record.locks !== undefined && { locks: record.locks }),
  status: record.status,
  submittedAt: iso(record.submittedAt),
  ...(record.startedAt !== undefined && { startedAt: iso(record.startedAt) }),
  ...(record.finishedAt !== undefined && { finishedAt: iso(record.finishedAt) }),
  attempt: record.attempt,
  ...(isHeld(record) && { leaseUntil: iso(record.leaseUntil) }),
  ...(record.progress !== undefined && { progress: record.progress }),
  ...(record.result !== undefined && { result: record.result }),
  ...(record.error !== undefined && { error: record.error }),
  ...(waiting !== undefined && { waiting }),
})

/** A hold that its holder has now. */
export const isHeld = ({ kind, status }: Pick<OperationRecord, 'kind' | 'status'>): boolean =>
  kind === holdKind && status === 'running'

const iso = (epochMs: number): string => new Date(epochMs).toISOString()
