import { fstatSync, read } from 'node:fs'
import { Socket } from 'node:net'
import { promisify } from 'node:util'

const standardInput = 0
const chunkBytes = 1024 * 1024

/**
 * Standard input through one buffer, which the client has emptied when it asks for more. `process.stdin`
 * makes a buffer for each chunk, and a gigabyte of those takes 50 MB before they are collected.
 */
export const standardInputChunks = (): AsyncIterable<Uint8Array> => {
  const kind = kindOfInput()
  if (kind === 'pipe') return pipeChunks()
  if (kind === 'file') return fileChunks((buffer) => readFrom(standardInput, buffer, 0, buffer.length, null))
  return process.stdin
}

const readFrom = promisify(read)

const kindOfInput = (): 'file' | 'pipe' | 'other' => {
  try {
    const stats = fstatSync(standardInput)
    if (stats.isFile()) return 'file'
    return stats.isFIFO() || stats.isSocket() ? 'pipe' : 'other'
  } catch {
    // It is closed; `process.stdin` knows how to be empty.
    return 'other'
  }
}

/** What `fill` reads into one buffer again and again, until it reads nothing. */
export async function* fileChunks(
  fill: (buffer: Buffer) => Promise<{ readonly bytesRead: number }>,
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(chunkBytes)
  for (;;) {
    const { bytesRead } = await fill(buffer)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** A pipe is never read by a thread: a read that waits could not be ended by Ctrl-C. */
async function* pipeChunks(): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(chunkBytes)
  let arrival = newArrival()
  const callback = (bytes: number): boolean => {
    arrival.resolve(bytes)
    // Paused, until what came was used.
    return false
  }
  const socket = new Socket({ fd: standardInput, writable: false, onread: { buffer, callback } })
  socket.on('end', () => arrival.resolve(0))
  socket.on('error', (error) => arrival.reject(error))
  try {
    for (;;) {
      socket.resume()
      const bytes = await arrival.promise
      if (bytes === 0) return
      arrival = newArrival()
      yield buffer.subarray(0, bytes)
    }
  } finally {
    socket.destroy()
  }
}

const newArrival = (): PromiseWithResolvers<number> => {
  const arrival = Promise.withResolvers<number>()
  // It may fail while nobody waits for it: whoever waits next is told.
  arrival.promise.catch(() => undefined)
  return arrival
}
