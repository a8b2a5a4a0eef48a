import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { limits } from '#domain/limits.ts'
import type {
  ByteRange,
  CompleteOutcome,
  Expect,
  Mark,
  ObjectAttributes,
  Part,
  PartOutcome,
} from '#ports/object-store.ts'
import { timeoutWithBodyMs } from './clients.ts'
import { codeOf } from './faults.ts'
import { insisting } from './insisting.ts'
import { attributeInput } from './object-attributes.ts'
import { rangeOf } from './object-reads.ts'
import { conditionOf, copySourceOf, isMissed, isNoUpload, type S3Target, versionIdOf } from './s3-target.ts'

export const createUpload = (
  target: S3Target,
  path: string,
  attributes: ObjectAttributes,
  mark: Mark,
): Promise<string> => {
  const input = attributeInput(attributes, mark)
  return target.ask('createUpload', async () => {
    const command = new CreateMultipartUploadCommand({ Bucket: target.bucket, Key: path, ...input })
    return (await target.clients.s3.send(command)).UploadId ?? ''
  })
}

export const uploadPart = (
  target: S3Target,
  path: string,
  uploadId: string,
  number: number,
  bytes: Uint8Array,
): Promise<PartOutcome> =>
  target.ask('uploadPart', async () => {
    const command = new UploadPartCommand({
      Bucket: target.bucket,
      Key: path,
      UploadId: uploadId,
      PartNumber: number,
      Body: bytes,
    })
    try {
      const { ETag = '' } = await target.clients.s3.send(command, {
        requestTimeout: timeoutWithBodyMs(bytes),
      })
      return { kind: 'done', etag: ETag }
    } catch (error) {
      if (isNoUpload(error)) return { kind: 'no-upload' }
      throw error
    }
  })

export const copyPart = (
  target: S3Target,
  path: string,
  uploadId: string,
  number: number,
  source: { readonly path: string; readonly etag: string; readonly range?: ByteRange },
): Promise<PartOutcome> => {
  const { range } = source
  if (range !== undefined) checkPartRange(range)
  return target.ask('copyPart', async () => {
    const command = new UploadPartCopyCommand({
      Bucket: target.bucket,
      Key: path,
      UploadId: uploadId,
      PartNumber: number,
      CopySource: copySourceOf(target.bucket, source.path),
      CopySourceIfMatch: source.etag,
      ...(range !== undefined && { CopySourceRange: rangeOf(range) }),
    })
    try {
      const { CopyPartResult } = await target.clients.s3.send(command)
      return { kind: 'done', etag: CopyPartResult?.ETag ?? '' }
    } catch (error) {
      if (isNoUpload(error)) return { kind: 'no-upload' }
      if (isMissed(error)) return { kind: 'changed' }
      throw error
    }
  })
}

const checkPartRange = ({ start, end }: ByteRange): void => {
  if (start < 0 || end < start || end - start + 1 > limits.partMaxBytes) {
    throw new RangeError(`copyPart: got bytes ${start} to ${end}, expected 1 to ${limits.partMaxBytes} bytes`)
  }
}

export const listParts = async (target: S3Target, path: string, uploadId: string): Promise<Part[] | null> => {
  const parts: Part[] = []
  let marker: string | undefined
  for (;;) {
    const command = new ListPartsCommand({
      Bucket: target.bucket,
      Key: path,
      UploadId: uploadId,
      ...(marker !== undefined && { PartNumberMarker: marker }),
    })
    const page = await target.ask('parts', async () => {
      try {
        return await target.clients.s3.send(command)
      } catch (error) {
        if (isNoUpload(error)) return null
        throw error
      }
    })
    if (page === null) return null
    for (const { PartNumber = 0, ETag = '', Size = 0 } of page.Parts ?? []) {
      parts.push({ number: PartNumber, etag: ETag, size: Size })
    }
    if (page.IsTruncated !== true || page.NextPartNumberMarker === undefined) return parts
    marker = page.NextPartNumberMarker
  }
}

/**
 * The parts that S3 would refuse are refused here, since emulators take them. 409 is no "not now" here: S3
 * voids an upload whose completion met a concurrent change of the object.
 */
export const completeUpload = async (
  target: S3Target,
  path: string,
  uploadId: string,
  parts: readonly Part[],
  expect: Expect,
): Promise<CompleteOutcome> => {
  const reason = brokenPartRule(parts)
  if (reason !== undefined) return { kind: 'bad-parts', reason }
  const command = new CompleteMultipartUploadCommand({
    Bucket: target.bucket,
    Key: path,
    UploadId: uploadId,
    MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
    ...conditionOf(expect),
  })
  const complete = async (): Promise<CompleteOutcome> => {
    try {
      const { ETag = '', VersionId } = await target.clients.s3Once.send(command)
      return { kind: 'done', etag: ETag, ...versionIdOf(VersionId) }
    } catch (error) {
      const refusal = refusalIn(error)
      if (refusal !== undefined) return refusal
      throw error
    }
  }
  return insisting(target.world, () => target.ask('complete', complete))
}

const refusalIn = (error: unknown): CompleteOutcome | undefined => {
  if (isNoUpload(error)) return { kind: 'no-upload' }
  const code = codeOf(error)
  if (code === 'ConditionalRequestConflict') return { kind: 'void' }
  if (code === 'InvalidPart' || code === 'InvalidPartOrder' || code === 'EntityTooSmall') {
    return { kind: 'bad-parts', reason: `${code}: ${error instanceof Error ? error.message : ''}` }
  }
  return isMissed(error) ? { kind: 'changed' } : undefined
}

/** The rule of S3 that the parts break, if any. */
const brokenPartRule = (parts: readonly Part[]): string | undefined => {
  if (parts.length === 0) return 'got no parts, expected at least 1'
  if (parts.length > limits.parts) return `got ${parts.length} parts, expected at most ${limits.parts}`
  const small = parts.slice(0, -1).find(({ size }) => size < limits.partMinBytes)
  if (small !== undefined) {
    const least = `expected at least ${limits.partMinBytes} in all but the last`
    return `part ${small.number}: got ${small.size} bytes, ${least}`
  }
  const unordered = parts.find(({ number }, at) => at > 0 && number <= (parts[at - 1]?.number ?? 0))
  return unordered === undefined
    ? undefined
    : `part ${unordered.number}: expected parts in order of their numbers`
}

export const abortUpload = (target: S3Target, path: string, uploadId: string): Promise<void> =>
  target.ask('abort', async () => {
    try {
      const command = new AbortMultipartUploadCommand({
        Bucket: target.bucket,
        Key: path,
        UploadId: uploadId,
      })
      await target.clients.s3.send(command)
    } catch (error) {
      if (!isNoUpload(error)) throw error
    }
  })
