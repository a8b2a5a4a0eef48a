import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { LinkedReadResult, Lockstep } from '#client/index.ts'
import { interruption } from './interrupt.ts'
import { progressLine } from './progress.ts'
import { transferText } from './upload-progress.ts'

/** Writes what a `read` has seen into a file, or under its own name into a directory. */
export const saveTo = async (
  lockstep: Lockstep,
  path: string,
  result: LinkedReadResult,
  file: string,
): Promise<void> => {
  const target =
    statSync(file, { throwIfNoEntry: false })?.isDirectory() === true ? join(file, basename(path)) : file
  const { range, size } = result
  const total = range === undefined ? size : range.end - range.start + 1
  const line = progressLine()
  try {
    await lockstep.save(path, result, target, {
      signal: interruption(),
      onReceived: (received) => line.show(transferText(path, received, total)),
    })
  } finally {
    line.end()
  }
}
