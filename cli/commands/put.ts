import { basename } from 'node:path'
import type { Command } from 'commander'
import type { Operation, OperationDocument } from '#client/index.ts'
import { invalid } from '#domain/errors.ts'
import { type ContentFlags, type WaitFlags, withContentOptions, withWait } from '../flags.ts'
import { exitCodeOf, followOne, reportUnsuccessful, waitFor } from '../follow.ts'
import { examplesFirst } from '../help.ts'
import { printJson, printLine } from '../output.ts'
import { submitContent } from '../submit-content.ts'
import { documentLine } from '../texts.ts'

export const define = (command: Command): void => {
  examplesFirst(withWait(withContentOptions(command)), [
    ['lockstep put backup.tar backups/today.tar --wait', 'one file'],
    ['lockstep put *.csv incoming/', 'several, each under its own name'],
    ['tar c . | lockstep put - backup.tar', 'a stream of unknown length'],
  ])
    .argument(
      '<FILE...>',
      'the files, and at the end the PATH in the bucket; a PATH with "/" at its end is a folder',
    )
    .usage('[options] FILE... PATH')
    .action(async (words: string[], flags: ContentFlags & WaitFlags) => {
      const targets = targetsOf(words)
      if (flags.id !== undefined && targets.length > 1)
        throw invalid('--id', flags.id, 'one file: each needs its own id')
      const operations: Operation<unknown>[] = []
      for (const target of targets) operations.push(await submitContent(command, 'write', target, flags))
      const [only, ...others] = operations
      if (only !== undefined && others.length === 0) await followOne(only, flags)
      else await followAll(operations, flags)
    })
}

/** Which file goes where: into a folder under its own name, or one file to exactly the path. */
export const targetsOf = (words: readonly string[]): { file: string; path: string }[] => {
  const files = words.slice(0, -1)
  const path = words.at(-1)
  if (files.length === 0 || path === undefined)
    throw invalid('PATH', undefined, 'at least one file and then a path')
  if (!path.endsWith('/')) {
    if (files.length > 1) throw invalid('PATH', path, 'a folder with "/" at its end, for several files')
    return files.map((file) => ({ file, path }))
  }
  return files.map((file) => {
    if (file === '-') throw invalid('PATH', path, 'the path of a file, since standard input has no name')
    return { file, path: path + basename(file) }
  })
}

const followAll = async (operations: readonly Operation<unknown>[], flags: WaitFlags): Promise<void> => {
  const waits = flags.wait === true || flags.timeout !== undefined
  const documents: OperationDocument[] = []
  for (const operation of operations) {
    const document = waits ? await waitFor(operation, flags) : operation.accepted
    documents.push(document)
    if (waits) process.exitCode = Math.max(Number(process.exitCode ?? 0), exitCodeOf(document))
    if (flags.json !== true)
      printLine(waits ? documentLine(document) : `${document.id}  ${String(document.args['path'])}`)
    if (waits) reportUnsuccessful(document)
  }
  if (flags.json === true) printJson({ operations: documents })
}
