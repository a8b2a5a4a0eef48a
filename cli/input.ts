import { type FileHandle, open } from 'node:fs/promises'
import type { FileContent } from '#client/index.ts'
import { invalid, LockstepError } from '#domain/errors.ts'
import { fileChunks, standardInputChunks } from './standard-input.ts'

/** Content that a command was given, and its size if that is known. */
export interface Input {
  readonly content: FileContent
  readonly size?: number
}

/**
 * `-` and nothing mean standard input; nothing on a terminal is a mistake, since nobody would know what it
 * waits for.
 */
export const openInput = async (file: string | undefined): Promise<Input> => {
  if (file === '-') return { content: standardInputChunks() }
  if (file !== undefined) return openFile(file)
  if (process.stdin.isTTY) throw invalid('FILE', undefined, 'a file, or "-" for standard input')
  return { content: standardInputChunks() }
}

const openFile = async (file: string): Promise<Input> => {
  const handle = await open(file).catch((error: unknown) => {
    throw unreadable(file, error)
  })
  const stats = await handle.stat()
  if (stats.isDirectory()) {
    await handle.close()
    throw invalid('FILE', file, 'a file, and this is a directory')
  }
  const content = chunksOf(handle)
  return stats.isFile() ? { content, size: stats.size } : { content }
}

/** In pieces through one buffer; closed however it ends. */
async function* chunksOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  try {
    yield* fileChunks((buffer) => handle.read(buffer, 0, buffer.length, null))
  } finally {
    await handle.close()
  }
}

export const unreadable = (file: string, error: unknown): LockstepError => {
  const why = error instanceof Error ? error.message : String(error)
  return new LockstepError(
    'InvalidArgument',
    `FILE: got ${JSON.stringify(file)}, which cannot be read (${why}).`,
    {
      details: { field: 'FILE', file },
      cause: error,
    },
  )
}
