import { type ErrorDocument, invalid, LockstepError, show } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import type { ObjectVersion } from '#domain/operation.ts'
import type { Versions } from './kind.ts'
import type { Applied } from './task.ts'

/**
 * What is said about files that are not as an operation needs them. All judged on what is seen under the
 * lock.
 */

export const failedWith = (error: ErrorDocument): Applied => ({ kind: 'failed', error })

/**
 * What `path` was when it was seen, null if absent. Not to have looked at all is a fault of ours, never an
 * absence.
 */
export const headOf = <Version>(
  seen: Readonly<Record<string, Version | null>>,
  path: string,
): Version | null => {
  const head = Object.hasOwn(seen, path) ? seen[path] : undefined
  if (head === undefined)
    throw new Error(`${show(path)} was not looked at: it is missing in touches() of its kind`)
  return head
}

/** Bytes of the file as seen; 0 if absent. */
export const sizeIn = (seen: Versions, path: string): number => headOf(seen, path)?.size ?? 0

export const notFound = (path: string): ErrorDocument =>
  new LockstepError('NotFound', `${show(path)} does not exist.`, { details: { path } }).toDocument()

/** `TooLarge` if the file has (a source), or would have (a target), more bytes than we take. */
export const tooLargeIf = (
  path: string,
  size: number,
  verb: 'has' | 'would have' = 'would have',
): ErrorDocument | undefined => {
  if (size <= limits.fileBytes) return undefined
  const message = `${show(path)} ${verb} ${size} bytes, expected at most ${limits.fileBytes}.`
  return new LockstepError('TooLarge', message, {
    details: { path, size, limit: limits.fileBytes },
  }).toDocument()
}

export const invalidDocument = (field: string, got: unknown, expected: string): ErrorDocument =>
  invalid(field, got, expected).toDocument()

/** What the target must satisfy; ETags in quotes, `*` as in HTTP. */
export interface Conditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

const unmet = (
  path: string,
  argument: string,
  expected: string,
  head: ObjectVersion | null,
): ErrorDocument => {
  const actual = head === null ? 'absent' : head.etag
  const is = head === null ? 'does not exist' : `has the ETag ${head.etag}`
  return new LockstepError('PreconditionFailed', `${argument}: ${show(path)} ${is}, expected ${expected}.`, {
    details: { path, argument, expected, actual },
  }).toDocument()
}

/**
 * `argument` names the condition in the message: `ifMatch`, or `fromIfMatch` for the source of a transfer.
 */
export const unmetMatch = (
  path: string,
  head: ObjectVersion | null,
  etag: string | undefined,
  argument = 'ifMatch',
): ErrorDocument | undefined => {
  if (etag === undefined) return undefined
  const holds = head !== null && (etag === '*' || head.etag === etag)
  return holds ? undefined : unmet(path, argument, etag === '*' ? 'an existing file' : etag, head)
}

const unmetNoneMatch = (
  path: string,
  head: ObjectVersion | null,
  etag: string | undefined,
): ErrorDocument | undefined => {
  if (etag === undefined || head === null) return undefined
  const holds = etag !== '*' && head.etag !== etag
  return holds
    ? undefined
    : unmet(path, 'ifNoneMatch', etag === '*' ? 'no file' : `any other version than ${etag}`, head)
}

/** The condition that `path` does not meet, or undefined. */
export const unmetCondition = (
  seen: Versions,
  path: string,
  conditions: Conditions,
): ErrorDocument | undefined => {
  const head = headOf(seen, path)
  return unmetMatch(path, head, conditions.ifMatch) ?? unmetNoneMatch(path, head, conditions.ifNoneMatch)
}

/** Why `path` cannot be a source: it is missing, larger than we take, or not the version asked for. */
export const unfitSource = (
  seen: Versions,
  path: string,
  etag?: string,
  argument = 'fromIfMatch',
): ErrorDocument | undefined => {
  const head = headOf(seen, path)
  if (head === null) return notFound(path)
  return unmetMatch(path, head, etag, argument) ?? tooLargeIf(path, head.size, 'has')
}
