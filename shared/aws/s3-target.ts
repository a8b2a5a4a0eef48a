import type { ObjectVersion } from '#domain/operation.ts'
import type { Expect } from '#ports/object-store.ts'
import type { Clients } from './clients.ts'
import { type Ask, codeOf, statusOf } from './faults.ts'
import type { Insistence } from './insisting.ts'

/** The files bucket, and what it takes to call S3 about it. */
export interface S3Target {
  readonly clients: Clients
  readonly bucket: string
  readonly world: Insistence
  readonly ask: Ask
}

/** The condition on the target of a change, as headers. */
export const conditionOf = (expect: Expect): { IfMatch: string } | { IfNoneMatch: '*' } =>
  expect === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: expect.etag }

/** No such object; a missing bucket or upload is another matter. An answer to HEAD has no code. */
export const isAbsent = (error: unknown): boolean => {
  const code = codeOf(error)
  return code === 'NoSuchKey' || code === 'NotFound' || code === 'NoSuchVersion'
}

/**
 * A condition did not hold. S3 answers 404 where a condition names an ETag and there is nothing to have one.
 */
export const isMissed = (error: unknown): boolean =>
  statusOf(error) === 412 || codeOf(error) === 'PreconditionFailed' || isAbsent(error)

/** It was completed or aborted before. */
export const isNoUpload = (error: unknown): boolean => codeOf(error) === 'NoSuchUpload'

/** A key in a `x-amz-copy-source` header: percent-encoded, except for its slashes. */
export const copySourceOf = (bucket: string, key: string): string =>
  `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`

/**
 * A version id pins a version, except for `null`: that of a bucket without versions, which the next write
 * replaces.
 */
export const versionIdOf = (versionId: string | undefined): Pick<ObjectVersion, 'versionId'> =>
  versionId === undefined || versionId === 'null' ? {} : { versionId }
