import type { Command } from 'commander'
import type { LineDocument } from '#client/index.ts'
import { type JsonFlag, type NameFlag, oneTarget, withJson } from '../flags.ts'
import { examplesFirst } from '../help.ts'
import { ageOf } from '../measures.ts'
import { printJson, printLine, table } from '../output.ts'
import { openLockstep } from '../session.ts'
import { titleOf } from '../texts.ts'

export const define = (command: Command): void => {
  examplesFirst(withJson(command), [
    ['lockstep line notes/hello.txt', 'in the order in which they have their turn'],
    ['lockstep line --name orders', 'of a named lock'],
  ])
    .argument('[PATH]', 'of the file')
    .option('--name <NAME>', 'a named lock instead of a file')
    .action(async (path: string | undefined, { json, name }: JsonFlag & NameFlag) => {
      const target = oneTarget(path, name)
      const lockstep = await openLockstep(command)
      const line = await lockstep.line(target)
      if (json === true) printJson(line)
      else printLine(textOf(line))
    })
}

const textOf = (line: LineDocument): string => {
  const { holders, waiters } = line
  if (holders.length + waiters.length === 0) return `${titleOf(line)}: nobody holds it, nobody waits`
  const now = Date.now()
  const rows = [...holders, ...waiters].map((place, index) => [
    index < holders.length ? 'holds' : 'waits',
    ageOf(index < holders.length && place.since !== undefined ? place.since : place.submittedAt, now),
    place.mode,
    place.kind,
    place.status,
    place.id,
  ])
  return table(['', 'SINCE', 'MODE', 'KIND', 'STATUS', 'ID'], rows)
}
