import * as z from 'zod/mini'
import { show } from '#domain/errors.ts'
import { lineOfPath } from '#domain/line.ts'
import type { Content } from '#domain/operation.ts'
import { contentType, metadata, path, targetConditions } from './arguments.ts'
import { assemble } from './assemble.ts'
import { newAttributes } from './attributes.ts'
import { bodyOf, contentOf, uploadVoided } from './content.ts'
import { failedWith, headOf, invalidDocument, tooLargeIf, unmetCondition } from './judgement.ts'
import type { ChangingKind } from './kind.ts'
import { resultOf, withEtag } from './result.ts'
import { type Applied, doneWith, expectSeen, type Seen, type Task } from './task.ts'

const schema = z.strictObject({ path, contentType, metadata, ...targetConditions })

type WriteArgs = z.infer<typeof schema>
type UploadContent = Extract<Content, { kind: 'upload' }>

/**
 * Replaces the file, or creates it: content, type and metadata are the request's alone, nothing is taken over
 * from what was there. With `upload` content, type and metadata were fixed when the upload was created; those
 * of the request say nothing.
 */
export const write: ChangingKind<WriteArgs> = {
  kind: 'write',
  schema,
  content: 'parts',
  effect: 'change',
  uses: (args) => [{ line: lineOfPath(args.path), mode: 'write' }],
  touches: (args) => [args.path],
  target: (args) => args.path,
  check: (args, seen) => unmetCondition(seen, args.path, args),

  async apply(task, seen) {
    const content = contentOf(task)
    const error = tooLargeIf(task.args.path, content.size)
    if (error !== undefined) return failedWith(error)
    return content.kind === 'upload' ? commitUpload(task, seen, content) : writeContent(task, seen)
  },

  recovered: (task, _base, found) => withEtag(found, { size: contentOf(task).size }),
}

const writeContent = async (task: Task<WriteArgs>, seen: Seen): Promise<Applied> => {
  const { path: target } = task.args
  const content = await bodyOf(task)
  if (content.kind === 'failed') return content
  const assembly = { target, expect: expectSeen(headOf(seen, target)), attributes: newAttributes(task.args) }
  return resultOf(await assemble(task, { ...assembly, segments: [content.segment], body: content.bytes }))
}

/**
 * The client has filled the upload; to complete it is the commit. The engine has looked for our effect
 * before, so an upload that is not there was aborted (by a cancel, or by its age) or voided by S3: nothing
 * was written.
 */
const commitUpload = async (task: Task<WriteArgs>, seen: Seen, content: UploadContent): Promise<Applied> => {
  const { path: target } = task.args
  const parts = await task.objects.parts(target, content.uploadId)
  if (parts === null) return failedWith(uploadVoided(`The upload for ${show(target)} is gone.`))
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  if (parts.length !== content.parts || size !== content.size) {
    const got = partsOf(parts.length, size)
    return failedWith(invalidDocument('upload', got, `${partsOf(content.parts, content.size)}, as submitted`))
  }
  const outcome = await task.objects.complete(
    target,
    content.uploadId,
    parts,
    expectSeen(headOf(seen, target)),
  )
  switch (outcome.kind) {
    case 'done':
      return doneWith(withEtag(outcome, { size }))
    case 'changed':
      return outcome
    case 'bad-parts':
      return failedWith(
        invalidDocument('upload', outcome.reason, 'parts of at least 5 MiB each, except the last'),
      )
    case 'no-upload':
      return failedWith(uploadVoided(`The upload for ${show(target)} is gone.`))
    case 'void':
      return failedWith(
        uploadVoided(`S3 voided the upload for ${show(target)}: it met a change from outside.`),
      )
  }
}

const partsOf = (count: number, size: number): string =>
  `${count} ${count === 1 ? 'part' : 'parts'} of ${size} bytes in all`
