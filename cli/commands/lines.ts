import type { Command } from 'commander'
import type { LineDocument } from '#client/index.ts'
import { type JsonFlag, withJson } from '../flags.ts'
import { examplesFirst } from '../help.ts'
import { ageOf } from '../measures.ts'
import { printJson, printLine, table } from '../output.ts'
import { openLockstep } from '../session.ts'
import { titleOf } from '../texts.ts'

export const define = (command: Command): void => {
  examplesFirst(withJson(command), [
    ['lockstep lines', 'the files and named locks that are in use now'],
  ]).action(async ({ json }: JsonFlag) => {
    const lockstep = await openLockstep(command)
    const lines = await lockstep.lines()
    if (json === true) printJson({ lines })
    else printLine(textOf(lines))
  })
}

const textOf = (lines: readonly LineDocument[]): string => {
  if (lines.length === 0) return 'no file and no lock is in use'
  const now = Date.now()
  const rows = lines.map((line) => {
    const { holders, waiters } = line
    const oldest = holders[0] ?? waiters[0]
    const since = oldest === undefined ? '' : ageOf(oldest.since ?? oldest.submittedAt, now)
    return [String(holders.length), String(waiters.length), since, titleOf(line)]
  })
  return table(['HOLD', 'WAIT', 'SINCE', 'PATH'], rows)
}
