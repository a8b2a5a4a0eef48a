import { lineOfPath } from '#domain/line.ts'
import type { ChangingKind } from './kind.ts'
import {
  applyTransfer,
  checkTransfer,
  recoveredTransfer,
  type TransferArgs,
  transferSchema,
} from './transfer.ts'

/**
 * Makes `to` a copy of `from`, attributes included; replaces what is at `to`. Copies of one source run side
 * by side.
 */
export const copy: ChangingKind<TransferArgs> = {
  kind: 'copy',
  schema: transferSchema,
  content: 'none',
  effect: 'change',
  uses: (args) => [
    { line: lineOfPath(args.from), mode: 'read' },
    { line: lineOfPath(args.to), mode: 'write' },
  ],
  touches: (args) => [args.from, args.to],
  target: (args) => args.to,
  check: checkTransfer,
  apply: applyTransfer,
  recovered: (task, base, found) => recoveredTransfer(task.args, base, found),
}
