import * as z from 'zod/mini'
import { limits } from '#domain/limits.ts'
import { lineOfPath } from '#domain/line.ts'
import type { ByteRange, ObjectHead } from '#ports/object-store.ts'
import { ifMatch, path, range } from './arguments.ts'
import { readPinned } from './gather.ts'
import { failedWith, headOf, invalidDocument, notFound, unmetMatch } from './judgement.ts'
import type { ReadingKind } from './kind.ts'
import { withEtag } from './result.ts'
import { type Applied, doneWith, type Task } from './task.ts'

const schema = z.strictObject({ path, range, ifMatch })

type ReadArgs = z.infer<typeof schema>

/**
 * What a read has seen under its grant. The content is exactly one of `body`, `bodyBase64` and `link`. `link:
 * true` says that it is more than 64 KiB: the record then pins the version, and whoever shows the result
 * signs a URL for it when asked (`ObjectStore.link(path, {etag, size, versionId})`), so that no URL expires
 * in a record.
 */
export interface ReadResult {
  /** Of the whole file, whatever the range. */
  readonly size: number
  readonly etag: string
  readonly versionId?: string
  /**
   * The bytes that the content is, if a range was asked for: cut to the file. With a link, to be sent as
   * `Range` header.
   */
  readonly range?: ByteRange
  /** The content, if it is valid UTF-8. */
  readonly body?: string
  readonly bodyBase64?: string
  readonly link?: true
}

/** A file that grows is read like any other: an `end` past its last byte means the last byte, as in HTTP. */
export const read: ReadingKind<ReadArgs> = {
  kind: 'read',
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
    if (args.range === undefined) return readRange(task, head)
    if (args.range.start >= head.size) {
      const expected = `less than the size of the file, ${head.size} bytes`
      return failedWith(invalidDocument('range.start', args.range.start, expected))
    }
    const end = Math.min(args.range.end ?? head.size, head.size - 1)
    return readRange(task, head, { start: args.range.start, end })
  },
}

const readRange = async (task: Task<ReadArgs>, head: ObjectHead, wanted?: ByteRange): Promise<Applied> => {
  const pinned = withEtag(head, { size: head.size, ...(wanted !== undefined && { range: wanted }) })
  const length = wanted === undefined ? head.size : wanted.end - wanted.start + 1
  if (length > limits.readBytes) return doneWith({ ...pinned, link: true })
  if (length === 0) return doneWith({ ...pinned, body: '' })
  const bytes = await readPinned(task.objects, task.args.path, head.etag, length, wanted)
  if (bytes === undefined) return { kind: 'changed' }
  return doneWith({ ...pinned, ...contentFields(bytes) })
}

/** A byte order mark is content: without `ignoreBOM` the decoder would take it away. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const contentFields = (bytes: Uint8Array): { body: string } | { bodyBase64: string } => {
  try {
    return { body: decoder.decode(bytes) }
  } catch {
    return { bodyBase64: Buffer.from(bytes).toString('base64') }
  }
}
