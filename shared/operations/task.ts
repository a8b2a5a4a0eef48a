import type { ErrorDocument } from '#domain/errors.ts'
import type { OperationRecord, Progress, Work } from '#domain/operation.ts'
import type { Expect, Mark, ObjectHead, ObjectStore } from '#ports/object-store.ts'

/** By path: the objects as seen after the grant, and again after each clean 412. */
export type Seen = Readonly<Record<string, ObjectHead | null>>

export type Result = Readonly<Record<string, unknown>>

/** How one try of an effect ended. */
export type Applied =
  | { readonly kind: 'done'; readonly result: Result }
  /** A condition did not hold: somebody outside changed an object. The engine looks again, records it, and tries again. */
  | { readonly kind: 'changed' }
  /** It cannot be done (precondition, missing source, ...): nothing was changed. */
  | { readonly kind: 'failed'; readonly error: ErrorDocument }
  /** The time is up, or this belongs to the shards function: what was saved with `save` is continued in a later invocation. */
  | { readonly kind: 'later' }

/**
 * What a kind sees of the world while it takes effect. Everything is under the grant; `objects` is the port itself, whose
 * changes of visible objects are compare-and-set.
 */
export interface Task<Args = Readonly<Record<string, unknown>>> {
  readonly record: OperationRecord
  readonly args: Args
  readonly objects: ObjectStore
  /** Marks every object that this operation writes. */
  readonly mark: Mark
  /** Current state for the next attempt, as last saved. */
  readonly work: Work
  /** True in the shards function, where large work may run; in the worker it is handed over with `later`. */
  readonly large: boolean
  /** Aborts when the invocation must end. Pass it to what can take it. */
  readonly signal: AbortSignal
  /** True once a shard should save and let go (about 10 s), or the function's deadline is near. */
  timeIsUp(): boolean
  /** The bytes of `inline` and `item` content. Throws LockstepError `Internal` if the item never arrived. */
  body(): Promise<Uint8Array>
  /**
   * Records state for the next attempt, conditional on this attempt; also the moment when a requested cancel takes effect and
   * when a lost claim is noticed (it throws the engine's own signal for both: let it pass).
   */
  save(work: Work, progress?: Progress): Promise<void>
}

/** What the target must be for this try: the version seen, or absent. */
export const expectSeen = (seen: ObjectHead | null | undefined): Expect =>
  seen ? { etag: seen.etag } : 'absent'

export const doneWith = (result: Result): Applied => ({ kind: 'done', result })
