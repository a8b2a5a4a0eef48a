import type { Assembled } from './assemble.ts'
import { type Applied, doneWith, type Result } from './task.ts'

/** A version of a file as results name it. */
interface Version {
  readonly etag: string
  readonly versionId?: string
}

/**
 * `fields` with the version of the file written: none if it has moved on since, version id only in versioned
 * buckets.
 */
export const withEtag = (version: Version | null, fields: Result): Result => ({
  ...(version !== null && { etag: version.etag }),
  ...(version?.versionId !== undefined && { versionId: version.versionId }),
  ...fields,
})

/** How an assembly ended, as the end of a try. */
export const resultOf = (assembled: Assembled, fields: Result = {}): Applied =>
  assembled.kind === 'done' ? doneWith(withEtag(assembled, { ...fields, size: assembled.size })) : assembled
