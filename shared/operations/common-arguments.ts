import * as z from 'zod/mini'
import { isOperationId } from '#domain/identifier.ts'
import { type LineUse, lineOfName } from '#domain/line.ts'
import { holdKind, type NamedLock } from '#domain/operation.ts'
import { lockName, mode, parseArguments } from './arguments.ts'

/** What every operation takes, whatever its kind. */
export interface CommonArguments {
  /** The id of the hold that it runs under. */
  readonly hold?: string
  /** Named locks that it takes together with its paths. */
  readonly locks?: readonly NamedLock[]
}

const schema = z.strictObject({
  hold: z.optional(
    z
      .string({ error: 'the id of a hold' })
      .check(z.refine(isOperationId, { error: 'the id of a hold (a ULID)' })),
  ),
  locks: z.optional(
    z.array(
      z.strictObject(
        { name: lockName, mode: z._default(mode, 'write') },
        { error: 'an object {name, mode}' },
      ),
      {
        error: 'a list of {name, mode}',
      },
    ),
  ),
})

/** A hold stands at no other hold's place: what runs under it would have no place of its own then. */
const schemaOfHold = z.strictObject({ locks: schema.shape.locks })

/** Throws LockstepError `InvalidArgument`. */
export const parseCommonArguments = (kind: string, given: Record<string, unknown>): CommonArguments => {
  const { hold, locks } =
    kind === holdKind
      ? { hold: undefined, ...parseArguments({ kind, schema: schemaOfHold }, given) }
      : parseArguments({ kind, schema }, given)
  return {
    ...(hold !== undefined && { hold }),
    ...(locks !== undefined && locks.length > 0 && { locks }),
  }
}

export const usesOfLocks = (locks: readonly NamedLock[] = []): LineUse[] =>
  locks.map((lock) => ({ line: lineOfName(lock.name), mode: lock.mode }))
