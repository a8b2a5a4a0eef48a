import type {
  HeadObjectCommandOutput,
  PutObjectCommandInput,
  ServerSideEncryption,
  StorageClass,
} from '@aws-sdk/client-s3'
import { invalid } from '#domain/errors.ts'
import type { Mark, ObjectAttributes, ObjectHead } from '#ports/object-store.ts'
import { decodeHeaderText, encodeHeaderText, isHeaderText } from './header-text.ts'
import { versionIdOf } from './s3-target.ts'

/** Our own two keys of an object's metadata. */
const operationKey = 'lockstep-op'
const hopsKey = 'lockstep-hops'

/** The parameters that PutObject, CopyObject and CreateMultipartUpload have in common. */
type AttributeInput = Pick<
  PutObjectCommandInput,
  | 'ContentType'
  | 'CacheControl'
  | 'ContentDisposition'
  | 'ContentEncoding'
  | 'ContentLanguage'
  | 'Metadata'
  | 'StorageClass'
  | 'ServerSideEncryption'
  | 'SSEKMSKeyId'
  | 'BucketKeyEnabled'
  | 'Tagging'
>

/**
 * Attributes and mark as S3 takes them. Metadata may be any text (header-text.ts); other attributes are
 * headers with a meaning, which nobody would decode. Throws LockstepError `InvalidArgument` for those that a
 * header cannot carry.
 */
export const attributeInput = (attributes: ObjectAttributes, mark: Mark): AttributeInput => {
  const { metadata, tags, encryption, storageClass, ...headers } = attributes
  checkHeaders(headers)
  return {
    ContentType: headers.contentType,
    CacheControl: headers.cacheControl,
    ContentDisposition: headers.contentDisposition,
    ContentEncoding: headers.contentEncoding,
    ContentLanguage: headers.contentLanguage,
    Metadata: { ...encodeMetadata(metadata), ...markMetadata(mark) },
    StorageClass: storageClass as StorageClass | undefined,
    ServerSideEncryption: encryption?.algorithm as ServerSideEncryption | undefined,
    SSEKMSKeyId: encryption?.keyId,
    BucketKeyEnabled: encryption?.bucketKey,
    ...(tags !== undefined &&
      Object.keys(tags).length > 0 && { Tagging: new URLSearchParams(tags).toString() }),
  }
}

const markMetadata = ({ operationId, hops }: Mark): Record<string, string> => ({
  [operationKey]: operationId,
  ...(hops !== undefined && { [hopsKey]: String(hops) }),
})

/** S3 tells names in lower case, so that is how they are kept. */
const encodeMetadata = (metadata: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), encodeHeaderText(value)]),
  )

const decodeMetadata = (metadata: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, decodeHeaderText(value)]))

const checkHeaders = (headers: Readonly<Record<string, string | undefined>>): void => {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !isHeaderText(value)) throw invalid(name, value, 'printable ASCII')
  }
}

/**
 * AWS tells the number of tags unless it is 0. Emulators may tell it to GET only: there, silence means that
 * there may be some.
 */
export const headOf = (output: HeadObjectCommandOutput, emulated: boolean): ObjectHead => {
  const { [operationKey]: operationId, [hopsKey]: hops, ...metadata } = decodeMetadata(output.Metadata ?? {})
  return {
    etag: output.ETag ?? '',
    size: output.ContentLength ?? 0,
    ...versionIdOf(output.VersionId),
    lastModified: output.LastModified?.getTime() ?? 0,
    attributes: { ...plainAttributes(output), metadata, ...encryptionOf(output) },
    tagged: output.TagCount === undefined ? emulated : output.TagCount > 0,
    ...(operationId !== undefined && { mark: { operationId, ...hopsOf(hops) } }),
  }
}

const plainAttributes = (output: HeadObjectCommandOutput): Partial<ObjectAttributes> => ({
  ...(output.ContentType !== undefined && { contentType: output.ContentType }),
  ...(output.CacheControl !== undefined && { cacheControl: output.CacheControl }),
  ...(output.ContentDisposition !== undefined && { contentDisposition: output.ContentDisposition }),
  ...(output.ContentEncoding !== undefined && { contentEncoding: output.ContentEncoding }),
  ...(output.ContentLanguage !== undefined && { contentLanguage: output.ContentLanguage }),
  ...(output.StorageClass !== undefined && { storageClass: output.StorageClass }),
})

const encryptionOf = (output: HeadObjectCommandOutput): Pick<ObjectAttributes, 'encryption'> => {
  const { ServerSideEncryption: algorithm, SSEKMSKeyId: keyId, BucketKeyEnabled: bucketKey } = output
  if (algorithm === undefined) return {}
  return {
    encryption: {
      algorithm,
      ...(keyId !== undefined && { keyId }),
      ...(bucketKey !== undefined && { bucketKey }),
    },
  }
}

/** Anyone may write metadata: what is no number of ours counts as none. */
const hopsOf = (text: string | undefined): { hops?: number } => {
  const hops = Number(text)
  return text !== undefined && Number.isInteger(hops) && hops >= 0 ? { hops } : {}
}
