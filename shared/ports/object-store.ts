import type { ObjectVersion } from '#domain/operation.ts'

/**
 * What users attach to an object and what a copy or an append must keep. Metadata values may be any text
 * without control characters and without blanks at either end (HTTP drops those): the adapter carries what is
 * not ASCII as RFC 2047 encoded words of UTF-8, as S3 itself does, and decodes it. A literal that looks like
 * an encoded word comes back decoded. All else (content type and the like) is ASCII.
 */
export interface ObjectAttributes {
  readonly contentType?: string
  readonly cacheControl?: string
  readonly contentDisposition?: string
  readonly contentEncoding?: string
  readonly contentLanguage?: string
  /** User metadata without our own keys; names in lower case. */
  readonly metadata: Readonly<Record<string, string>>
  readonly storageClass?: string
  readonly encryption?: { readonly algorithm: string; readonly keyId?: string; readonly bucketKey?: boolean }
  readonly tags?: Readonly<Record<string, string>>
}

/** Who made an object, kept in its metadata (`lockstep-op`, `lockstep-hops`). */
export interface Mark {
  readonly operationId: string
  readonly hops?: number
}

export interface ObjectHead extends ObjectVersion {
  /** Epoch ms. */
  readonly lastModified: number
  /** Without `tags`: {@link ObjectStore.tags} fetches them, if `tagged`. */
  readonly attributes: ObjectAttributes
  /** Whether it has tags; also true where the target does not tell. */
  readonly tagged: boolean
  readonly mark?: Mark
}

/** The state that the target must be in for a change to happen. */
export type Expect = { readonly etag: string } | 'absent'

/** Bytes `start` to `end`, both inclusive, from 0. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export type CommitOutcome =
  | { readonly kind: 'done'; readonly etag: string; readonly versionId?: string }
  /**
   * Answered 412 (or 404 under a condition on an ETag): the target, or the source of a copy, is not as
   * expected.
   */
  | { readonly kind: 'changed' }

export type CompleteOutcome =
  | CommitOutcome
  /**
   * There is no such upload: it was completed or aborted before. (For some time, S3 may answer a repeat of a
   * successful completion with that success instead; it changes nothing then.)
   */
  | { readonly kind: 'no-upload' }
  /** Answered 409: S3 voids an upload whose commit met a concurrent change. */
  | { readonly kind: 'void' }
  /** A part is missing, or too small. */
  | { readonly kind: 'bad-parts'; readonly reason: string }

export type PartOutcome =
  | { readonly kind: 'done'; readonly etag: string }
  | { readonly kind: 'changed' }
  | { readonly kind: 'no-upload' }

export interface Part {
  readonly number: number
  readonly etag: string
  readonly size: number
}

export type GetOutcome =
  | {
      readonly kind: 'found'
      readonly etag: string
      readonly size: number
      readonly bytes: AsyncIterable<Uint8Array>
    }
  | { readonly kind: 'absent' }
  | { readonly kind: 'changed' }

export interface Listing {
  readonly files: readonly {
    readonly path: string
    readonly size: number
    readonly etag: string
    readonly lastModified: number
  }[]
  readonly prefixes: readonly string[]
  readonly cursor?: string
}

/**
 * A link to one version of a file. `headers` must be sent with the request (empty where the URL alone pins
 * it).
 */
export interface PinnedLink {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * S3 with its own rules: parts of at least 5 MiB except the last, at most 10,000 of them, attributes fixed
 * when an upload is created. Changes of visible objects are compare-and-set and are NEVER retried by the
 * adapter after an unanswered call; 409 and throttling (answered: no effect) are retried within the call and
 * end as a `busy` fault. Reads and calls on parts are retried freely.
 */
export interface ObjectStore {
  head(path: string): Promise<ObjectHead | null>
  /** None for an object that is not there. */
  tags(path: string): Promise<Record<string, string>>
  /**
   * `size` of the outcome is of the whole object. `etag`: only that version, else `changed`. A range must
   * start within the object (S3 answers 416: a fault); an end past the last byte is cut.
   */
  get(path: string, options?: { etag?: string; range?: ByteRange }): Promise<GetOutcome>
  put(
    path: string,
    bytes: Uint8Array,
    expect: Expect,
    attributes: ObjectAttributes,
    mark: Mark,
  ): Promise<CommitOutcome>
  /**
   * Server-side, up to 5 GiB, of exactly the version `sourceEtag`. The attributes replace all of the
   * source's, tags included: what is not given is not there.
   */
  copy(
    from: string,
    sourceEtag: string,
    to: string,
    expect: Expect,
    attributes: ObjectAttributes,
    mark: Mark,
  ): Promise<CommitOutcome>
  /** Deletes exactly that version; `absent` if nothing is there. */
  delete(path: string, etag: string): Promise<{ readonly kind: 'done' | 'changed' | 'absent' }>
  /** Deletes an internal object (under `.lockstep/`, else it throws) whatever it is; no error if absent. */
  discard(path: string): Promise<void>
  createUpload(path: string, attributes: ObjectAttributes, mark: Mark): Promise<string>
  uploadPart(path: string, uploadId: string, number: number, bytes: Uint8Array): Promise<PartOutcome>
  /**
   * A range must lie within the source, and S3 copies ranges only of sources over 5 MiB: a smaller one is
   * copied whole (no `range`) or uploaded.
   */
  copyPart(
    path: string,
    uploadId: string,
    number: number,
    source: { readonly path: string; readonly etag: string; readonly range?: ByteRange },
  ): Promise<PartOutcome>
  /** All parts of an upload in order of their number; null if there is no such upload. */
  parts(path: string, uploadId: string): Promise<Part[] | null>
  /**
   * Makes the parts, in ascending order, the object; other parts are dropped. After `changed` and `bad-parts`
   * the upload is still there, after `done` and `void` it is gone.
   */
  complete(path: string, uploadId: string, parts: readonly Part[], expect: Expect): Promise<CompleteOutcome>
  /** No error if there is no such upload. */
  abort(path: string, uploadId: string): Promise<void>
  /**
   * In the order of UTF-8 bytes; `limit` (at most 1,000, the default) counts files and prefixes together.
   * With `delimiter`, files below it are rolled up into `prefixes`.
   */
  list(prefix: string, options?: { delimiter?: string; limit?: number; cursor?: string }): Promise<Listing>
  /** Open uploads under a prefix: for checks that nothing was left behind. */
  uploads(prefix: string): Promise<{ readonly path: string; readonly uploadId: string }[]>
  link(path: string, version: ObjectVersion, expiresInSeconds: number): Promise<PinnedLink>
}
