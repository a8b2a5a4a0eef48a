import { limits } from '#domain/limits.ts'

const MIB = 1024 * 1024

/**
 * Large enough that S3's time per request does not matter, small enough that a few of them fit everywhere.
 */
const preferredPartBytes = 8 * MIB

/**
 * Parts of one upload that are on their way, and the one that is being filled: all the memory that an upload
 * takes.
 */
export const partBuffers = 4

/** Of an upload of `size` bytes: the preferred size, or more if that would take more parts than S3 allows. */
export const partBytesFor = (size: number = limits.fileBytes): number =>
  Math.max(preferredPartBytes, MIB * Math.ceil(size / limits.parts / MIB))

/**
 * A fixed number of buffers of one size, made when first needed and used again and again: memory stays
 * bounded however fast the source is, since whoever wants one waits until one is given back.
 */
export class PartBuffers {
  readonly #bytesEach: number
  readonly #free: Uint8Array[] = []
  readonly #waiting: ((buffer: Uint8Array) => void)[] = []
  #unmade: number

  constructor(count: number, bytesEach: number) {
    this.#unmade = count
    this.#bytesEach = bytesEach
  }

  take(): Promise<Uint8Array> {
    const free = this.#free.pop()
    if (free !== undefined) return Promise.resolve(free)
    if (this.#unmade === 0) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#unmade -= 1
    return Promise.resolve(Buffer.allocUnsafeSlow(this.#bytesEach))
  }

  give(buffer: Uint8Array): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free.push(buffer)
    else next(buffer)
  }
}

/** A filled buffer: `bytes` is the part of it that was filled. */
export interface FilledPart {
  readonly buffer: Uint8Array
  readonly bytes: Uint8Array
}

/**
 * Cuts a stream into parts that fill a buffer each, but for the last. Whoever takes a part gives its buffer
 * back.
 */
export async function* cutIntoParts(
  chunks: AsyncIterable<Uint8Array>,
  buffers: PartBuffers,
): AsyncGenerator<FilledPart> {
  let buffer: Uint8Array | undefined
  let filled = 0
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      buffer ??= await buffers.take()
      const taken = chunk.subarray(from, from + buffer.length - filled)
      buffer.set(taken, filled)
      filled += taken.length
      from += taken.length
      if (filled < buffer.length) continue
      yield { buffer, bytes: buffer }
      buffer = undefined
      filled = 0
    }
  }
  if (buffer !== undefined) yield { buffer, bytes: buffer.subarray(0, filled) }
}
