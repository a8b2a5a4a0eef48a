import { limits } from '#domain/limits.ts'
import type { ObjectVersion } from '#domain/operation.ts'
import { internalPrefix } from '#domain/path.ts'
import type {
  ByteRange,
  CommitOutcome,
  CompleteOutcome,
  Expect,
  GetOutcome,
  Listing,
  Mark,
  ObjectAttributes,
  ObjectHead,
  ObjectStore,
  Part,
  PartOutcome,
  PinnedLink,
} from '#ports/object-store.ts'
import { Bucket, type BucketOptions } from './bucket.ts'
import { pageOfListing } from './listing.ts'
import { type Turn, yieldOnce } from './memory-tables.ts'
import { checkKey, contentEtag, headOf, kept, multipartEtag, type StoredObject } from './stored-object.ts'
import { addPart, badParts, checkPart, joined, partsOf, Uploads } from './uploads.ts'

/** Bytes come in pieces, so that nobody comes to rely on getting them at once. */
const pieceBytes = 64 * 1024

export interface ObjectStoreOptions extends BucketOptions {
  readonly turn?: Turn
  /**
   * Whether a repeated complete is answered as the first was, as S3 may do, or with `no-upload` (default).
   */
  readonly repeatsAnswers?: boolean
}

/**
 * S3 in memory, with AWS's own rules where the emulators are laxer. Outsiders write through `write` and
 * `remove`.
 */
export class MemoryObjectStore implements ObjectStore {
  readonly #bucket: Bucket
  readonly #uploads = new Uploads()
  readonly #turn: Turn
  readonly #repeatsAnswers: boolean

  constructor(options: ObjectStoreOptions) {
    this.#bucket = new Bucket(options)
    this.#repeatsAnswers = options.repeatsAnswers ?? false
    this.#turn = options.turn ?? yieldOnce
  }

  async head(path: string): Promise<ObjectHead | null> {
    await this.#turn()
    const object = this.#bucket.get(path)
    return object === undefined ? null : headOf(object)
  }

  async tags(path: string): Promise<Record<string, string>> {
    await this.#turn()
    return { ...this.#bucket.get(path)?.attributes.tags }
  }

  async get(path: string, options: { etag?: string; range?: ByteRange } = {}): Promise<GetOutcome> {
    const { etag, range } = structuredClone(options)
    await this.#turn()
    const object = this.#bucket.get(path)
    if (object === undefined) return { kind: 'absent' }
    if (etag !== undefined && etag !== object.etag) return { kind: 'changed' }
    const bytes = piecesOf(cut(object, range))
    return { kind: 'found', etag: object.etag, size: object.bytes.length, bytes }
  }

  async put(
    path: string,
    bytes: Uint8Array,
    expect: Expect,
    attributes: ObjectAttributes,
    mark: Mark,
  ): Promise<CommitOutcome> {
    const own = structuredClone({ expect, attributes, mark })
    const copy = new Uint8Array(bytes)
    await this.#turn()
    if (!this.#bucket.holds(path, own.expect)) return { kind: 'changed' }
    return this.#bucket.put(path, copy, { contentEtag: contentEtag(copy), ...own })
  }

  async copy(
    from: string,
    sourceEtag: string,
    to: string,
    expect: Expect,
    attributes: ObjectAttributes,
    mark: Mark,
  ): Promise<CommitOutcome> {
    const own = structuredClone({ expect, attributes, mark })
    await this.#turn()
    const source = this.#bucket.get(from)
    if (source?.etag !== sourceEtag || !this.#bucket.holds(to, own.expect)) return { kind: 'changed' }
    return this.#bucket.put(to, source.bytes, { contentEtag: contentEtag(source.bytes), ...own })
  }

  async delete(path: string, etag: string): Promise<{ kind: 'done' | 'changed' | 'absent' }> {
    await this.#turn()
    const object = this.#bucket.get(path)
    if (object === undefined) return { kind: 'absent' }
    if (object.etag !== etag) return { kind: 'changed' }
    this.#bucket.delete(path)
    return { kind: 'done' }
  }

  async discard(path: string): Promise<void> {
    if (!path.startsWith(internalPrefix))
      throw new RangeError(`discard: ${path} is not under ${internalPrefix}`)
    await this.#turn()
    this.#bucket.delete(path)
  }

  async createUpload(path: string, attributes: ObjectAttributes, mark: Mark): Promise<string> {
    checkKey(path)
    const own = { attributes: kept(attributes, mark).attributes, mark: { ...mark } }
    await this.#turn()
    return this.#uploads.start({ path, ...own, startedAt: this.#bucket.clock.now() })
  }

  async uploadPart(path: string, uploadId: string, number: number, bytes: Uint8Array): Promise<PartOutcome> {
    checkPart(number, bytes.length)
    const copy = new Uint8Array(bytes)
    await this.#turn()
    const upload = this.#uploads.find(path, uploadId)
    if (upload === undefined) return { kind: 'no-upload' }
    return { kind: 'done', etag: addPart(upload, number, copy) }
  }

  async copyPart(
    path: string,
    uploadId: string,
    number: number,
    source: { path: string; etag: string; range?: ByteRange },
  ): Promise<PartOutcome> {
    const own = structuredClone(source)
    await this.#turn()
    const upload = this.#uploads.find(path, uploadId)
    if (upload === undefined) return { kind: 'no-upload' }
    const object = this.#bucket.get(own.path)
    if (object?.etag !== own.etag) return { kind: 'changed' }
    if (own.range !== undefined) checkCopyRange(object, own.range)
    const bytes = cut(object, own.range)
    checkPart(number, bytes.length)
    return { kind: 'done', etag: addPart(upload, number, bytes) }
  }

  async parts(path: string, uploadId: string): Promise<Part[] | null> {
    await this.#turn()
    const upload = this.#uploads.find(path, uploadId)
    return upload === undefined ? null : partsOf(upload)
  }

  async complete(
    path: string,
    uploadId: string,
    parts: readonly Part[],
    expect: Expect,
  ): Promise<CompleteOutcome> {
    const own = structuredClone({ parts, expect })
    await this.#turn()
    const upload = this.#uploads.find(path, uploadId)
    if (upload === undefined) return this.#repeated(path, uploadId)
    const bad = badParts(upload, own.parts)
    if (bad !== undefined) return bad
    if (!this.#bucket.holds(path, own.expect)) return { kind: 'changed' }
    const { bytes, digests } = joined(upload, own.parts)
    const { attributes, mark, startedAt } = upload
    const as = { contentEtag: multipartEtag(digests), attributes, mark, since: startedAt }
    return { ...this.#uploads.completed(path, uploadId, this.#bucket.put(path, bytes, as)) }
  }

  #repeated(path: string, uploadId: string): CompleteOutcome {
    const answer = this.#repeatsAnswers ? this.#uploads.answerOf(path, uploadId) : undefined
    return answer === undefined ? { kind: 'no-upload' } : { ...answer }
  }

  async abort(path: string, uploadId: string): Promise<void> {
    await this.#turn()
    this.#uploads.end(path, uploadId)
  }

  async list(
    prefix: string,
    options: { delimiter?: string; limit?: number; cursor?: string } = {},
  ): Promise<Listing> {
    const own = { ...options }
    await this.#turn()
    return pageOfListing(this.#bucket, prefix, own)
  }

  async uploads(prefix: string): Promise<{ path: string; uploadId: string }[]> {
    await this.#turn()
    return this.#uploads.under(prefix)
  }

  async link(path: string, version: ObjectVersion, expiresInSeconds: number): Promise<PinnedLink> {
    const { etag, versionId } = version
    await this.#turn()
    const url = new URL(`memory://files/${encodeURIComponent(path)}`)
    url.searchParams.set('expires', String(this.#bucket.clock.now() + expiresInSeconds * 1000))
    if (versionId === undefined) return { url: url.href, headers: { 'If-Match': etag } }
    url.searchParams.set('versionId', versionId)
    return { url: url.href, headers: {} }
  }

  /** What a plain HTTP client gets for a link: the status and the bytes. */
  async follow(link: PinnedLink): Promise<{ status: number; bytes: Uint8Array }> {
    await this.#turn()
    const url = new URL(link.url)
    const path = decodeURIComponent(url.pathname.slice(1))
    const versionId = url.searchParams.get('versionId')
    const object = versionId === null ? this.#bucket.get(path) : this.#bucket.version(path, versionId)
    const refused = (status: number) => ({ status, bytes: new Uint8Array() })
    if (Number(url.searchParams.get('expires')) <= this.#bucket.clock.now()) return refused(403)
    if (object === undefined) return refused(404)
    const match = link.headers['If-Match']
    if (match !== undefined && match !== object.etag) return refused(412)
    return { status: 200, bytes: new Uint8Array(object.bytes) }
  }

  /** A plain PUT by some other S3 tool: unconditional, and without our mark. */
  async write(path: string, bytes: Uint8Array, attributes: Partial<ObjectAttributes> = {}): Promise<string> {
    const own = structuredClone(attributes)
    const copy = new Uint8Array(bytes)
    await this.#turn()
    const full = { metadata: {}, ...own }
    const outcome = this.#bucket.put(path, copy, { contentEtag: contentEtag(copy), attributes: full })
    return outcome.kind === 'done' ? outcome.etag : ''
  }

  /** A plain DELETE by some other S3 tool. */
  async remove(path: string): Promise<void> {
    await this.#turn()
    this.#bucket.delete(path)
  }
}

/** The bytes of a range; S3 cuts an end that lies past the last byte, and refuses a start that does (416). */
const cut = (object: StoredObject, range: ByteRange | undefined): Uint8Array => {
  if (range === undefined) return object.bytes
  const { start, end } = range
  if (start < 0 || start > end || start >= object.bytes.length) {
    throw new RangeError(`range ${start}-${end} of an object of ${object.bytes.length} bytes: InvalidRange`)
  }
  return object.bytes.subarray(start, end + 1)
}

/** S3 copies ranges only of objects over 5 MB, and only ranges that lie within. */
const checkCopyRange = (object: StoredObject, range: ByteRange): void => {
  const size = object.bytes.length
  if (size <= limits.partMinBytes) {
    throw new RangeError(
      `copy of a range of ${size} bytes: S3 does so only over ${limits.partMinBytes}; copy it whole`,
    )
  }
  if (range.end >= size)
    throw new RangeError(`copy of bytes ${range.start}-${range.end} of ${size}: InvalidArgument`)
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    yield new Uint8Array(bytes.subarray(start, start + pieceBytes))
  }
}
