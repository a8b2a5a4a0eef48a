import * as z from 'zod/mini'
import { lineOfPath } from '#domain/line.ts'
import type { ObjectHead } from '#ports/object-store.ts'
import { contentType, metadata, path, targetConditions } from './arguments.ts'
import { assemble } from './assemble.ts'
import { keptAttributes, newAttributes } from './attributes.ts'
import { bodyOf, contentOf } from './content.ts'
import { failedWith, headOf, sizeIn, tooLargeIf, unmetCondition } from './judgement.ts'
import type { ChangingKind } from './kind.ts'
import { resultOf, withEtag } from './result.ts'
import { type Applied, doneWith, expectSeen, type Task } from './task.ts'

/** Type and metadata are those of the file if this creates it; a file that is there keeps its own. */
const schema = z.strictObject({ path, contentType, metadata, ...targetConditions })

type AppendArgs = z.infer<typeof schema>

/**
 * Adds the content to the end of the file, and creates the file if it is absent. What is there keeps its
 * metadata, content type, tags, storage class and encryption. Small files are read and put again; of larger
 * ones the bytes stay within S3.
 */
export const append: ChangingKind<AppendArgs> = {
  kind: 'append',
  schema,
  content: 'staged',
  effect: 'change',
  uses: (args) => [{ line: lineOfPath(args.path), mode: 'write' }],
  touches: (args) => [args.path],
  target: (args) => args.path,
  check: (args, seen) => unmetCondition(seen, args.path, args),

  async apply(task, seen) {
    const { path: target } = task.args
    const head = headOf(seen, target)
    const offset = head?.size ?? 0
    const error = tooLargeIf(target, offset + contentOf(task).size)
    if (error !== undefined) return failedWith(error)
    return join(task, head, offset)
  },

  recovered(task, base, found) {
    const offset = sizeIn(base, task.args.path)
    return withEtag(found, { offset, size: offset + contentOf(task).size })
  },
}

/**
 * Nothing appended to something changes nothing: the file keeps its ETag, and no large file is copied for it.
 */
const join = async (task: Task<AppendArgs>, head: ObjectHead | null, offset: number): Promise<Applied> => {
  const { path: target } = task.args
  const content = await bodyOf(task)
  if (content.kind === 'failed') return content
  if (head !== null && content.segment.size === 0)
    return doneWith(withEtag(head, { offset, size: head.size }))
  const existing =
    head === null ? [] : [{ kind: 'object', path: target, etag: head.etag, size: head.size } as const]
  const assembled = await assemble(task, {
    target,
    expect: expectSeen(head),
    attributes: head === null ? newAttributes(task.args) : await keptAttributes(task.objects, target, head),
    segments: [...existing, content.segment],
    body: content.bytes,
  })
  return resultOf(assembled, { offset })
}
