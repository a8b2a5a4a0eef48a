import type { Command } from 'commander'
import type { LineDocument } from '#client/index.ts'
import { type JsonFlag, withJson } from '../flags.ts'
import { examplesFirst } from '../help.ts'
import { ageOf } from '../measures.ts'
import { printJson, printLine, table } from '../output.ts'
import { openLockstep } from '../session.ts'

export const define = (command: Command): void => {
  examplesFirst(withJson(command), [
    ['lockstep line notes/hello.txt', 'in the order in which they have their turn'],
  ])
    .argument('<PATH>', 'of the file')
    .action(async (path: string, { json }: JsonFlag) => {
      const lockstep = await openLockstep(command)
      const line = await lockstep.line(path)
      if (json === true) printJson(line)
      else printLine(textOf(line))
    })
}

const textOf = ({ path, holders, waiters }: LineDocument): string => {
  if (holders.length + waiters.length === 0) return `${path}: nobody holds it, nobody waits`
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
