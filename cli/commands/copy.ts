import type { Command } from 'commander'
import { examplesFirst } from '../help.ts'
import { defineTransfer } from '../transfer.ts'

export const define = (command: Command): void => {
  examplesFirst(command, [
    ['lockstep copy a.txt b.txt --wait', 'with its type and metadata'],
    ["lockstep copy a.txt b.txt --if-none-match '*'", 'only if b.txt does not exist'],
  ])
  defineTransfer(command, 'copy')
}
