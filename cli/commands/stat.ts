import type { Command } from 'commander'
import { type SubmitFlags, type WaitFlags, withId, withTimeout } from '../flags.ts'
import { followOne } from '../follow.ts'
import { examplesFirst } from '../help.ts'
import { interruption } from '../interrupt.ts'
import { printLine, properties } from '../output.ts'
import { openLockstep } from '../session.ts'
import { textOf } from '../texts.ts'

export const define = (command: Command): void => {
  examplesFirst(withTimeout(withId(command)), [
    ['lockstep stat notes/hello.txt', 'after all that was submitted before'],
    ['lockstep stat notes/hello.txt --json', 'the operation, with the result in it'],
  ])
    .argument('<PATH>', 'of the file in the bucket')
    .option('--if-match <ETAG>', 'only if it is this version')
    .action(async (path: string, { id, ifMatch, ...flags }: SubmitFlags & WaitFlags) => {
      const lockstep = await openLockstep(command)
      const operation = await lockstep.stat(path, { id, ifMatch, signal: interruption() })
      await followOne(operation, { ...flags, always: true }, ({ result = {} }) => {
        const texts = Object.entries(result).map(([name, value]) => [name, textOf(value)] as const)
        printLine(properties({ path, ...Object.fromEntries(texts) }))
      })
    })
}
