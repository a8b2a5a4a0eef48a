import { LockstepError, show } from '#domain/errors.ts'
import { retrying } from '#engine/retry.ts'
import { isPortFault } from '#ports/faults.ts'
import type { ByteRange } from '#ports/object-store.ts'
import type { Ports } from '#ports/ports.ts'

/** One version of a file, as a `read` has seen it under its grant. */
export interface Pin {
  readonly path: string
  readonly etag: string
  /** Of the whole file. */
  readonly size: number
}

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined
  /** Told the bytes received so far. */
  readonly onReceived?: ((bytes: number) => void) | undefined
}

/** Connections of a parallel download. */
const rangesAtOnce = 4

/**
 * One GET: a sixteenth, so that all connections end at about the same time, but no more GETs than that is
 * worth.
 */
const rangeBytesFor = (total: number): number => Math.max(Math.ceil(total / 16), 8 * 1024 * 1024)

/** GETs that may break off one after another without a byte received, before the download is given up. */
const brokenTries = 5
const patienceMs = 60_000

/**
 * The bytes of `range`, in order, as they were in the pinned version. Goes on where a connection broke off.
 * Throws LockstepError `PreconditionFailed` if the file is another one by now; PortFault; the signal's
 * reason.
 */
export async function* readRange(
  ports: Ports,
  pin: Pin,
  range: ByteRange,
  options: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  let { start } = range
  for (let broken = 0; start <= range.end; ) {
    try {
      for await (const chunk of await open(ports, pin, { start, end: range.end }, options.signal)) {
        options.signal?.throwIfAborted()
        if (chunk.length > range.end - start + 1) throw wrongSize(pin)
        start += chunk.length
        if (chunk.length > 0) broken = 0
        yield chunk
      }
      if (start <= range.end) broken += 1
    } catch (error) {
      if (!isPortFault(error) || error.fault !== 'unanswered') throw error
      broken += 1
      if (broken >= brokenTries) throw error
    }
    if (broken >= brokenTries) throw wrongSize(pin)
  }
}

const open = async (
  ports: Ports,
  pin: Pin,
  range: ByteRange,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> => {
  signal?.throwIfAborted()
  const patience = { until: ports.clock.now() + patienceMs, unanswered: true, signal }
  const outcome = await retrying(ports, patience, () =>
    ports.objects.get(pin.path, { etag: pin.etag, range }),
  )
  if (outcome.kind !== 'found') throw changed(pin, outcome.kind)
  if (outcome.size !== pin.size) throw wrongSize(pin)
  return outcome.bytes
}

/** Where the bytes of a download go; positions count from the start of the download. */
export interface Sink {
  write(bytes: Uint8Array, position: number): Promise<unknown>
}

/** Fetches `range` in parallel pieces, each written as it comes: no piece is ever whole in memory. */
export const download = async (
  ports: Ports,
  pin: Pin,
  range: ByteRange,
  sink: Sink,
  options: DownloadOptions = {},
): Promise<void> => {
  const rangeBytes = rangeBytesFor(range.end - range.start + 1)
  let next = range.start
  let received = 0
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, ...(options.signal === undefined ? [] : [options.signal])])
  const fetchPieces = async (): Promise<void> => {
    while (next <= range.end) {
      const piece = { start: next, end: Math.min(next + rangeBytes - 1, range.end) }
      next = piece.end + 1
      let position = piece.start - range.start
      for await (const chunk of readRange(ports, pin, piece, { signal })) {
        await sink.write(chunk, position)
        position += chunk.length
        received += chunk.length
        options.onReceived?.(received)
      }
    }
  }
  const fetchers = Array.from({ length: rangesAtOnce }, () =>
    fetchPieces().catch((error: unknown) => {
      // One that fails ends the others; all have ended before the caller closes what they write to.
      stop.abort(error)
      throw error
    }),
  )
  const failed = (await Promise.allSettled(fetchers)).find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined)
    throw options.signal?.aborted === true ? options.signal.reason : (stop.signal.reason as Error)
}

const changed = ({ path, etag }: Pin, found: 'changed' | 'absent'): LockstepError =>
  new LockstepError(
    'PreconditionFailed',
    `${show(path)} was ${found === 'absent' ? 'deleted' : 'replaced'} while it was read. ` +
      'Nothing was kept; read it again.',
    { details: { path, expected: etag } },
  )

const wrongSize = ({ path, size }: Pin): LockstepError =>
  new LockstepError(
    'Internal',
    `${show(path)}: what came is not the ${size} bytes expected. Read it again.`,
    {
      details: { path, size },
    },
  )
