import type { Command } from 'commander'
import type { OperationDocument } from '#client/index.ts'
import { type JsonFlag, withJson } from '../flags.ts'
import { examplesFirst } from '../help.ts'
import { printJson, printLine, properties } from '../output.ts'
import { openLockstep } from '../session.ts'
import { pathsText, textOf } from '../texts.ts'

export const define = (command: Command): void => {
  examplesFirst(withJson(command), [
    ['lockstep show 01JD3K0Z8Q4V0J6S1W9X2Y3Z4A', 'and why it waits, if it does'],
  ])
    .argument('<ID>', 'of the operation, or the key that it was submitted under')
    .action(async (id: string, { json }: JsonFlag) => {
      const lockstep = await openLockstep(command)
      const document = await lockstep.show(id)
      if (json === true) printJson(document)
      else printLine(properties(propertiesOf(document)))
    })
}

const propertiesOf = (document: OperationDocument): Record<string, string> => {
  const { id, kind, status, result, error, waiting, progress, args: _args, ...times } = document
  const parts = {
    id,
    kind,
    paths: pathsText(document),
    status,
    ...times,
    ...(progress !== undefined && { progress: `${progress.done} of ${progress.total} ${progress.unit}` }),
    ...(waiting !== undefined && { waiting: waitingText(waiting) }),
    ...result,
    ...(error !== undefined && { error: `${error.code}: ${error.message}` }),
  }
  return Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, textOf(value)]))
}

const waitingText = (waiting: NonNullable<OperationDocument['waiting']>): string => {
  const { path, position, holder, heldSince } = waiting
  const since = heldSince === undefined ? '' : ` since ${heldSince}`
  return `for ${path}, ${position} before it; held by ${holder}${since}`
}
