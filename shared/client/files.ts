import { invalid } from '#domain/errors.ts'
import { internalPrefix } from '#domain/path.ts'
import type { Ports } from '#ports/ports.ts'

export interface ListFilesOptions {
  /** Paths are cut after it: what shares the beginning is one `prefix` entry. `/` lists like a directory. */
  readonly delimiter?: string | undefined
  /** At most this many entries. Default: all. */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type FileEntry =
  | {
      readonly path: string
      readonly size: number
      readonly etag: string
      /** ISO 8601. */
      readonly lastModified: string
    }
  | { readonly prefix: string }

/** Of S3. */
const pageSize = 1000

/** The files under a prefix, page by page, without those of Lockstep itself. */
export async function* listFiles(
  ports: Ports,
  prefix: string,
  options: ListFilesOptions,
): AsyncGenerator<FileEntry> {
  if (prefix.startsWith('/')) throw invalid('prefix', prefix, 'no leading "/": paths have none')
  const { delimiter, limit = Number.POSITIVE_INFINITY, signal } = options
  let left = limit
  let cursor: string | undefined
  do {
    signal?.throwIfAborted()
    const page = await ports.objects.list(prefix, {
      ...(delimiter !== undefined && { delimiter }),
      ...(cursor !== undefined && { cursor }),
      limit: pageSize,
    })
    for (const entry of entriesOf(page)) {
      if (left <= 0) return
      left -= 1
      yield entry
    }
    cursor = page.cursor
  } while (cursor !== undefined)
}

const entriesOf = (page: Awaited<ReturnType<Ports['objects']['list']>>): FileEntry[] => {
  const prefixes = page.prefixes.filter((prefix) => prefix !== internalPrefix).map((prefix) => ({ prefix }))
  const files = page.files
    .filter(({ path }) => !path.startsWith(internalPrefix))
    .map((file) => ({ ...file, lastModified: new Date(file.lastModified).toISOString() }))
  return [...prefixes, ...files]
}
