import { limits } from '#domain/limits.ts'
import type { CommitOutcome, CompleteOutcome, Mark, ObjectAttributes, Part } from '#ports/object-store.ts'
import { contentEtag, md5 } from './stored-object.ts'

interface StoredPart {
  readonly bytes: Uint8Array
  readonly etag: string
}

export interface Upload {
  readonly path: string
  readonly uploadId: string
  readonly attributes: ObjectAttributes
  readonly mark: Mark
  /** S3 dates an object by the start of its upload, not by its end. */
  readonly startedAt: number
  readonly parts: Map<number, StoredPart>
}

/** The open multipart uploads of a bucket. */
export class Uploads {
  readonly #open = new Map<string, Upload>()
  /** Of completed uploads, by key and upload id. */
  readonly #answers = new Map<string, CommitOutcome>()
  #count = 0

  start(upload: Omit<Upload, 'uploadId' | 'parts'>): string {
    this.#count += 1
    const uploadId = `upload-${String(this.#count).padStart(8, '0')}`
    this.#open.set(uploadId, { ...upload, uploadId, parts: new Map<number, StoredPart>() })
    return uploadId
  }

  /** An upload id counts only together with its key. */
  find(path: string, uploadId: string): Upload | undefined {
    const upload = this.#open.get(uploadId)
    return upload?.path === path ? upload : undefined
  }

  end(path: string, uploadId: string): void {
    if (this.find(path, uploadId) !== undefined) this.#open.delete(uploadId)
  }

  /** Ends an upload that was completed, and remembers what was answered. */
  completed(path: string, uploadId: string, answer: CommitOutcome): CommitOutcome {
    this.end(path, uploadId)
    this.#answers.set(`${uploadId}/${path}`, answer)
    return answer
  }

  answerOf(path: string, uploadId: string): CommitOutcome | undefined {
    return this.#answers.get(`${uploadId}/${path}`)
  }

  under(prefix: string): { path: string; uploadId: string }[] {
    return [...this.#open.values()]
      .filter(({ path }) => path.startsWith(prefix))
      .map(({ path, uploadId }) => ({ path, uploadId }))
  }
}

export const checkPart = (number: number, size: number): void => {
  if (!Number.isInteger(number) || number < 1 || number > limits.parts) {
    throw new RangeError(`part number ${number}: S3 takes 1 to ${limits.parts}`)
  }
  if (size > limits.partMaxBytes)
    throw new RangeError(`part of ${size} bytes: S3 takes ${limits.partMaxBytes}`)
}

/** Stores a part, in place of one of the same number. */
export const addPart = (upload: Upload, number: number, bytes: Uint8Array): string => {
  const etag = contentEtag(bytes)
  upload.parts.set(number, { bytes, etag })
  return etag
}

export const partsOf = (upload: Upload): Part[] =>
  [...upload.parts]
    .map(([number, { bytes, etag }]) => ({ number, etag, size: bytes.length }))
    .sort((a, b) => a.number - b.number)

/**
 * Why S3 would refuse to complete an upload with these parts: InvalidPart, InvalidPartOrder, EntityTooSmall.
 */
export const badParts = (
  upload: Upload,
  parts: readonly Part[],
): Extract<CompleteOutcome, { kind: 'bad-parts' }> | undefined => {
  const reason = partsReason(upload, parts)
  return reason === undefined ? undefined : { kind: 'bad-parts', reason }
}

const partsReason = (upload: Upload, parts: readonly Part[]): string | undefined => {
  if (parts.length === 0) return 'no parts'
  for (const [index, { number, etag }] of parts.entries()) {
    const stored = upload.parts.get(number)
    if (stored === undefined) return `part ${number} is missing`
    if (stored.etag !== etag) return `part ${number} is ${stored.etag}, not ${etag}`
    if (index > 0 && number <= (parts[index - 1]?.number ?? 0)) return `part ${number} is out of order`
    if (index < parts.length - 1 && stored.bytes.length < limits.partMinBytes) {
      return `part ${number} has ${stored.bytes.length} bytes, less than ${limits.partMinBytes}`
    }
  }
  return undefined
}

/** The bytes of a completed upload, and the digests that its ETag is made of. */
export const joined = (upload: Upload, parts: readonly Part[]): { bytes: Uint8Array; digests: Buffer[] } => {
  const pieces = parts.map(({ number }) => upload.parts.get(number)?.bytes ?? new Uint8Array())
  const { buffer, byteOffset, length } = Buffer.concat(pieces)
  return { bytes: new Uint8Array(buffer, byteOffset, length), digests: pieces.map(md5) }
}
