import type { Command } from 'commander'
import type { OperationDocument, SubmitOutcome } from '#client/index.ts'
import { exitCodes } from '../failure.ts'
import { type WaitFlags, withWait } from '../flags.ts'
import { exitCodeOf, waitFor } from '../follow.ts'
import { examplesFirst } from '../help.ts'
import { openInput } from '../input.ts'
import { interruption } from '../interrupt.ts'
import { type ManifestLine, readManifest } from '../manifest.ts'
import { note, printJson, printLine, strongError } from '../output.ts'
import { openLockstep } from '../session.ts'
import { documentLine } from '../texts.ts'

export const define = (command: Command): void => {
  examplesFirst(withWait(command), [
    ['lockstep run nightly.jsonl --wait', 'nothing is submitted if a line is wrong'],
    [`echo '{"kind":"copy","from":"a","to":"b"}' | lockstep run -`, 'from standard input'],
  ])
    .argument('<MANIFEST>', 'a file with one operation a line, as JSON; "-": standard input')
    .action(async (manifest: string, flags: WaitFlags) => {
      const { content } = await openInput(manifest)
      const lines = await readManifest(content)
      const lockstep = await openLockstep(command)
      const requests = lines.map(({ request }) => request)
      const outcomes = await lockstep.submitAll(requests, { signal: interruption() })
      process.exitCode = await report(lines, outcomes, flags)
    })
}

/** One row per line of the manifest, in its order; 1 if any was refused or failed. */
const report = async (
  lines: readonly ManifestLine[],
  outcomes: readonly SubmitOutcome[],
  flags: WaitFlags,
): Promise<number> => {
  const waits = flags.wait === true || flags.timeout !== undefined
  const until = flags.timeout === undefined ? undefined : Date.now() + flags.timeout
  let exitCode: number = exitCodes.done
  for (const [index, outcome] of outcomes.entries()) {
    const line = lines[index]?.line ?? index + 1
    if (outcome.kind === 'refused') {
      exitCode = exitCodes.failed
      if (flags.json === true) printJson({ line, error: outcome.error.toDocument() })
      else note(`${strongError(`line ${line}:`)} ${outcome.error.code}: ${outcome.error.message}`)
      continue
    }
    const left = until === undefined ? undefined : Math.max(until - Date.now(), 0)
    const { operation } = outcome
    const document = waits ? await waitFor(operation, { timeout: left }) : operation.accepted
    if (waits) exitCode = Math.max(exitCode, exitCodeOf(document))
    printRow(line, document, { ...flags, wait: waits })
  }
  return exitCode
}

const printRow = (line: number, document: OperationDocument, flags: WaitFlags): void => {
  const { id, error } = document
  const reason = error === undefined ? '' : `: ${error.code}: ${error.message}`
  if (flags.json === true) printJson({ line, ...document })
  else printLine(flags.wait === true ? `${documentLine(document)}${reason}` : id)
}
