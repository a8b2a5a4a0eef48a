import type { Command } from 'commander'
import { type JsonFlag, withJson } from '../flags.ts'
import { examplesFirst } from '../help.ts'
import { interruption } from '../interrupt.ts'
import type { LocalStatus } from '../local/environment.ts'
import { printJson, printLine, properties } from '../output.ts'
import { progressLine } from '../progress.ts'

export const define = (command: Command): void => {
  examplesFirst(command, [
    ['lockstep local up', 'install, start and deploy what is not yet'],
    ['lockstep local status --json', 'endpoint, bucket, queue'],
    ['lockstep local reset', 'stop it, and delete all that is stored in it'],
  ])
  for (const [name, what] of Object.entries(actions)) {
    withJson(command.command(name).description(what)).action(async ({ json }: JsonFlag) => {
      const status = await perform(name as keyof typeof actions)
      if (json === true) printJson(status)
      else printLine(textOf(status))
    })
  }
}

const actions = {
  up: 'install, start and deploy what is not installed, running and deployed',
  down: 'stop it; what is stored stays',
  status: 'tell whether it is up, and where',
  reset: 'stop it, and delete all that is stored in it',
} as const

const perform = async (action: keyof typeof actions): Promise<LocalStatus> => {
  const { LocalEnvironment } = await import('../local/environment.ts')
  const line = progressLine()
  const onProgress = (message: string): void => line.show(`${message} ...`)
  const environment = new LocalEnvironment({ signal: interruption(), onProgress })
  try {
    if (action !== 'status') await environment[action]()
    return await environment.status()
  } finally {
    line.end()
  }
}

const textOf = (status: LocalStatus): string =>
  properties(
    Object.fromEntries(
      Object.entries(status).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])),
    ),
  )
