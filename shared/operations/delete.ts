import * as z from 'zod/mini'
import { lineOfPath } from '#domain/line.ts'
import { path, targetConditions } from './arguments.ts'
import { headOf, unmetCondition } from './judgement.ts'
import type { ChangingKind } from './kind.ts'
import { doneWith } from './task.ts'

const schema = z.strictObject({ path, ...targetConditions })

type DeleteArgs = z.infer<typeof schema>

/**
 * Deletes the file. One that is absent is no error (`existed: false`): the state asked for is there. With
 * `ifMatch` it is, since the version asked for is not.
 */
export const deleteFile: ChangingKind<DeleteArgs> = {
  kind: 'delete',
  schema,
  content: 'none',
  effect: 'change',
  removesTarget: true,
  uses: (args) => [{ line: lineOfPath(args.path), mode: 'write' }],
  touches: (args) => [args.path],
  target: (args) => args.path,
  check: (args, seen) => unmetCondition(seen, args.path, args),

  /**
   * Gone meanwhile (`absent`) counts as changed: somebody else deleted it, and conditions are judged again.
   */
  async apply(task, seen) {
    const head = headOf(seen, task.args.path)
    if (head === null) return doneWith({ existed: false })
    const outcome = await task.objects.delete(task.args.path, head.etag)
    return outcome.kind === 'done' ? doneWith({ existed: true }) : { kind: 'changed' }
  },

  recovered: (task, base) => ({ existed: headOf(base, task.args.path) !== null }),
}
