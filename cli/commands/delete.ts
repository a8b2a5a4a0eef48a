import type { Command } from 'commander'
import { type SubmitFlags, type WaitFlags, withConditions, withWait } from '../flags.ts'
import { followOne } from '../follow.ts'
import { examplesFirst } from '../help.ts'
import { interruption } from '../interrupt.ts'
import { openLockstep } from '../session.ts'

export const define = (command: Command): void => {
  examplesFirst(withWait(withConditions(command)), [
    ['lockstep delete old.txt --wait', 'says whether it existed'],
    ['lockstep delete old.txt --if-match ETAG', 'only this version'],
  ])
    .argument('<PATH>', 'of the file in the bucket')
    .action(async (path: string, { id, ifMatch, ifNoneMatch, ...flags }: SubmitFlags & WaitFlags) => {
      const lockstep = await openLockstep(command)
      await followOne(
        await lockstep.delete(path, { id, ifMatch, ifNoneMatch, signal: interruption() }),
        flags,
      )
    })
}
