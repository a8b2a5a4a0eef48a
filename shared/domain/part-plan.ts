import { limits } from './limits.ts'

/**
 * How a file is put together from pieces of others without moving more bytes than S3's rules force: every
 * part but the last has at least 5 MiB, so small pieces are gathered in memory with just enough of their
 * neighbours; all else is copied on the server's side. Pure arithmetic: nothing here reads a byte.
 *
 *   segments   [a 3 MiB][b 9 MiB                ][c 1 KiB]
 *   parts      [gather: a + 2 MiB of b][copy: 7 MiB of b][copy: c, whole]
 */

/** What the file consists of, in order. */
export type Segment =
  /** A whole object at one version. */
  | { readonly kind: 'object'; readonly path: string; readonly etag: string; readonly size: number }
  /** Bytes that are in memory already. At most one segment of a list. */
  | { readonly kind: 'body'; readonly size: number }

/** A run of bytes of one segment. `start` counts from the beginning of the segment. */
export type Piece = Segment & {
  readonly start: number
  /** Bytes of this piece; the segment's own size is `of`. */
  readonly size: number
  readonly of: number
}

export type ObjectPiece = Extract<Piece, { kind: 'object' }>

export type PlannedPart =
  /** Server-side copy of a range; of the whole object (then without a range) if `size` = `of`. */
  | { readonly kind: 'copy'; readonly source: ObjectPiece; readonly size: number }
  /** Read into memory and uploaded: always less than {@link gatherMaxBytes}. */
  | { readonly kind: 'gather'; readonly pieces: readonly Piece[]; readonly size: number }

export type Plan =
  /** Small enough for one PutObject; no piece if the file is empty. */
  | { readonly kind: 'put'; readonly pieces: readonly Piece[]; readonly size: number }
  | { readonly kind: 'parts'; readonly parts: readonly PlannedPart[]; readonly size: number }

/** Exclusive bound of what one put or one gathered part holds in memory. */
export const gatherMaxBytes = 2 * limits.partMinBytes

/** AWS advises 64 to 128 MiB for copies that run side by side; such a copy takes about a second. */
export const preferredCopyBytes = 64 * 1024 * 1024

/**
 * Each segment adds at most two parts to those of its size, so this many can never reach S3's limit on parts.
 */
export const maxSegments = 1000

/** S3's limit on an object. */
export const maxPlanBytes = 5 * 1024 ** 4

/**
 * Throws RangeError beyond {@link maxSegments} or {@link maxPlanBytes}: callers refuse such requests before.
 */
export const planParts = (segments: readonly Segment[]): Plan => {
  const pieces = segments.filter((segment) => segment.size > 0).map(wholeOf)
  const size = sizeOf(pieces)
  if (pieces.length > maxSegments)
    throw new RangeError(`${pieces.length} segments, at most ${maxSegments} can be planned`)
  if (size > maxPlanBytes) throw new RangeError(`${size} bytes, at most ${maxPlanBytes} can be planned`)
  const allSmall = pieces.every((piece) => piece.size < limits.partMinBytes)
  if (allSmall && size < gatherMaxBytes) return { kind: 'put', pieces, size }
  const parts = cut(pieces, copyBytesFor(size, pieces.length))
  const [only, ...others] = parts
  if (only?.kind === 'gather' && others.length === 0) return { kind: 'put', pieces: only.pieces, size }
  return { kind: 'parts', parts, size }
}

const wholeOf = (segment: Segment): Piece => ({ ...segment, start: 0, of: segment.size })

const sizeOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, piece) => sum + piece.size, 0)

/** The preferred size, or more if that would take more parts than S3 allows. */
const copyBytesFor = (size: number, segments: number): number =>
  Math.max(preferredCopyBytes, Math.ceil(size / (limits.parts - 2 * segments)))

const gatherOf = (pieces: readonly Piece[]): PlannedPart => ({ kind: 'gather', pieces, size: sizeOf(pieces) })

/**
 * One pass with a carry: pieces that are waiting, always less than a smallest part together. A segment that
 * follows a carry fills it up; if less than a smallest part would be left of the segment, the carry takes it
 * whole (so it stays below {@link gatherMaxBytes}).
 */
const cut = (pieces: readonly Piece[], copyBytes: number): PlannedPart[] => {
  const parts: PlannedPart[] = []
  let carry: Piece[] = []
  for (const piece of pieces) {
    const missing = carry.length === 0 ? 0 : limits.partMinBytes - sizeOf(carry)
    const taken = piece.size - missing < limits.partMinBytes ? piece.size : missing
    if (taken > 0) carry.push(sliceOf(piece, 0, taken))
    if (sizeOf(carry) >= limits.partMinBytes) {
      parts.push(gatherOf(carry))
      carry = []
    }
    if (taken < piece.size) parts.push(...cutLong(sliceOf(piece, taken, piece.size - taken), copyBytes))
  }
  if (carry.length > 0) parts.push(lastOf(carry))
  return parts
}

/** `piece` has at least the size of a smallest part: equal cuts, so that none is smaller than that. */
const cutLong = (piece: Piece, copyBytes: number): PlannedPart[] => {
  const most = piece.kind === 'object' ? copyBytes : gatherMaxBytes - 1
  const count = Math.ceil(piece.size / most)
  return Array.from({ length: count }, (_, index) => {
    const start = Math.floor((piece.size * index) / count)
    const end = Math.floor((piece.size * (index + 1)) / count)
    const slice = sliceOf(piece, start, end - start)
    return slice.kind === 'object' ? copyOf(slice) : gatherOf([slice])
  })
}

const copyOf = (source: ObjectPiece): PlannedPart => ({ kind: 'copy', source, size: source.size })

/**
 * The last part may be of any size; a lone piece is a whole segment here, and S3 copies whole objects of any
 * size.
 */
const lastOf = (carry: readonly Piece[]): PlannedPart => {
  const [only, ...others] = carry
  return only?.kind === 'object' && others.length === 0 ? copyOf(only) : gatherOf(carry)
}

const sliceOf = (piece: Piece, start: number, size: number): Piece => ({
  ...piece,
  start: piece.start + start,
  size,
})
