import { open, rename, rm, stat } from 'node:fs/promises'
import type { Sink } from './download.ts'

/**
 * Lets `fill` write a file on this machine, which appears under its name only when all of it is there: what
 * fails leaves what was there before. Something that is no regular file (a device, a pipe) is written to
 * directly.
 */
export const writeFileWhole = async (file: string, fill: (sink: Sink) => Promise<void>): Promise<void> => {
  if (await isSpecial(file)) return writeTo(file, 'w', fill)
  const draft = `${file}.${process.pid}.part`
  try {
    await writeTo(draft, 'wx', fill)
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

const isSpecial = async (file: string): Promise<boolean> => {
  try {
    return !(await stat(file)).isFile()
  } catch {
    return false
  }
}

const writeTo = async (
  file: string,
  flags: 'w' | 'wx',
  fill: (sink: Sink) => Promise<void>,
): Promise<void> => {
  const handle = await open(file, flags)
  try {
    await fill({ write: (bytes, position) => writeAll(handle, bytes, position) })
  } finally {
    await handle.close()
  }
}

/** A write may take less than it was given. */
const writeAll = async (
  handle: Awaited<ReturnType<typeof open>>,
  bytes: Uint8Array,
  position: number,
): Promise<void> => {
  for (let from = 0; from < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, from, bytes.length - from, position + from)
    from += bytesWritten
  }
}
