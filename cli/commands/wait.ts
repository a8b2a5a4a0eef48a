import type { Command } from 'commander'
import type { OperationDocument } from '#client/index.ts'
import { type WaitFlags, withTimeout } from '../flags.ts'
import { exitCodeOf, reportUnsuccessful, waitFor } from '../follow.ts'
import { examplesFirst } from '../help.ts'
import { printJson, printLine } from '../output.ts'
import { openLockstep } from '../session.ts'
import { documentLine } from '../texts.ts'

export const define = (command: Command): void => {
  examplesFirst(withTimeout(command), [
    ['lockstep wait 01JD3K0Z8Q4V0J6S1W9X2Y3Z4A', 'exit 1 if it failed'],
    ['lockstep wait ID ID ID --timeout 2m', 'all of them, 2 minutes in all'],
  ])
    .argument('<ID...>', 'of the operations')
    .action(async (ids: string[], { json, timeout }: WaitFlags) => {
      const lockstep = await openLockstep(command)
      let until: number | undefined
      const documents: OperationDocument[] = []
      // One after another: while the first is waited for, the others end too, and cost one look each.
      for (const id of ids) {
        const operation = await lockstep.operation(id)
        // From the first look on: what finding the deployment takes is not the operation's time.
        if (timeout !== undefined) until ??= Date.now() + timeout
        const left = until === undefined ? undefined : Math.max(until - Date.now(), 0)
        const document = await waitFor(operation, { timeout: left })
        documents.push(document)
        if (json !== true) printLine(documentLine(document))
        reportUnsuccessful(document)
      }
      process.exitCode = Math.max(...documents.map(exitCodeOf))
      if (json === true) printJson(documents.length === 1 ? documents[0] : { operations: documents })
    })
}
