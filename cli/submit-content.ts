import type { Command } from 'commander'
import type { Operation } from '#client/index.ts'
import type { ContentFlags } from './flags.ts'
import { openInput } from './input.ts'
import { interruption } from './interrupt.ts'
import { openLockstep } from './session.ts'
import { uploadProgress } from './upload-progress.ts'

/** Submits a `write` or an `append` of a file of this machine, or of standard input. */
export const submitContent = async (
  command: Command,
  kind: 'write' | 'append',
  { path, file }: { readonly path: string; readonly file: string | undefined },
  { id, ifMatch, ifNoneMatch, contentType, metadata }: ContentFlags,
): Promise<Operation<unknown>> => {
  const lockstep = await openLockstep(command)
  const input = await openInput(file)
  const { end, ...progress } = uploadProgress(path, input)
  const options = { id, ifMatch, ifNoneMatch, contentType, metadata, ...progress, signal: interruption() }
  try {
    return await lockstep[kind](path, input.content, options)
  } finally {
    end()
  }
}
