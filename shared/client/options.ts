import type { Mode } from '#domain/line.ts'
import type { AcceptOptions } from './accept.ts'

/** What every operation takes. */
export interface OperationOptions {
  /**
   * A ULID, or any text of 1 to 128 visible characters: the same id with the same request is the same
   * operation.
   */
  readonly id?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Runs under this hold of yours, on what it holds. */
  readonly hold?: string | undefined
  /** Named locks to be taken together with the paths. */
  readonly locks?: readonly { readonly name: string; readonly mode?: Mode | undefined }[] | undefined
}

/**
 * What the file must be when the operation takes effect, judged under the lock. `*`: it exists, or does not.
 */
export interface ConditionOptions extends OperationOptions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

export interface ContentOptions extends ConditionOptions, AcceptOptions {
  readonly contentType?: string | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

export interface MoveOptions extends ConditionOptions {
  readonly fromIfMatch?: string | undefined
}

export interface ReadOptions extends OperationOptions {
  /** Bytes `start` to `end`, both inclusive. */
  readonly range?: { readonly start: number; readonly end?: number | undefined } | undefined
  readonly ifMatch?: string | undefined
}
