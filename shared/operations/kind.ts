import type * as z from 'zod/mini'
import type { ErrorDocument } from '#domain/errors.ts'
import type { LineUse } from '#domain/line.ts'
import type { ObjectVersion } from '#domain/operation.ts'
import type { ObjectHead } from '#ports/object-store.ts'
import type { Applied, Result, Seen, Task } from './task.ts'

/**
 * One kind of operation: its arguments, the lines it stands in, how it takes effect. Adding a kind = adding a file that
 * exports one of these, and a row in the registry (`registry.ts`).
 */
export type OperationKind<Args = Readonly<Record<string, unknown>>> = WorkingKind<Args> | HoldingKind<Args>

/** A kind that does something with files when its turn comes, and is done then. */
export type WorkingKind<Args = Readonly<Record<string, unknown>>> = ReadingKind<Args> | ChangingKind<Args>

/** By path: what an object was, or null for absent. */
export type Versions = Readonly<Record<string, ObjectVersion | null>>

interface KindBase<Args> {
  readonly kind: string
  /** Validates and types the arguments; strict, so that typos are refused. Content is not an argument. */
  readonly schema: z.ZodMiniType<Args>
  /**
   * Whether it takes content, and what becomes of content over 16 KiB: `parts` = the client fills a multipart upload on the
   * target that the operation completes (`upload` in the record); `staged` = an object under `.lockstep/staging/`.
   */
  readonly content: 'none' | 'parts' | 'staged'
  /** The lines it stands in; repeats of a line are merged by the engine to the stronger mode. */
  uses(args: Args): LineUse[]
  /** The objects that it reads or changes: observed after the grant; their versions are the base. */
  touches(args: Args): string[]
}

/** Does nothing but stand in its lines: held from its turn until it is released, broken, or its lease ends. */
export interface HoldingKind<Args> extends KindBase<Args> {
  readonly effect: 'hold'
  /** How long it lasts without a sign of its holder. */
  leaseMs(args: Args): number
  /** How long it may wait for its turn; undefined = as long as any operation. */
  timeoutMs(args: Args): number | undefined
}

/** Changes nothing: runs once per attempt, whatever happened to the attempts before it. */
export interface ReadingKind<Args> extends KindBase<Args> {
  readonly effect: 'read'
  run(task: Task<Args>, seen: Seen): Promise<Applied>
}

/**
 * Changes one target by compare-and-set, and may then delete one source (`move`). The engine owns the protocol around it:
 * takeover, clean 412 and rebase, unanswered tries, the recorded step before the delete.
 */
export interface ChangingKind<Args> extends KindBase<Args> {
  readonly effect: 'change'
  target(args: Args): string
  /** True if the effect leaves the target absent (`delete`), so that absence is no sign of an outsider. */
  readonly removesTarget?: true
  /** The source that is deleted once the target is there, at exactly the version that was copied. */
  retires?(args: Args): string
  /**
   * Why this cannot be done, judged on the versions seen under the lock (preconditions, missing sources, sizes). Pure. The
   * engine also asks it about the recorded base: an effect that the base forbade cannot have happened.
   */
  check(args: Args, seen: Versions): ErrorDocument | undefined
  /** One try: the change of the target, on condition that it is what `seen` says. */
  apply(task: Task<Args>, seen: Seen): Promise<Applied>
  /**
   * The result of an effect that is found there: by an earlier attempt or an unanswered try. `base` is what the first claim
   * (or the last rebase) saw; `found` is the target if it still carries our id, null if it has moved on since
   * (then the result leaves out the ETag and the engine adds `superseded: true`).
   */
  recovered(task: Task<Args>, base: Versions, found: ObjectHead | null): Result
}
