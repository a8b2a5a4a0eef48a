import { LockstepError, show } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import { retrying } from '#engine/retry.ts'
import type { Mark, ObjectAttributes, Part } from '#ports/object-store.ts'
import type { Ports } from '#ports/ports.ts'
import { cutIntoParts, PartBuffers, partBuffers, partBytesFor } from './part-buffers.ts'

/** Content on its way to S3, around every function. */
export interface Outgoing {
  readonly chunks: AsyncIterable<Uint8Array>
  /** If known beforehand. */
  readonly size?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Told the bytes sent so far, after each part. */
  readonly onSent?: ((bytes: number) => void) | undefined
}

/** A multipart upload that is filled, and not yet completed. */
export interface FilledUpload {
  readonly uploadId: string
  readonly parts: readonly Part[]
  readonly size: number
}

/** A part is repeated while its fault may pass, this long at most. */
const partPatienceMs = 60_000

/** For calls that are safe to repeat. */
export const patience = (ports: Ports, signal: AbortSignal | undefined) =>
  ({ until: ports.clock.now() + partPatienceMs, unanswered: true, signal }) as const

/**
 * Creates a multipart upload at `path` and fills it, several parts at a time, in bounded memory. The upload
 * is aborted if anything fails. Throws LockstepError `TooLarge`, `UploadVoided`; PortFault; the signal's
 * reason.
 */
export const fillUpload = async (
  ports: Ports,
  path: string,
  target: { readonly attributes: ObjectAttributes; readonly mark: Mark },
  outgoing: Outgoing,
): Promise<FilledUpload> => {
  refuseTooLarge(outgoing.size ?? 0)
  const uploadId = await ports.objects.createUpload(path, target.attributes, target.mark)
  try {
    const parts = await sendParts(ports, path, uploadId, outgoing)
    return { uploadId, parts, size: parts.reduce((sum, part) => sum + part.size, 0) }
  } catch (error) {
    await ports.objects.abort(path, uploadId)
    throw error
  }
}

/** Ends only when no part is on its way any more: an abort before that would leave late parts behind. */
const sendParts = async (
  ports: Ports,
  path: string,
  uploadId: string,
  outgoing: Outgoing,
): Promise<Part[]> => {
  const buffers = new PartBuffers(partBuffers, partBytesFor(outgoing.size))
  const sending = new Set<Promise<void>>()
  const parts: Part[] = []
  const failures: unknown[] = []
  let sent = 0
  let size = 0
  const send = async (number: number, bytes: Uint8Array): Promise<void> => {
    parts.push(await sendPart(ports, path, uploadId, { number, bytes, signal: outgoing.signal }))
    sent += bytes.length
    outgoing.onSent?.(sent)
  }
  try {
    let number = 0
    for await (const { buffer, bytes } of cutIntoParts(outgoing.chunks, buffers)) {
      outgoing.signal?.throwIfAborted()
      if (failures.length > 0) break
      size += bytes.length
      refuseTooLarge(size)
      number += 1
      const sentPart = send(number, bytes)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => {
          sending.delete(sentPart)
          buffers.give(buffer)
        })
      sending.add(sentPart)
    }
  } finally {
    await Promise.all(sending)
  }
  if (failures.length > 0) throw failures[0]
  return parts.sort((a, b) => a.number - b.number)
}

const sendPart = async (
  ports: Ports,
  path: string,
  uploadId: string,
  part: { readonly number: number; readonly bytes: Uint8Array; readonly signal: AbortSignal | undefined },
): Promise<Part> => {
  const outcome = await retrying(ports, patience(ports, part.signal), () =>
    ports.objects.uploadPart(path, uploadId, part.number, part.bytes),
  )
  if (outcome.kind === 'done') return { number: part.number, etag: outcome.etag, size: part.bytes.length }
  throw new LockstepError(
    'UploadVoided',
    `The upload for ${show(path)} was ended by somebody else while it was filled. ` +
      'Nothing was written: upload it again.',
    { details: { path } },
  )
}

const refuseTooLarge = (size: number): void => {
  if (size <= limits.fileBytes) return
  throw new LockstepError(
    'TooLarge',
    `content: got ${size} bytes or more, expected at most ${limits.fileBytes}.`,
    {
      details: { field: 'content', limitBytes: limits.fileBytes, gotBytes: size },
    },
  )
}
