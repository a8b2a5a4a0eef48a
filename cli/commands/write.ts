import type { Command } from 'commander'
import { type ContentFlags, type WaitFlags, withContentOptions, withWait } from '../flags.ts'
import { followOne } from '../follow.ts'
import { examplesFirst } from '../help.ts'
import { submitContent } from '../submit-content.ts'

export const define = (command: Command): void => {
  examplesFirst(withWait(withContentOptions(command)), [
    ['lockstep write notes/hello.txt hello.txt --wait', 'from a file'],
    ['echo hello | lockstep write notes/hello.txt', 'from standard input; prints the id'],
    ["lockstep write once.txt - --if-none-match '*' --wait < in", 'only if it does not exist'],
  ])
    .argument('<PATH>', 'of the file in the bucket')
    .argument('[FILE]', 'its content; "-" or nothing: standard input')
    .action(async (path: string, file: string | undefined, flags: ContentFlags & WaitFlags) => {
      await followOne(await submitContent(command, 'write', { path, file }, flags), flags)
    })
}
