import * as z from 'zod/mini'
import { lineOfPath } from '#domain/line.ts'
import { ifMatch, path } from './arguments.ts'
import { failedWith, headOf, notFound, unmetMatch } from './judgement.ts'
import type { ReadingKind } from './kind.ts'
import { withEtag } from './result.ts'
import { doneWith } from './task.ts'

const schema = z.strictObject({ path, ifMatch })

type StatArgs = z.infer<typeof schema>

/** Tells about the file without its content: one HEAD, which the engine has made already. */
export const stat: ReadingKind<StatArgs> = {
  kind: 'stat',
  schema,
  content: 'none',
  effect: 'read',
  uses: (args) => [{ line: lineOfPath(args.path), mode: 'read' }],
  touches: (args) => [args.path],

  async run(task, seen) {
    const { args } = task
    const head = headOf(seen, args.path)
    if (head === null) return failedWith(notFound(args.path))
    const error = unmetMatch(args.path, head, args.ifMatch)
    if (error !== undefined) return failedWith(error)
    const { contentType, metadata } = head.attributes
    const lastModified = new Date(head.lastModified).toISOString()
    const known = contentType === undefined ? {} : { contentType }
    return doneWith(withEtag(head, { size: head.size, ...known, metadata, lastModified }))
  },
}
