import type { Command } from 'commander'
import { type ContentFlags, type WaitFlags, withContentOptions, withWait } from '../flags.ts'
import { followOne } from '../follow.ts'
import { examplesFirst } from '../help.ts'
import { submitContent } from '../submit-content.ts'

export const define = (command: Command): void => {
  examplesFirst(withWait(withContentOptions(command)), [
    ['lockstep append logs/today.txt part.txt --wait', 'from a file'],
    ['echo hello | lockstep append logs/today.txt', 'from standard input; prints the id'],
  ])
    .argument('<PATH>', 'of the file in the bucket')
    .argument('[FILE]', 'what to add; "-" or nothing: standard input')
    .action(async (path: string, file: string | undefined, flags: ContentFlags & WaitFlags) => {
      await followOne(await submitContent(command, 'append', { path, file }, flags), flags)
    })
}
