import type { ByteRange } from '#ports/object-store.ts'
import type { Ports } from '#ports/ports.ts'
import { type DownloadOptions, download, type Pin, readRange } from './download.ts'
import { writeFileWhole } from './file-target.ts'
import type { LinkedReadResult } from './results.ts'

/** The content that stands in the result of a `read`; undefined if it is too large for that. */
const inlineContent = ({ body, bodyBase64 }: LinkedReadResult): Uint8Array | undefined => {
  if (body !== undefined) return Buffer.from(body, 'utf8')
  return bodyBase64 === undefined ? undefined : Buffer.from(bodyBase64, 'base64')
}

const pinOf = (path: string, { etag, size }: LinkedReadResult): Pin => ({ path, etag, size })

const rangeOf = ({ range, size }: LinkedReadResult): ByteRange => range ?? { start: 0, end: size - 1 }

/** What a `read` has seen, in order. */
export async function* bytesOfRead(
  ports: Ports,
  path: string,
  result: LinkedReadResult,
  options: { readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  const content = inlineContent(result)
  if (content !== undefined) yield content
  else yield* readRange(ports, pinOf(path, result), rangeOf(result), options)
}

/** Writes what a `read` has seen into a file on this machine, whole or not at all. */
export const saveRead = (
  ports: Ports,
  path: string,
  result: LinkedReadResult,
  file: string,
  options: DownloadOptions,
): Promise<void> => {
  const content = inlineContent(result)
  return writeFileWhole(file, async (sink) => {
    if (content !== undefined) await sink.write(content, 0)
    else await download(ports, pinOf(path, result), rangeOf(result), sink, options)
  })
}
