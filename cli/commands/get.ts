import type { Command } from 'commander'
import type { LinkedReadResult } from '#client/index.ts'
import { type SubmitFlags, type WaitFlags, withId, withTimeout } from '../flags.ts'
import { exitCodeOf, reportUnsuccessful, waitFor } from '../follow.ts'
import { examplesFirst } from '../help.ts'
import { interruption } from '../interrupt.ts'
import { sizeText } from '../measures.ts'
import { note, printBytes, printJson } from '../output.ts'
import { saveTo } from '../save.ts'
import { openLockstep } from '../session.ts'

export const define = (command: Command): void => {
  examplesFirst(withTimeout(withId(command)), [
    ['lockstep get backups/today.tar today.tar', 'whole or not at all'],
    ['lockstep get backups/today.tar - | tar t', 'to standard output'],
  ])
    .argument('<PATH>', 'of the file in the bucket')
    .argument('<FILE>', 'where to put it; a directory, or "-" for standard output')
    .option('--if-match <ETAG>', 'only if it is this version')
    .action(async (path: string, file: string, { id, ifMatch, ...flags }: SubmitFlags & WaitFlags) => {
      const lockstep = await openLockstep(command)
      const operation = await lockstep.read(path, { id, ifMatch, signal: interruption() })
      const document = await waitFor(operation, flags)
      process.exitCode = exitCodeOf(document)
      if (document.status === 'succeeded') {
        const result = document.result as unknown as LinkedReadResult
        if (file !== '-') await saveTo(lockstep, path, result, file)
        else if (flags.json !== true)
          await printBytes(lockstep.bytes(path, result, { signal: interruption() }))
        if (flags.json !== true && process.stderr.isTTY) note(`${path}: ${sizeText(result.size)}`)
      }
      if (flags.json === true) printJson(document)
      reportUnsuccessful(document)
    })
}
