import { createHash } from 'node:crypto'
import { limits } from '#domain/limits.ts'
import type { Work } from '#domain/operation.ts'
import { type Plan, type PlannedPart, planParts, type Segment } from '#domain/part-plan.ts'
import type { Expect, ObjectAttributes, Part, PartOutcome } from '#ports/object-store.ts'
import { gather, noBody } from './gather.ts'
import type { Task } from './task.ts'

/**
 * Puts a file together from segments: with one put if it is small, else as a multipart upload whose commit is
 * the condition.
 *
 *   createUpload -> save -> parts ... (save, `later`, go on) ... -> complete under the expectation
 *
 * Invariant: no operation becomes final while an upload of its own is open. `work.upload` is recorded before
 * the first part and stays until the upload is completed or aborted; the engine aborts what is recorded
 * before any other ending. A crash between `createUpload` and `save` leaves an upload without parts that
 * nobody knows: it holds no bytes, and the bucket's lifecycle rule aborts it after 9 days.
 *
 * A later attempt goes on with a recorded upload of the same plan (it says which version of each source makes
 * which part, so parts of two attempts are interchangeable). A zombie that completes it meanwhile commits
 * what we would have committed.
 */

export interface Assembly {
  readonly target: string
  readonly expect: Expect
  readonly attributes: ObjectAttributes
  readonly segments: readonly Segment[]
  /** The bytes of the `body` segment, if there is one. */
  readonly body?: Uint8Array
}

export type Assembled =
  | { readonly kind: 'done'; readonly etag: string; readonly versionId?: string; readonly size: number }
  | { readonly kind: 'changed' }
  | { readonly kind: 'later' }

type Upload = NonNullable<Work['upload']>
type PartsPlan = Extract<Plan, { kind: 'parts' }>

/** Copies that run side by side. Gathered parts go one at a time: that bounds the memory to one of them. */
const copiesAtOnce = 8

const changed = { kind: 'changed' } as const
const later = { kind: 'later' } as const

export const assemble = async (task: Task<unknown>, assembly: Assembly): Promise<Assembled> => {
  const plan = planParts(assembly.segments)
  if (isTooMuchHere(task, plan.size)) return later
  if (plan.kind === 'put') return putWhole(task, assembly, plan)
  const upload = await openUpload(task, assembly, plan)
  const placed = await placedParts(task, upload, plan)
  const filled = placed === null ? changed : await fillUpload(task, assembly, plan, upload, placed)
  if (filled.kind !== 'filled') return filled
  return completeUpload(task, assembly, upload, filled.parts, plan.size)
}

/** Work of this many bytes belongs to the shards function, and this is not it. */
export const isTooMuchHere = (task: Task<unknown>, bytes: number): boolean =>
  !task.large && bytes > limits.smallWorkBytes

/** Aborts and forgets the upload of an earlier attempt, before the target is changed in another way. */
export const dropUpload = async (task: Task<unknown>): Promise<void> => {
  const { upload, ...rest } = task.work
  if (upload === undefined) return
  await task.objects.abort(upload.path, upload.uploadId)
  await task.save(rest)
}

const putWhole = async (
  task: Task<unknown>,
  assembly: Assembly,
  plan: Extract<Plan, { kind: 'put' }>,
): Promise<Assembled> => {
  const { target, expect, attributes, body = noBody } = assembly
  await dropUpload(task)
  const bytes = await gather(task.objects, plan.pieces, plan.size, body)
  if (bytes === undefined) return changed
  const put = await task.objects.put(target, bytes, expect, attributes, task.mark)
  return put.kind === 'done' ? { ...put, size: plan.size } : put
}

/**
 * Of everything that decides the bytes and the attributes of the result. The target's expectation is not part
 * of it.
 */
const fingerprintOf = (assembly: Assembly, plan: PartsPlan): string => {
  const text = JSON.stringify([assembly.target, assembly.attributes, plan.parts])
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}

const openUpload = async (task: Task<unknown>, assembly: Assembly, plan: PartsPlan): Promise<Upload> => {
  const fingerprint = fingerprintOf(assembly, plan)
  const recorded = task.work.upload
  if (recorded?.plan === fingerprint && recorded.path === assembly.target) return recorded
  await dropUpload(task)
  const uploadId = await task.objects.createUpload(assembly.target, assembly.attributes, task.mark)
  const upload = { path: assembly.target, uploadId, plan: fingerprint }
  try {
    await task.save({ ...task.work, upload })
  } catch (error) {
    await task.objects.abort(upload.path, upload.uploadId)
    throw error
  }
  return upload
}

/** By number, the parts that are there and as planned; null if the upload is gone (then it is forgotten). */
const placedParts = async (
  task: Task<unknown>,
  upload: Upload,
  plan: PartsPlan,
): Promise<Map<number, Part> | null> => {
  const found = await task.objects.parts(upload.path, upload.uploadId)
  if (found === null) {
    await dropUpload(task)
    return null
  }
  const asPlanned = found.filter((part) => plan.parts[part.number - 1]?.size === part.size)
  return new Map(asPlanned.map((part) => [part.number, part]))
}

type Filled =
  | { readonly kind: 'filled'; readonly parts: readonly Part[] }
  | { readonly kind: 'changed' | 'later' }

/** At least one batch per invocation, so that even an invocation that comes late makes progress. */
const fillUpload = async (
  task: Task<unknown>,
  assembly: Assembly,
  plan: PartsPlan,
  upload: Upload,
  placed: Map<number, Part>,
): Promise<Filled> => {
  const batches = batchesOf(plan, placed)
  for (const [index, batch] of batches.entries()) {
    const outcomes = await allEnded(batch.map((number) => placePart(task, assembly, plan, upload, number)))
    if (outcomes.some((outcome) => outcome.kind === 'no-upload')) await dropUpload(task)
    for (const outcome of outcomes) {
      if (outcome.kind !== 'done') return changed
      placed.set(outcome.number, outcome)
    }
    if (index < batches.length - 1 && task.timeIsUp()) {
      const done = [...placed.values()].reduce((sum, part) => sum + part.size, 0)
      await task.save(task.work, { done, total: plan.size, unit: 'bytes' })
      return later
    }
  }
  return { kind: 'filled', parts: [...placed.values()].sort((a, b) => a.number - b.number) }
}

/** Numbers of the missing parts: copies in groups, each gathered part alone. */
const batchesOf = (plan: PartsPlan, placed: ReadonlyMap<number, Part>): number[][] => {
  const missing = plan.parts.map((_, index) => index + 1).filter((number) => !placed.has(number))
  const isCopy = (number: number): boolean => plan.parts[number - 1]?.kind === 'copy'
  const copies = missing.filter(isCopy)
  const batches = missing.filter((number) => !isCopy(number)).map((number) => [number])
  for (let at = 0; at < copies.length; at += copiesAtOnce) batches.push(copies.slice(at, at + copiesAtOnce))
  return batches
}

/**
 * Waits for all before it fails with the first failure: nothing goes on behind the back of whoever aborts the
 * upload.
 */
const allEnded = async <Value>(promises: readonly Promise<Value>[]): Promise<Value[]> => {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

type Placed = ({ readonly kind: 'done' } & Part) | Exclude<PartOutcome, { kind: 'done' }>

const placePart = async (
  task: Task<unknown>,
  assembly: Assembly,
  plan: PartsPlan,
  upload: Upload,
  number: number,
): Promise<Placed> => {
  const part = plan.parts[number - 1]
  if (part === undefined) throw new RangeError(`the plan has no part ${number}`)
  const outcome = await sendPart(task, assembly, upload, number, part)
  return outcome.kind === 'done' ? { ...outcome, number, size: part.size } : outcome
}

const sendPart = async (
  task: Task<unknown>,
  assembly: Assembly,
  upload: Upload,
  number: number,
  part: PlannedPart,
): Promise<PartOutcome> => {
  if (part.kind === 'copy') {
    const { path, etag, start, size, of } = part.source
    const source = size === of ? { path, etag } : { path, etag, range: { start, end: start + size - 1 } }
    return task.objects.copyPart(upload.path, upload.uploadId, number, source)
  }
  const bytes = await gather(task.objects, part.pieces, part.size, assembly.body ?? noBody)
  if (bytes === undefined) return changed
  return task.objects.uploadPart(upload.path, upload.uploadId, number, bytes)
}

/**
 * `changed` leaves the upload recorded: if the target alone changed, the next try completes it under the new
 * expectation; if the plan is another one then, `openUpload` aborts it. `no-upload` is `changed` too: the
 * engine looks whether a zombie, or an unanswered try of ours, has completed it. A voided upload (409) must
 * not be used again.
 */
const completeUpload = async (
  task: Task<unknown>,
  assembly: Assembly,
  upload: Upload,
  parts: readonly Part[],
  size: number,
): Promise<Assembled> => {
  const outcome = await task.objects.complete(upload.path, upload.uploadId, parts, assembly.expect)
  if (outcome.kind === 'done') return { ...outcome, size }
  if (outcome.kind === 'changed') return changed
  await dropUpload(task)
  if (outcome.kind !== 'bad-parts') return changed
  throw new Error(`complete of ${upload.path}: S3 refused parts that we had placed: ${outcome.reason}`)
}
