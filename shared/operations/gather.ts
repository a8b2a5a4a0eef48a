import pLimit from 'p-limit'
import type { Piece } from '#domain/part-plan.ts'
import type { ByteRange, ObjectStore } from '#ports/object-store.ts'

/** Reads that run side by side while a part of many small pieces is gathered. */
const readsAtOnce = 8

/** What `body` pieces are cut from; empty if the plan has none. */
export const noBody = new Uint8Array()

/**
 * The bytes of `pieces` one after another; undefined if a source is no longer the version that was planned
 * with.
 */
export const gather = async (
  objects: ObjectStore,
  pieces: readonly Piece[],
  size: number,
  body: Uint8Array,
): Promise<Uint8Array | undefined> => {
  const bytes = new Uint8Array(size)
  const limit = pLimit(readsAtOnce)
  let position = 0
  const reads = pieces.map((piece) => {
    const into = bytes.subarray(position, position + piece.size)
    position += piece.size
    return limit(() => fill(objects, piece, into, body))
  })
  const filled = await Promise.all(reads)
  return filled.every(Boolean) ? bytes : undefined
}

const fill = async (
  objects: ObjectStore,
  piece: Piece,
  into: Uint8Array,
  body: Uint8Array,
): Promise<boolean> => {
  if (piece.kind === 'body') {
    into.set(body.subarray(piece.start, piece.start + piece.size))
    return true
  }
  const range =
    piece.size === piece.of ? undefined : { start: piece.start, end: piece.start + piece.size - 1 }
  const bytes = await readPinned(objects, piece.path, piece.etag, piece.size, range)
  if (bytes !== undefined) into.set(bytes)
  return bytes !== undefined
}

/**
 * `size` bytes of exactly the version `etag`; undefined if the object has changed or is gone. A stream that
 * is shorter or longer than announced is a fault, never content.
 */
export const readPinned = async (
  objects: ObjectStore,
  path: string,
  etag: string,
  size: number,
  range?: ByteRange,
): Promise<Uint8Array | undefined> => {
  const outcome = await objects.get(path, range === undefined ? { etag } : { etag, range })
  if (outcome.kind !== 'found') return undefined
  const bytes = new Uint8Array(size)
  let position = 0
  for await (const chunk of outcome.bytes) {
    if (position + chunk.length > size)
      throw new Error(`read of ${path}: more than the ${size} bytes expected`)
    bytes.set(chunk, position)
    position += chunk.length
  }
  if (position < size) throw new Error(`read of ${path}: ended after ${position} of ${size} bytes`)
  return bytes
}
