import { invalid } from '#domain/errors.ts'
import { abortable } from './abortable.ts'

/**
 * What a file is made of: text (as UTF-8), bytes, or a stream of either (`fs.createReadStream`, a web stream,
 * a generator). A stream is asked for more only when what it gave was used, so it may fill one buffer again
 * and again.
 */
export type FileContent = string | Uint8Array | AsyncIterable<string | Uint8Array>

/** Content after a look at its beginning. */
export type Measured =
  | { readonly kind: 'small'; readonly bytes: Uint8Array }
  /** `size` if it is known beforehand. */
  | { readonly kind: 'large'; readonly chunks: AsyncIterable<Uint8Array>; readonly size?: number }

/** `small` if it has at most `limitBytes`; a stream is read no further than that takes. */
export const measure = async (
  content: FileContent,
  limitBytes: number,
  signal?: AbortSignal,
): Promise<Measured> => {
  if (typeof content === 'string' || content instanceof Uint8Array) {
    const bytes = bytesOf(content)
    if (bytes.byteLength <= limitBytes) return { kind: 'small', bytes }
    return { kind: 'large', chunks: once(bytes), size: bytes.byteLength }
  }
  if (typeof content?.[Symbol.asyncIterator] !== 'function') {
    throw invalid('content', content, 'text, a Uint8Array, or an async iterable of them (a stream)')
  }
  return measureStream(abortable(content, signal), limitBytes)
}

const measureStream = async (
  content: AsyncIterable<string | Uint8Array>,
  limitBytes: number,
): Promise<Measured> => {
  const source = content[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let size = 0
  while (size <= limitBytes) {
    const next = await source.next()
    if (next.done === true) return { kind: 'small', bytes: Buffer.concat(head) }
    const chunk = bytesOf(next.value)
    // A copy: the source may use its buffer again.
    head.push(Buffer.from(chunk))
    size += chunk.byteLength
  }
  return { kind: 'large', chunks: resumed(head, source) }
}

const bytesOf = (chunk: unknown): Uint8Array => {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk !== 'string') throw invalid('content', chunk, 'text or a Uint8Array')
  if (!chunk.isWellFormed())
    throw invalid('content', chunk, 'well-formed Unicode; give other content as bytes')
  return Buffer.from(chunk, 'utf8')
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Closes the source however it ends, so that a failed upload leaves no file open. */
async function* resumed(
  head: Uint8Array[],
  source: AsyncIterator<string | Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    // Taken out one by one, so that each can be freed once it was used.
    for (let chunk = head.shift(); chunk !== undefined; chunk = head.shift()) yield chunk
    for (let next = await source.next(); next.done !== true; next = await source.next())
      yield bytesOf(next.value)
  } finally {
    await source.return?.()
  }
}
