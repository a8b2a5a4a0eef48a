import {
  type EncodingType,
  GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { ObjectVersion } from '#domain/operation.ts'
import type { ByteRange, GetOutcome, Listing, ObjectHead, PinnedLink } from '#ports/object-store.ts'
import { codeOf, statusOf } from './faults.ts'
import { headOf } from './object-attributes.ts'
import { isAbsent, type S3Target, versionIdOf } from './s3-target.ts'

export const headObject = (target: S3Target, path: string): Promise<ObjectHead | null> =>
  target.ask('head', async () => {
    try {
      const output = await target.clients.s3.send(new HeadObjectCommand({ Bucket: target.bucket, Key: path }))
      return headOf(output, target.clients.emulated)
    } catch (error) {
      if (isAbsent(error)) return null
      throw error
    }
  })

export const tagsOfObject = (target: S3Target, path: string): Promise<Record<string, string>> =>
  target.ask('tags', async () => {
    try {
      const command = new GetObjectTaggingCommand({ Bucket: target.bucket, Key: path })
      const { TagSet = [] } = await target.clients.s3.send(command)
      return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]))
    } catch (error) {
      if (isAbsent(error)) return {}
      throw error
    }
  })

export const getObject = (
  target: S3Target,
  path: string,
  options: { etag?: string; range?: ByteRange },
): Promise<GetOutcome> =>
  target.ask('get', async () => {
    const { etag, range } = options
    const command = new GetObjectCommand({
      Bucket: target.bucket,
      Key: path,
      ...(etag !== undefined && { IfMatch: etag }),
      ...(range !== undefined && { Range: rangeOf(range) }),
    })
    try {
      return foundIn(target, await target.clients.s3.send(command))
    } catch (error) {
      if (isAbsent(error)) return { kind: 'absent' }
      if (statusOf(error) === 412 || codeOf(error) === 'PreconditionFailed') return { kind: 'changed' }
      throw error
    }
  })

export const rangeOf = ({ start, end }: ByteRange): string => `bytes=${start}-${end}`

const foundIn = (target: S3Target, output: GetObjectCommandOutput): GetOutcome => {
  const { Body, ContentLength = 0, ContentRange, ETag = '' } = output
  // "bytes 0-4/11": the part after the slash is the size of the whole.
  const whole = ContentRange?.split('/')[1]
  return {
    kind: 'found',
    etag: ETag,
    size: whole === undefined ? ContentLength : Number(whole),
    // In Node a body is a stream of bytes; the SDK's type covers browsers too.
    bytes: faultingBytes(target, Body as AsyncIterable<Uint8Array> | undefined),
  }
}

/** A connection that breaks half-way is a fault of the port like any other. */
async function* faultingBytes(target: S3Target, body: AsyncIterable<Uint8Array> | undefined) {
  if (body === undefined) return
  const chunks = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await target.ask('get', () => chunks.next())
      if (next.done === true) return
      yield next.value
    }
  } finally {
    // Whoever stops early lets go of the connection.
    await chunks.return?.()
  }
}

export const listObjects = async (
  target: S3Target,
  prefix: string,
  options: { delimiter?: string; limit?: number; cursor?: string },
): Promise<Listing> => {
  const { delimiter, limit, cursor } = options
  const command = new ListObjectsV2Command({
    Bucket: target.bucket,
    Prefix: prefix,
    // Keys may hold what XML cannot.
    EncodingType: 'url',
    ...(delimiter !== undefined && { Delimiter: delimiter }),
    ...(limit !== undefined && { MaxKeys: limit }),
    ...(cursor !== undefined && { ContinuationToken: cursor }),
  })
  const page = await target.ask('list', () => target.clients.s3.send(command))
  return {
    files: (page.Contents ?? []).map(({ Key = '', Size = 0, ETag = '', LastModified }) => ({
      path: decodeKey(Key, page.EncodingType),
      size: Size,
      etag: ETag,
      lastModified: LastModified?.getTime() ?? 0,
    })),
    prefixes: (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => decodeKey(Prefix, page.EncodingType)),
    ...(page.NextContinuationToken !== undefined && { cursor: page.NextContinuationToken }),
  }
}

/**
 * S3 encodes a space as `+` and a plus as `%2B`. An emulator that does not encode a listing does not say that
 * it does.
 */
const decodeKey = (key: string, encoding: EncodingType | undefined): string =>
  encoding === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key

export const listUploads = async (
  target: S3Target,
  prefix: string,
): Promise<{ readonly path: string; readonly uploadId: string }[]> => {
  const found: { path: string; uploadId: string }[] = []
  let marker: { KeyMarker?: string; UploadIdMarker?: string } = {}
  for (;;) {
    const command = new ListMultipartUploadsCommand({
      Bucket: target.bucket,
      Prefix: prefix,
      EncodingType: 'url',
      ...marker,
    })
    const page = await target.ask('uploads', () => target.clients.s3.send(command))
    for (const { Key = '', UploadId = '' } of page.Uploads ?? []) {
      found.push({ path: decodeKey(Key, page.EncodingType), uploadId: UploadId })
    }
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page
    if (IsTruncated !== true || NextKeyMarker === undefined) return found
    marker = {
      KeyMarker: decodeKey(NextKeyMarker, page.EncodingType),
      ...(NextUploadIdMarker !== undefined && { UploadIdMarker: NextUploadIdMarker }),
    }
  }
}

export const linkToObject = (
  target: S3Target,
  path: string,
  version: ObjectVersion,
  expiresInSeconds: number,
): Promise<PinnedLink> =>
  target.ask('link', async () => {
    const { versionId } = versionIdOf(version.versionId)
    const pin = versionId === undefined ? { IfMatch: version.etag } : { VersionId: versionId }
    const command = new GetObjectCommand({ Bucket: target.bucket, Key: path, ...pin })
    const url = await getSignedUrl(target.clients.s3, command, { expiresIn: expiresInSeconds })
    return { url, headers: versionId === undefined ? { 'If-Match': version.etag } : {} }
  })
