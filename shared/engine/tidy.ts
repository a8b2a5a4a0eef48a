import type { OperationRecord } from '#domain/operation.ts'
import { stagingKey } from '#domain/path.ts'
import type { Ports } from '#ports/ports.ts'
import { targetOf } from './target.ts'

/**
 * Closes the uploads that could still make this operation visible: the one it created, the one its client filled. Called
 * before every ending but that of an own commit, so that no zombie's Complete finds an upload of an operation that ended.
 */
export const closeUploads = async (ports: Ports, record: OperationRecord): Promise<void> => {
  const own = record.work?.upload
  if (own !== undefined) await ports.objects.abort(own.path, own.uploadId)
  if (record.content?.kind === 'upload') {
    await ports.objects.abort(targetOf(record), record.content.uploadId)
  }
}

export const hasUpload = (record: OperationRecord): boolean =>
  record.work?.upload !== undefined || record.content?.kind === 'upload'

/** Removes what a final operation has left behind outside its record. May be repeated at any time. */
export const tidy = async (ports: Ports, record: OperationRecord): Promise<void> => {
  if (record.status !== 'succeeded' || record.work?.upload !== undefined) await closeUploads(ports, record)
  if (record.content?.kind === 'staged') await ports.objects.discard(stagingKey(record.content.upload))
}
