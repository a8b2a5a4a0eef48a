import * as z from 'zod/mini'
import type { ErrorDocument } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import { lineOfPath } from '#domain/line.ts'
import type { Segment } from '#domain/part-plan.ts'
import { path, targetConditions } from './arguments.ts'
import { type Assembled, assemble } from './assemble.ts'
import { keptAttributes } from './attributes.ts'
import { headOf, sizeIn, tooLargeIf, unfitSource, unmetCondition } from './judgement.ts'
import type { ChangingKind, Versions } from './kind.ts'
import { resultOf, withEtag } from './result.ts'
import { expectSeen, type Seen, type Task } from './task.ts'
import { copyWhole } from './transfer.ts'

/** The target needs a line as well. */
const maxSources = limits.pathsPerOperation - 1
const sourcesRule = `a list of 1 to ${maxSources} paths`

const schema = z.strictObject({
  from: z
    .array(path, { error: sourcesRule })
    .check(z.minLength(1, { error: sourcesRule }), z.maxLength(maxSources, { error: sourcesRule })),
  to: path,
  ...targetConditions,
})

type ConcatArgs = z.infer<typeof schema>

/**
 * Makes `to` the sources one after another, in the order given; a source may come several times, and `to` may
 * be one of them (it is then what it was before). Attributes: a target that is among the sources keeps its
 * own, as in `append`; any other takes those of the first source, as in `copy`. So they never depend on a
 * file that the request does not read.
 */
export const concat: ChangingKind<ConcatArgs> = {
  kind: 'concat',
  schema,
  content: 'none',
  effect: 'change',
  uses: (args) => [
    ...[...new Set(args.from)].map((source) => ({ line: lineOfPath(source), mode: 'read' as const })),
    { line: lineOfPath(args.to), mode: 'write' },
  ],
  touches: (args) => [...new Set([...args.from, args.to])],
  target: (args) => args.to,
  check: checkConcat,

  async apply(task, seen) {
    return resultOf(await joinSources(task, seen))
  },

  recovered(task, base, found) {
    const size = task.args.from.reduce((sum, source) => sum + sizeIn(base, source), 0)
    return withEtag(found, { size })
  },
}

function checkConcat(args: ConcatArgs, seen: Versions): ErrorDocument | undefined {
  for (const source of args.from) {
    const error = unfitSource(seen, source)
    if (error !== undefined) return error
  }
  const size = args.from.reduce((sum, source) => sum + sizeIn(seen, source), 0)
  return unmetCondition(seen, args.to, args) ?? tooLargeIf(args.to, size)
}

/**
 * One source is a copy. A target that is all there is to itself goes the same way: it is written anew, with
 * our mark.
 */
const joinSources = async (task: Task<ConcatArgs>, seen: Seen): Promise<Assembled> => {
  const { from, to } = task.args
  const segments: Segment[] = []
  for (const source of from) {
    const head = headOf(seen, source)
    if (head === null) return { kind: 'changed' }
    segments.push({ kind: 'object', path: source, etag: head.etag, size: head.size })
  }
  const target = headOf(seen, to)
  const model = from.includes(to) ? to : (from[0] ?? to)
  const modelHead = headOf(seen, model)
  if (modelHead === null) return { kind: 'changed' }
  if (from.length === 1) return copyWhole(task, { path: model, head: modelHead }, { path: to, head: target })
  const attributes = await keptAttributes(task.objects, model, modelHead)
  return assemble(task, { target: to, expect: expectSeen(target), attributes, segments })
}
