import type { Command } from 'commander'
import { examplesFirst } from '../help.ts'
import { defineTransfer } from '../transfer.ts'

export const define = (command: Command): void => {
  examplesFirst(command, [
    ['lockstep move in/a.csv done/a.csv --wait', 'once nobody else uses either'],
    ["lockstep move a.txt b.txt --if-none-match '*'", 'only if b.txt does not exist'],
  ])
  defineTransfer(command, 'move')
}
