import type { Command } from 'commander'
import { countOf, type JsonFlag, withJson } from '../flags.ts'
import { examplesFirst } from '../help.ts'
import { interruption } from '../interrupt.ts'
import { printJson, printLine } from '../output.ts'
import { openLockstep } from '../session.ts'

interface LsFlags extends JsonFlag {
  readonly delimiter?: string
  readonly limit?: number
}

const sizeColumn = 13

export const define = (command: Command): void => {
  examplesFirst(withJson(command, 'print one JSON document a line'), [
    ['lockstep ls', 'every file'],
    ['lockstep ls logs/ --delimiter /', 'like a directory'],
  ])
    .argument('[PREFIX]', 'beginning of the paths', '')
    .option('--delimiter <TEXT>', 'cut paths after it')
    .option('--limit <COUNT>', 'at most this many', countOf('--limit'))
    .action(async (prefix: string, { json, delimiter, limit }: LsFlags) => {
      const lockstep = await openLockstep(command)
      for await (const entry of lockstep.ls(prefix, { delimiter, limit, signal: interruption() })) {
        if (json === true) printJson(entry)
        else if ('prefix' in entry) printLine(`${' '.repeat(20)}  ${' '.repeat(sizeColumn)}  ${entry.prefix}`)
        else
          printLine(
            `${entry.lastModified.slice(0, 19)}Z  ${String(entry.size).padStart(sizeColumn)}  ${entry.path}`,
          )
      }
    })
}
