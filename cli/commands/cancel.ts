import type { Command } from 'commander'
import { type JsonFlag, withJson } from '../flags.ts'
import { examplesFirst } from '../help.ts'
import { printJson, printLine } from '../output.ts'
import { openLockstep } from '../session.ts'
import { documentLine } from '../texts.ts'

export const define = (command: Command): void => {
  examplesFirst(withJson(command), [
    ['lockstep cancel 01JD3K0Z8Q4V0J6S1W9X2Y3Z4A', 'ends it if it waits, asks it to stop if it runs'],
  ])
    .argument('<ID>', 'of the operation')
    .action(async (id: string, { json }: JsonFlag) => {
      const lockstep = await openLockstep(command)
      const document = await lockstep.cancel(id)
      if (json === true) printJson(document)
      else if (document.status === 'running')
        printLine(`${document.kind} ${id} is running: it was asked to stop at its next step`)
      else printLine(documentLine(document))
    })
}
