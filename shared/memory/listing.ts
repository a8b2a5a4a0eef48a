import type { Listing } from '#ports/object-store.ts'
import type { Bucket } from './bucket.ts'

/** S3 gives at most this many files and prefixes together on a page. */
const pageItems = 1000

/** S3 lists in the order of UTF-8 bytes, which is not the order of JavaScript's UTF-16 strings. */
export const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

type Item = { readonly key: string; readonly isPrefix: boolean }

/**
 * One page. The cursor is the last file or prefix told: a position, so that changes in between do no harm.
 */
export const pageOfListing = (
  bucket: Bucket,
  prefix: string,
  options: { delimiter?: string; limit?: number; cursor?: string },
): Listing => {
  const limit = Math.min(options.limit ?? pageItems, pageItems)
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`list: got limit ${limit}, expected at least 1`)
  const { cursor } = options
  const items = itemsUnder(bucket.paths(), prefix, options.delimiter)
    .sort((a, b) => compareBytes(a.key, b.key))
    .filter((item) => cursor === undefined || compareBytes(item.key, cursor) > 0)
  const page = items.slice(0, limit)
  const last = page.at(-1)
  return {
    files: page.flatMap(({ key, isPrefix }) => {
      const object = isPrefix ? undefined : bucket.get(key)
      if (object === undefined) return []
      return [{ path: key, size: object.bytes.length, etag: object.etag, lastModified: object.lastModified }]
    }),
    prefixes: page.filter((item) => item.isPrefix).map((item) => item.key),
    ...(last !== undefined && items.length > limit && { cursor: last.key }),
  }
}

const itemsUnder = (paths: readonly string[], prefix: string, delimiter: string | undefined): Item[] => {
  const files: Item[] = []
  const prefixes = new Set<string>()
  for (const path of paths) {
    if (!path.startsWith(prefix)) continue
    const cut = delimiter === undefined ? -1 : path.indexOf(delimiter, prefix.length)
    if (delimiter === undefined || cut < 0) files.push({ key: path, isPrefix: false })
    else prefixes.add(path.slice(0, cut + delimiter.length))
  }
  return [...files, ...[...prefixes].map((key) => ({ key, isPrefix: true }))]
}
