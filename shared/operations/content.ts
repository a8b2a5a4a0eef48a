import { type ErrorDocument, LockstepError } from '#domain/errors.ts'
import type { Content } from '#domain/operation.ts'
import type { Segment } from '#domain/part-plan.ts'
import { stagingKey } from '#domain/path.ts'
import { noBody } from './gather.ts'
import { invalidDocument } from './judgement.ts'
import type { Task } from './task.ts'

/** The content of an operation whose kind requires one; the engine admits none without. */
export const contentOf = (task: Task<unknown>): Content => {
  const { content, id, kind } = task.record
  if (content === undefined) throw new Error(`operation ${id} (${kind}) has no content`)
  return content
}

export type Body =
  | {
      readonly kind: 'found'
      readonly segment: Segment
      /** The bytes of a `body` segment. */
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'failed'; readonly error: ErrorDocument }

/**
 * Content as something to assemble from: bytes in memory, or the staged object at its present version. The
 * engine discards a staged body only once the operation is final, so one that is not there has been lost (to
 * its age, or to somebody's hand).
 */
export const bodyOf = async (task: Task<unknown>): Promise<Body> => {
  const content = contentOf(task)
  if (content.kind === 'upload')
    throw new Error(`operation ${task.record.id}: parts of an upload cannot be joined`)
  if (content.kind !== 'staged') {
    const bytes = await task.body()
    return { kind: 'found', segment: { kind: 'body', size: bytes.length }, bytes }
  }
  const path = stagingKey(content.upload)
  const staged = await task.objects.head(path)
  if (staged === null) return { kind: 'failed', error: uploadVoided('The staged body is gone.') }
  if (staged.size !== content.size) {
    const expected = `${content.size} bytes, as submitted`
    return { kind: 'failed', error: invalidDocument('upload', `${staged.size} bytes`, expected) }
  }
  return {
    kind: 'found',
    segment: { kind: 'object', path, etag: staged.etag, size: staged.size },
    bytes: noBody,
  }
}

export const uploadVoided = (what: string): ErrorDocument =>
  new LockstepError('UploadVoided', `${what} Nothing was written: upload it again.`).toDocument()
