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
 * Makes `to` a copy of `from`, then deletes `from` at exactly the version that was copied: the engine does
 * that, with a recorded step between. Replaces what is at `to`.
 */
export const move: ChangingKind<TransferArgs> = {
  kind: 'move',
  schema: transferSchema,
  content: 'none',
  effect: 'change',
  uses: (args) => [
    { line: lineOfPath(args.from), mode: 'write' },
    { line: lineOfPath(args.to), mode: 'write' },
  ],
  touches: (args) => [args.from, args.to],
  target: (args) => args.to,
  retires: (args) => args.from,
  check: checkTransfer,
  apply: applyTransfer,
  recovered: (task, base, found) => recoveredTransfer(task.args, base, found),
}
