import {
  CopyObjectCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type PutObjectCommandOutput,
} from '@aws-sdk/client-s3'
import { LockstepError } from '#domain/errors.ts'
import type { CommitOutcome, Expect, Mark, ObjectAttributes } from '#ports/object-store.ts'
import { timeoutWithBodyMs } from './clients.ts'
import { codeOf, statusOf } from './faults.ts'
import { insisting } from './insisting.ts'
import { attributeInput } from './object-attributes.ts'
import { conditionOf, copySourceOf, isAbsent, isMissed, type S3Target, versionIdOf } from './s3-target.ts'

/**
 * Changes of visible objects, each under a condition on the object as it is, each sent once: only an answer
 * "not now" is tried again.
 */

export const putObject = (
  target: S3Target,
  path: string,
  bytes: Uint8Array,
  expect: Expect,
  attributes: ObjectAttributes,
  mark: Mark,
): Promise<CommitOutcome> => {
  const command = new PutObjectCommand({
    Bucket: target.bucket,
    Key: path,
    Body: bytes,
    ...attributeInput(attributes, mark),
    ...conditionOf(expect),
  })
  const requestTimeout = timeoutWithBodyMs(bytes)
  return commit(target, 'put', () => target.clients.s3Once.send(command, { requestTimeout }))
}

/** What a copy is of and where it goes. */
export interface Copy {
  readonly from: string
  readonly sourceEtag: string
  readonly to: string
  readonly expect: Expect
  readonly attributes: ObjectAttributes
  readonly mark: Mark
}

export const copyObject = (target: S3Target, copy: Copy): Promise<CommitOutcome> => {
  const command = new CopyObjectCommand({
    Bucket: target.bucket,
    Key: copy.to,
    CopySource: copySourceOf(target.bucket, copy.from),
    CopySourceIfMatch: copy.sourceEtag,
    MetadataDirective: 'REPLACE',
    TaggingDirective: 'REPLACE',
    ...attributeInput(copy.attributes, copy.mark),
    ...conditionOf(copy.expect),
  })
  return commit(target, 'copy', async () => {
    const { CopyObjectResult, VersionId } = await target.clients.s3Once.send(command)
    return { ETag: CopyObjectResult?.ETag, VersionId }
  })
}

const commit = (
  target: S3Target,
  call: string,
  send: () => Promise<Pick<PutObjectCommandOutput, 'ETag' | 'VersionId'>>,
): Promise<CommitOutcome> => {
  const once = async (): Promise<CommitOutcome> => {
    try {
      const { ETag = '', VersionId } = await send()
      return { kind: 'done', etag: ETag, ...versionIdOf(VersionId) }
    } catch (error) {
      if (isMissed(error)) return { kind: 'changed' }
      throw tooLarge(error) ?? error
    }
  }
  return insisting(target.world, () => target.ask(call, once))
}

/** S3 says `InvalidRequest` to many things; that a source is over 5 GiB it says only in its message. */
const tooLarge = (error: unknown): LockstepError | undefined => {
  const isSize = error instanceof Error && error.message.includes('larger than the maximum allowable size')
  if (codeOf(error) !== 'EntityTooLarge' && !(codeOf(error) === 'InvalidRequest' && isSize)) return undefined
  return new LockstepError('TooLarge', 'The file is larger than S3 copies or takes at once: 5 GiB.', {
    cause: error,
  })
}

type DeleteOutcome = { readonly kind: 'done' | 'changed' | 'absent' }

export const deleteObject = (target: S3Target, path: string, etag: string): Promise<DeleteOutcome> =>
  insisting(target.world, () =>
    target.ask('delete', async () => {
      try {
        const command = new DeleteObjectCommand({ Bucket: target.bucket, Key: path, IfMatch: etag })
        await target.clients.s3Once.send(command)
        return { kind: 'done' }
      } catch (error) {
        if (isAbsent(error)) return { kind: 'absent' }
        if (statusOf(error) === 412 || codeOf(error) === 'PreconditionFailed') return { kind: 'changed' }
        throw error
      }
    }),
  )

/** Deletes whatever is there. One try, since after a check a second one might meet a newer object. */
export const deleteUnconditionally = (target: S3Target, path: string): Promise<void> =>
  insisting(target.world, () =>
    target.ask('delete', async () => {
      await target.clients.s3Once.send(new DeleteObjectCommand({ Bucket: target.bucket, Key: path }))
    }),
  )

/** For internal objects: repeated by the SDK, since whatever is there may go. */
export const discardObject = (target: S3Target, path: string): Promise<void> =>
  target.ask('discard', async () => {
    await target.clients.s3.send(new DeleteObjectCommand({ Bucket: target.bucket, Key: path }))
  })
