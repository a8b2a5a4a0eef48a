import type { Command } from 'commander'
import type { LinkedReadResult, Lockstep, OperationDocument } from '#client/index.ts'
import { invalid } from '#domain/errors.ts'
import { type SubmitFlags, type WaitFlags, withId, withTimeout } from '../flags.ts'
import { exitCodeOf, reportUnsuccessful, waitFor } from '../follow.ts'
import { examplesFirst } from '../help.ts'
import { interruption } from '../interrupt.ts'
import { printBytes, printJson } from '../output.ts'
import { saveTo } from '../save.ts'
import { openLockstep } from '../session.ts'

interface ReadFlags extends SubmitFlags, WaitFlags {
  readonly output?: string
  readonly range?: { readonly start: number; readonly end?: number }
}

export const define = (command: Command): void => {
  examplesFirst(withTimeout(withId(command)), [
    ['lockstep read notes/hello.txt', 'to standard output'],
    ['lockstep read backup.tar -o backup.tar', 'into a file'],
    ['lockstep read big.log --range 0-999', 'the first 1,000 bytes'],
  ])
    .argument('<PATH>', 'of the file in the bucket')
    .option('-o, --output <FILE>', 'write it to this file')
    .option('--range <START-END>', 'only these bytes, both inclusive, from 0', parseRange)
    .option('--if-match <ETAG>', 'only if it is this version')
    .action(async (path: string, { id, ifMatch, range, ...flags }: ReadFlags) => {
      const lockstep = await openLockstep(command)
      const operation = await lockstep.read(path, { id, ifMatch, range, signal: interruption() })
      const document = await waitFor(operation, flags)
      process.exitCode = exitCodeOf(document)
      if (document.status === 'succeeded') await deliver(lockstep, path, document, flags)
      if (flags.json === true) printJson(document)
      reportUnsuccessful(document)
    })
}

/** Content to where it was asked for; with `--json` standard output is the document's. */
const deliver = async (
  lockstep: Lockstep,
  path: string,
  document: OperationDocument,
  { output, json }: ReadFlags,
): Promise<void> => {
  const result = document.result as unknown as LinkedReadResult
  if (output !== undefined && output !== '-') return saveTo(lockstep, path, result, output)
  if (json !== true) await printBytes(lockstep.bytes(path, result, { signal: interruption() }))
}

/** `0-99`, or `100-` for all from there. */
export const parseRange = (text: string): { start: number; end?: number } => {
  const [, start, end] = /^(\d{1,15})-(\d{1,15})?$/.exec(text) ?? []
  if (start === undefined) throw invalid('--range', text, 'START-END in bytes, both inclusive, or START-')
  return { start: Number(start), ...(end !== undefined && { end: Number(end) }) }
}
