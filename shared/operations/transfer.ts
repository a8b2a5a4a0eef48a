import * as z from 'zod/mini'
import type { ErrorDocument } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import type { ObjectHead } from '#ports/object-store.ts'
import { ifMatch, isNotOntoItself, path, targetConditions } from './arguments.ts'
import { type Assembled, assemble, dropUpload } from './assemble.ts'
import { keptAttributes } from './attributes.ts'
import { headOf, sizeIn, unfitSource, unmetCondition } from './judgement.ts'
import type { Versions } from './kind.ts'
import { resultOf, withEtag } from './result.ts'
import { type Applied, expectSeen, type Result, type Seen, type Task } from './task.ts'

/** What `copy` and `move` have in common: one whole source becomes the target, with all its attributes. */

export const transferSchema = z
  .strictObject({ from: path, to: path, fromIfMatch: ifMatch, ...targetConditions })
  .check(isNotOntoItself)

export type TransferArgs = z.infer<typeof transferSchema>

export const checkTransfer = (args: TransferArgs, seen: Versions): ErrorDocument | undefined =>
  unfitSource(seen, args.from, args.fromIfMatch) ?? unmetCondition(seen, args.to, args)

export const applyTransfer = async (task: Task<TransferArgs>, seen: Seen): Promise<Applied> => {
  const { from, to } = task.args
  const source = headOf(seen, from)
  if (source === null) return { kind: 'changed' }
  return resultOf(await copyWhole(task, { path: from, head: source }, { path: to, head: headOf(seen, to) }))
}

export const recoveredTransfer = (args: TransferArgs, base: Versions, found: ObjectHead | null): Result =>
  withEtag(found, { size: sizeIn(base, args.from) })

interface Place<Head> {
  readonly path: string
  readonly head: Head
}

/**
 * One CopyObject up to what it does in seconds; above, copies of parts side by side. Neither moves a byte
 * through here.
 */
export const copyWhole = async (
  task: Task<unknown>,
  from: Place<ObjectHead>,
  to: Place<ObjectHead | null>,
): Promise<Assembled> => {
  const { etag, size } = from.head
  const expect = expectSeen(to.head)
  if (size > limits.smallWorkBytes && !task.large) return { kind: 'later' }
  const attributes = await keptAttributes(task.objects, from.path, from.head)
  if (size > limits.smallWorkBytes) {
    const segments = [{ kind: 'object', path: from.path, etag, size } as const]
    return assemble(task, { target: to.path, expect, attributes, segments })
  }
  await dropUpload(task)
  const outcome = await task.objects.copy(from.path, etag, to.path, expect, attributes, task.mark)
  return outcome.kind === 'done' ? { ...outcome, size } : outcome
}
