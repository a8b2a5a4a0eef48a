import type { Command } from 'commander'
import { type SubmitFlags, type WaitFlags, withConditions, withWait } from './flags.ts'
import { followOne } from './follow.ts'
import { interruption } from './interrupt.ts'
import { openLockstep } from './session.ts'

interface TransferFlags extends SubmitFlags, WaitFlags {
  readonly fromIfMatch?: string
}

/** `copy` and `move` differ in name only, to those who type them. */
export const defineTransfer = (command: Command, kind: 'copy' | 'move'): void => {
  withWait(withConditions(command))
    .argument('<FROM>', 'the file')
    .argument('<TO>', 'the path that it gets; what is there is replaced')
    .option('--from-if-match <ETAG>', 'only if FROM is this version')
    .action(
      async (
        from: string,
        to: string,
        { id, ifMatch, ifNoneMatch, fromIfMatch, ...flags }: TransferFlags,
      ) => {
        const lockstep = await openLockstep(command)
        const options = { id, ifMatch, ifNoneMatch, fromIfMatch, signal: interruption() }
        await followOne(await lockstep[kind](from, to, options), flags)
      },
    )
}
