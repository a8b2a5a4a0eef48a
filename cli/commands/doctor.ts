import { styleText } from 'node:util'
import type { Command } from 'commander'
import { errorCatalogue } from '#domain/errors.ts'
import type { Check } from '../doctor/checks.ts'
import { exitCodes } from '../failure.ts'
import { type JsonFlag, withJson } from '../flags.ts'
import { examplesFirst } from '../help.ts'
import { printJson, printLine } from '../output.ts'
import { openLockstep } from '../session.ts'

export const define = (command: Command): void => {
  examplesFirst(withJson(command), [
    ['lockstep doctor', 'the deployment that the other commands would use'],
    ['lockstep doctor --stage prod', 'another one'],
  ]).action(async ({ json }: JsonFlag) => {
    const lockstep = await openLockstep(command)
    const { checkDeployment } = await import('../doctor/checks.ts')
    const checks: Check[] = []
    for await (const check of checkDeployment(lockstep)) {
      checks.push(check)
      if (json !== true) printLine(textOf(check))
    }
    const failed = checks.filter(({ state }) => state === 'failed')
    if (json === true) printJson({ ok: failed.length === 0, checks })
    process.exitCode = exitCodeOf(failed)
  })
}

/** 3 if it could not be reached, 1 if something else is wrong. */
const exitCodeOf = (failed: readonly Check[]): number => {
  const isReach = ({ code }: Check): boolean => code === 'Unreachable' || code === 'AccessDenied'
  if (failed.some(isReach)) return errorCatalogue.Unreachable.exitCode
  return failed.length > 0 ? exitCodes.failed : exitCodes.done
}

const marks = { ok: ['green', 'ok'], warning: ['yellow', 'warning'], failed: ['red', 'failed'] } as const

const textOf = ({ name, state, detail, remedy }: Check): string => {
  const [color, word] = marks[state]
  const mark = styleText(color, word.padEnd(7), { stream: process.stdout })
  const advice = remedy === undefined ? '' : `\n${' '.repeat(29)}${remedy}`
  return `${mark}  ${name.padEnd(18)}  ${detail}${advice}`
}
