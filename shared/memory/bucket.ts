import { createHash } from 'node:crypto'
import type { Clock } from '#ports/clock.ts'
import type { CommitOutcome, Expect, Mark, ObjectAttributes } from '#ports/object-store.ts'
import { checkKey, kept, type StoredObject, wholeSeconds } from './stored-object.ts'

/** What S3 would notify about: one visible change of one key. */
export interface ObjectChange {
  readonly kind: 'created' | 'deleted'
  readonly path: string
  /** Absent for a delete. */
  readonly etag?: string
  readonly size?: number
  readonly versionId?: string
  /** Hexadecimal; grows with each change of the same key. */
  readonly sequencer: string
}

export interface BucketOptions {
  readonly clock: Clock
  /** Keeps every version, and gives them ids. Default: no. */
  readonly versioned?: boolean
  /**
   * `content` (default): as S3 without KMS keys, from the bytes. `unique`: a new one for each write, as with
   * KMS keys.
   */
  readonly etags?: 'content' | 'unique'
  /** Called after each visible change, in the same step. */
  readonly onChange?: (change: ObjectChange) => void
}

/**
 * The visible objects. Each method is one synchronous change; who awaits what in between is the store's
 * business.
 */
export class Bucket {
  readonly clock: Clock
  readonly #versioned: boolean
  readonly #etags: 'content' | 'unique'
  readonly #onChange: ((change: ObjectChange) => void) | undefined
  readonly #current = new Map<string, StoredObject>()
  /** By version id, whatever became of the key since. */
  readonly #versions = new Map<string, StoredObject>()
  #changes = 0

  constructor(options: BucketOptions) {
    this.clock = options.clock
    this.#versioned = options.versioned ?? false
    this.#etags = options.etags ?? 'content'
    this.#onChange = options.onChange
  }

  get(path: string): StoredObject | undefined {
    checkKey(path)
    return this.#current.get(path)
  }

  version(path: string, versionId: string): StoredObject | undefined {
    return this.#versions.get(`${versionId}/${path}`)
  }

  paths(): string[] {
    return [...this.#current.keys()]
  }

  /** What S3's conditions say: 412 for either, 404 for `If-Match` on a key that is not there. */
  holds(path: string, expect: Expect): boolean {
    const etag = this.get(path)?.etag
    return expect === 'absent' ? etag === undefined : etag === expect.etag
  }

  /**
   * `contentEtag`: of the bytes, as S3 computes it. `since`: what becomes its time of change (default: now).
   */
  put(
    path: string,
    bytes: Uint8Array,
    as: { contentEtag: string; attributes: ObjectAttributes; mark?: Mark; since?: number },
  ): CommitOutcome {
    checkKey(path)
    const own = kept(as.attributes, as.mark)
    this.#changes += 1
    const etag = this.#etags === 'content' ? as.contentEtag : this.#uniqueText('etag', 32)
    const object: StoredObject = {
      bytes,
      etag: this.#etags === 'content' ? etag : `"${etag}"`,
      ...(this.#versioned && { versionId: this.#uniqueText('version', 32) }),
      lastModified: wholeSeconds(as.since ?? this.clock.now()),
      ...own,
    }
    this.#current.set(path, object)
    if (object.versionId !== undefined) this.#versions.set(`${object.versionId}/${path}`, object)
    const version = object.versionId === undefined ? {} : { versionId: object.versionId }
    this.#tell({ kind: 'created', path, etag: object.etag, size: bytes.length, ...version })
    return { kind: 'done', etag: object.etag, ...version }
  }

  delete(path: string): void {
    if (!this.#current.delete(path)) return
    this.#changes += 1
    this.#tell({ kind: 'deleted', path })
  }

  #tell(change: Omit<ObjectChange, 'sequencer'>): void {
    this.#onChange?.({ ...change, sequencer: this.#changes.toString(16).toUpperCase().padStart(16, '0') })
  }

  /** Deterministic, so that a simulation repeats exactly. */
  #uniqueText(purpose: string, chars: number): string {
    return createHash('sha256').update(`${purpose}/${this.#changes}`).digest('hex').slice(0, chars)
  }
}
