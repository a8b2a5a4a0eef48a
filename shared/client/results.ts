import type { ReadResult } from '#operations/read.ts'

/** What operations answer, kind by kind: the `result` of their documents. */

interface Written {
  /** Of the file as written. Left out when somebody outside Lockstep has changed it since (`superseded`). */
  readonly etag?: string
  /** In versioned buckets. */
  readonly versionId?: string
  /** A writer outside Lockstep changed the file after the operation had taken effect. */
  readonly superseded?: true
}

/** Of `write`, `copy`, `move` and `concat`. */
export interface WriteResult extends Written {
  /** Bytes of the file written. */
  readonly size: number
}

export interface AppendResult extends Written {
  /** Where the body starts in the file. */
  readonly offset: number
  /** `offset` and the bytes of the body. */
  readonly size: number
}

export interface DeleteResult {
  readonly existed: boolean
}

export interface StatResult {
  readonly size: number
  readonly etag: string
  readonly versionId?: string
  readonly contentType?: string
  readonly metadata: Readonly<Record<string, string>>
  /** ISO 8601. */
  readonly lastModified: string
}

export interface ChecksumResult {
  /** Hexadecimal. */
  readonly digest: string
  readonly size: number
  readonly etag: string
}

/**
 * Content up to 64 KiB stands in `body` or `bodyBase64`; larger content is at `url`, pinned to what was read.
 */
export interface LinkedReadResult extends Omit<ReadResult, 'link'> {
  /** Valid for 15 minutes from when it was asked for. */
  readonly url?: string
  /** To be sent with a GET of `url`. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface ResultOfKind {
  readonly write: WriteResult
  readonly append: AppendResult
  readonly read: LinkedReadResult
  readonly stat: StatResult
  readonly copy: WriteResult
  readonly move: WriteResult
  readonly delete: DeleteResult
  readonly concat: WriteResult
  readonly checksum: ChecksumResult
}

/** Of a kind that is only known at run time. */
export type AnyResult = Readonly<Record<string, unknown>>
