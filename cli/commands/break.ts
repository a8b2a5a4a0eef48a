import { hostname, userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import type { LineDocument, LinePlace } from '#client/index.ts'
import { invalid } from '#domain/errors.ts'
import { type JsonFlag, type NameFlag, oneTarget, withJson } from '../flags.ts'
import { examplesFirst } from '../help.ts'
import { interruption } from '../interrupt.ts'
import { ageOf } from '../measures.ts'
import { note, printJson, printLine } from '../output.ts'
import { openLockstep } from '../session.ts'
import { documentLine, titleOf } from '../texts.ts'

interface BreakFlags extends JsonFlag, NameFlag {
  readonly yes?: boolean
  readonly reason?: string
}

export const define = (command: Command): void => {
  examplesFirst(withJson(command), [
    [
      'lockstep break notes/hello.txt --reason "its holder hangs"',
      'asks first; who broke it and why is recorded',
    ],
    ['lockstep break --name nightly --yes', 'without asking'],
  ])
    .argument('[PATH]', 'of the file')
    .option('--name <NAME>', 'a named lock instead of a file')
    .option('--reason <TEXT>', 'written into the record, and told to the holder')
    .option('--yes', 'do not ask')
    .action(async (path: string | undefined, { name, reason, yes, json }: BreakFlags) => {
      const target = oneTarget(path, name)
      const lockstep = await openLockstep(command)
      const line = await lockstep.line(target)
      const holds = line.holders.filter(({ kind }) => kind === 'hold')
      if (yes !== true && holds.length > 0 && !(await isConfirmed(line, holds))) return
      const broken = await lockstep.break(target, { by: `${userInfo().username}@${hostname()}`, reason })
      if (json === true) printJson({ broken })
      else if (broken.length === 0) printLine(`${titleOf(line)}: no lock to break`)
      else for (const document of broken) printLine(documentLine(document))
    })
}

const isConfirmed = async (line: LineDocument, holds: readonly LinePlace[]): Promise<boolean> => {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw invalid('--yes', undefined, '--yes, since there is no terminal to ask on')
  }
  const now = Date.now()
  for (const { id, mode, since, submittedAt } of holds) {
    note(`${titleOf(line)} is held (${mode}) by ${id} for ${ageOf(since ?? submittedAt, now)}`)
  }
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const question = 'Its holder may be at work, and loses it at its next call. Break it? [y/N] '
    return /^y(es)?$/i.test((await reader.question(question, { signal: interruption() })).trim())
  } finally {
    reader.close()
  }
}
