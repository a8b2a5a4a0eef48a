import * as z from 'zod/mini'
import { limits } from '#domain/limits.ts'
import { lineOfName, lineOfPath } from '#domain/line.ts'
import { holdKind } from '#domain/operation.ts'
import { lockName, mode, path } from './arguments.ts'
import type { HoldingKind } from './kind.ts'

const milliseconds = (least: number, most: number) => {
  const expected = `a whole number of milliseconds from ${least} to ${most}`
  return z
    .int({ error: expected })
    .check(z.minimum(least, { error: expected }), z.maximum(most, { error: expected }))
}

/** Tokens are told by path or name, so no text may be both. */
const areTellable = z.check<{ paths?: string[] | undefined; names?: string[] | undefined }>(
  ({ value: { paths = [], names = [] }, issues }) => {
    if (paths.length + names.length === 0) {
      issues.push({ code: 'custom', input: paths, path: ['paths'], message: 'at least one path or name' })
    }
    const index = names.findIndex((name) => paths.includes(name))
    if (index < 0) return
    const message = 'another name than a path that is held too'
    issues.push({ code: 'custom', input: names[index], path: ['names', index], message })
  },
)

const schema = z
  .strictObject({
    paths: z.optional(z.array(path, { error: 'a list of paths' })),
    names: z.optional(z.array(lockName, { error: 'a list of names' })),
    mode: z._default(mode, 'write'),
    leaseMs: z.optional(milliseconds(limits.holdLeaseMinMs, limits.holdLeaseMaxMs)),
    timeoutMs: z.optional(milliseconds(0, limits.operationLifeMs)),
  })
  .check(areTellable)

type HoldArgs = z.infer<typeof schema>

/**
 * A lock held by a client: it stands in its lines like any operation, and from its turn on until it is
 * released, broken, or its lease ends. Its tickets are its fencing tokens.
 */
export const hold: HoldingKind<HoldArgs> = {
  kind: holdKind,
  schema,
  content: 'none',
  effect: 'hold',
  uses: ({ paths = [], names = [], mode: held }) =>
    [...paths.map(lineOfPath), ...names.map(lineOfName)].map((line) => ({ line, mode: held })),
  touches: () => [],
  leaseMs: ({ leaseMs }) => leaseMs ?? limits.holdLeaseMs,
  timeoutMs: ({ timeoutMs }) => timeoutMs,
}
