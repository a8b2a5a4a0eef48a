import type { Command } from 'commander'
import type { OperationDocument, Status } from '#client/index.ts'
import { invalid } from '#domain/errors.ts'
import { statuses } from '#domain/operation.ts'
import { parsePath } from '#domain/path.ts'
import { countOf, type JsonFlag, withJson } from '../flags.ts'
import { examplesFirst } from '../help.ts'
import { printJson, printLine, table } from '../output.ts'
import { openLockstep } from '../session.ts'
import { pathsText } from '../texts.ts'

interface ListFlags extends JsonFlag {
  readonly path?: string
  readonly status?: Status
  readonly limit: number
}

const defaultLimit = 100

export const define = (command: Command): void => {
  examplesFirst(withJson(command, 'print one JSON document a line'), [
    ['lockstep list', 'open operations, then finished ones of the last days'],
    ['lockstep list --status failed --json', 'for other programs'],
    ['lockstep list --path notes/hello.txt', 'those that use this file'],
  ])
    .option('--path <PATH>', 'only those that use this file', (text) => parsePath(text, '--path'))
    .option('--status <STATUS>', `only these: ${statuses.join(', ')}`, parseStatus)
    .option('--limit <COUNT>', 'at most this many', countOf('--limit'), defaultLimit)
    .action(async ({ json, path, status, limit }: ListFlags) => {
      const lockstep = await openLockstep(command)
      const options = { limit, ...(path !== undefined && { path }), ...(status !== undefined && { status }) }
      const rows: string[][] = []
      for await (const document of lockstep.list(options)) {
        if (json === true) printJson(document)
        else rows.push(rowOf(document))
      }
      if (json !== true) printLine(table(['ID', 'KIND', 'STATUS', 'SUBMITTED', 'PATHS'], rows))
    })
}

const rowOf = (document: OperationDocument): string[] => [
  document.id,
  document.kind,
  document.status,
  document.submittedAt,
  pathsText(document),
]

const parseStatus = (text: string): Status => {
  const status = statuses.find((known) => known === text)
  if (status === undefined) throw invalid('--status', text, `one of ${statuses.join(', ')}`)
  return status
}
