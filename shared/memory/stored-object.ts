import { createHash } from 'node:crypto'
import type { Mark, ObjectAttributes, ObjectHead } from '#ports/object-store.ts'

/** One version of one object. Never changed once stored. */
export interface StoredObject {
  readonly bytes: Uint8Array
  readonly etag: string
  readonly versionId?: string
  /** Epoch ms, whole seconds as S3 tells them. */
  readonly lastModified: number
  readonly attributes: ObjectAttributes
  readonly mark?: Mark
}

/** S3 allows 2 KB of user metadata: names and values in UTF-8, our own two keys included. */
const metadataBytes = 2048
const maxKeyBytes = 1024

/** By the stored bytes, which never change: hashing is most of what a large file costs here. */
const digests = new WeakMap<Uint8Array, Buffer>()

/** The MD5 of bytes that will not change any more. */
export const md5 = (bytes: Uint8Array): Buffer => {
  const digest = digests.get(bytes) ?? createHash('md5').update(bytes).digest()
  digests.set(bytes, digest)
  return digest
}

/**
 * Identical bytes have identical ETags, as on S3 (except under KMS keys): the protocol must live with that.
 */
export const contentEtag = (bytes: Uint8Array): string => `"${md5(bytes).toString('hex')}"`

/** S3's ETag of a completed upload: the MD5 of the parts' MD5s, and how many there were. */
export const multipartEtag = (partDigests: readonly Uint8Array[]): string =>
  `"${md5(Buffer.concat(partDigests)).toString('hex')}-${partDigests.length}"`

export const wholeSeconds = (epochMs: number): number => Math.floor(epochMs / 1000) * 1000

export const checkKey = (path: string): void => {
  const bytes = Buffer.byteLength(path)
  if (bytes < 1 || bytes > maxKeyBytes)
    throw new RangeError(`key of ${bytes} bytes: S3 takes 1 to ${maxKeyBytes}`)
}

/**
 * Our own two keys in the metadata; an outsider who copies an object with its metadata carries them along.
 */
const operationKey = 'lockstep-op'
const hopsKey = 'lockstep-hops'

export type Kept = Pick<StoredObject, 'attributes' | 'mark'>

/**
 * Attributes as S3 keeps them: names of metadata in lower case, values without surrounding blanks, a content
 * type in any case, and no more metadata than fits. Our own keys become the mark, unless one is given.
 */
export const kept = (attributes: ObjectAttributes, mark: Mark | undefined): Kept => {
  const { storageClass, tags, ...rest } = structuredClone(attributes)
  const all = Object.fromEntries(
    Object.entries(attributes.metadata).map(([name, value]) => [name.toLowerCase(), value.trim()]),
  )
  const { [operationKey]: operationId, [hopsKey]: hops, ...metadata } = all
  const own = mark ?? (operationId === undefined ? undefined : markOf(operationId, hops))
  checkMetadataSize({
    ...metadata,
    ...(own !== undefined && { [operationKey]: own.operationId }),
    ...(own?.hops !== undefined && { [hopsKey]: String(own.hops) }),
  })
  return {
    attributes: {
      contentType: 'binary/octet-stream',
      ...rest,
      metadata,
      ...(storageClass !== undefined && storageClass !== 'STANDARD' && { storageClass }),
      ...(tags !== undefined && Object.keys(tags).length > 0 && { tags }),
    },
    ...(own !== undefined && { mark: { ...own } }),
  }
}

const markOf = (operationId: string, hops: string | undefined): Mark =>
  hops !== undefined && /^\d+$/.test(hops) ? { operationId, hops: Number(hops) } : { operationId }

const checkMetadataSize = (metadata: Readonly<Record<string, string>>): void => {
  const size = Object.entries(metadata).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0)
  if (size > metadataBytes) throw new RangeError(`metadata of ${size} bytes: S3 takes ${metadataBytes}`)
}

export const headOf = (object: StoredObject): ObjectHead => {
  const { tags, ...attributes } = structuredClone(object.attributes)
  return {
    etag: object.etag,
    size: object.bytes.length,
    ...(object.versionId !== undefined && { versionId: object.versionId }),
    lastModified: object.lastModified,
    attributes,
    tagged: tags !== undefined,
    ...(object.mark !== undefined && { mark: { ...object.mark } }),
  }
}
