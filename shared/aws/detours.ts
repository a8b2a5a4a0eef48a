import { PutObjectTaggingCommand } from '@aws-sdk/client-s3'
import { PortFault } from '#ports/faults.ts'
import type { CommitOutcome, CompleteOutcome, Part } from '#ports/object-store.ts'
import { insisting } from './insisting.ts'
import { type Copy, deleteUnconditionally, putObject } from './object-effects.ts'
import { headObject } from './object-reads.ts'
import { abortUpload, completeUpload, copyPart, createUpload } from './object-uploads.ts'
import type { S3Target } from './s3-target.ts'

/**
 * The ways round for targets that lack a conditional call (capabilities.ts). On AWS none of this runs.
 */

/**
 * A copy by multipart upload, whose completion can be conditional everywhere. An empty source has no parts:
 * it is a put of nothing.
 */
export const copyByUpload = (target: S3Target, copy: Copy): Promise<CommitOutcome> =>
  insisting(target.world, async () => {
    const prepared = await unsent('copy', () => prepareCopy(target, copy))
    if (prepared.kind === 'changed') return prepared
    if (prepared.kind === 'empty')
      return putObject(target, copy.to, new Uint8Array(), copy.expect, copy.attributes, copy.mark)
    const { uploadId, part } = prepared
    const outcome = await completeOrAbandon(target, copy, uploadId, part)
    if (outcome.kind === 'done') await tagObject(target, copy.to, copy.attributes.tags ?? {})
    return outcome
  })

const completeOrAbandon = async (
  target: S3Target,
  copy: Copy,
  uploadId: string,
  part: Part,
): Promise<CommitOutcome> => {
  try {
    const outcome = await completeUpload(target, copy.to, uploadId, [part], copy.expect)
    if (outcome.kind === 'done') return outcome
    await abandon(target, copy.to, uploadId)
    return commitOf(outcome)
  } catch (error) {
    // Once it is gone, a completion that was not answered cannot arrive any more.
    await abandon(target, copy.to, uploadId)
    throw error
  }
}

/**
 * The emulator at hand forgets the tags that an upload was created with. The copy is there by now, whatever
 * this does.
 */
const tagObject = async (
  target: S3Target,
  path: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> => {
  const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  if (TagSet.length === 0) return
  try {
    const command = new PutObjectTaggingCommand({ Bucket: target.bucket, Key: path, Tagging: { TagSet } })
    await target.clients.s3.send(command)
  } catch (error) {
    throw new PortFault('unanswered', 'objects.copy', error)
  }
}

const prepareCopy = async (target: S3Target, copy: Copy) => {
  const { from, sourceEtag, to, attributes, mark } = copy
  const source = await headObject(target, from)
  if (source?.etag !== sourceEtag) return { kind: 'changed' } as const
  if (source.size === 0) return { kind: 'empty' } as const
  const uploadId = await createUpload(target, to, attributes, mark)
  try {
    const copied = await copyPart(target, to, uploadId, 1, { path: from, etag: sourceEtag })
    if (copied.kind === 'done') {
      const part = { number: 1, etag: copied.etag, size: source.size }
      return { kind: 'ready', uploadId, part } as const
    }
    await abandon(target, to, uploadId)
    if (copied.kind === 'changed') return { kind: 'changed' } as const
  } catch (error) {
    await abandon(target, to, uploadId)
    throw error
  }
  throw new PortFault('busy', 'objects.copy', new Error('its upload was aborted by somebody else'))
}

/** Best effort: how the copy ended is what counts, and a rule of the bucket collects what is left. */
const abandon = (target: S3Target, path: string, uploadId: string): Promise<void> =>
  abortUpload(target, path, uploadId).catch(() => undefined)

/**
 * A completion that was refused for a reason of its own, and not because of the target, may be tried anew.
 */
const commitOf = (outcome: CompleteOutcome): CommitOutcome => {
  if (outcome.kind === 'done' || outcome.kind === 'changed') return outcome
  throw new PortFault('busy', 'objects.copy', new Error(`its upload was refused: ${outcome.kind}`))
}

/**
 * Looks, then deletes: what somebody outside writes in between is lost. Only where nothing better is to be
 * had.
 */
export const deleteAfterCheck = async (
  target: S3Target,
  path: string,
  etag: string,
): Promise<{ readonly kind: 'done' | 'changed' | 'absent' }> => {
  const found = await unsent('delete', () => headObject(target, path))
  if (found === null) return { kind: 'absent' }
  if (found.etag !== etag) return { kind: 'changed' }
  await deleteUnconditionally(target, path)
  return { kind: 'done' }
}

/**
 * Before the effect is sent, a call without an answer leaves nothing in doubt: the whole may be tried again.
 */
export const unsent = async <T>(call: string, prepare: () => Promise<T>): Promise<T> => {
  try {
    return await prepare()
  } catch (error) {
    if (!(error instanceof PortFault) || error.fault !== 'unanswered') throw error
    throw new PortFault('busy', `objects.${call}`, error)
  }
}
