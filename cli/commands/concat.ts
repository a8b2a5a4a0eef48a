import type { Command } from 'commander'
import { invalid } from '#domain/errors.ts'
import { type SubmitFlags, type WaitFlags, withConditions, withWait } from '../flags.ts'
import { followOne } from '../follow.ts'
import { examplesFirst } from '../help.ts'
import { interruption } from '../interrupt.ts'
import { openLockstep } from '../session.ts'

export const define = (command: Command): void => {
  examplesFirst(withWait(withConditions(command)), [
    ['lockstep concat a.log b.log all.log --wait', 'all.log is a.log and then b.log'],
    ['lockstep concat all.log new.log all.log', 'adds new.log to all.log'],
  ])
    .argument('<FROM...>', 'the sources in order, and at the end the path TO that they become')
    .usage('[options] FROM... TO')
    .action(async (paths: string[], { id, ifMatch, ifNoneMatch, ...flags }: SubmitFlags & WaitFlags) => {
      const to = paths.at(-1)
      if (paths.length < 2 || to === undefined)
        throw invalid('TO', undefined, 'at least one source and then the target')
      const lockstep = await openLockstep(command)
      const options = { id, ifMatch, ifNoneMatch, signal: interruption() }
      await followOne(await lockstep.concat(paths.slice(0, -1), to, options), flags)
    })
}
