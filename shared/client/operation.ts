import { errorCatalogue, LockstepError } from '#domain/errors.ts'
import type { OperationDocument, OperationRecord } from '#domain/operation.ts'
import { documentOf } from '#domain/operation.ts'
import type { WaitOptions } from './polling.ts'
import type { AnyResult } from './results.ts'

/** What an {@link Operation} does, given by the client that it came from. */
export interface OperationCalls {
  show(id: string): Promise<OperationDocument>
  wait(id: string, options: WaitOptions): Promise<OperationDocument>
  watch(id: string, options: WaitOptions): AsyncIterable<OperationDocument>
  cancel(id: string): Promise<OperationDocument>
}

/**
 * An operation that is durably accepted: it will reach a final state, whatever becomes of this process. It
 * costs nothing until it is asked for something.
 */
export class Operation<Result = AnyResult> {
  /** A ULID. Enough to come back to the operation from any process, for a week after its end. */
  readonly id: string
  readonly kind: string
  /** As it was accepted; {@link document} tells what has become of it since. */
  readonly accepted: OperationDocument
  readonly #calls: OperationCalls

  constructor(record: OperationRecord, calls: OperationCalls) {
    this.id = record.id
    this.kind = record.kind
    this.accepted = documentOf(record)
    this.#calls = calls
  }

  /**
   * Waits, and gives the result. Throws LockstepError: what the operation failed with, `Cancelled`, or
   * `Timeout` (it goes on then).
   */
  async result(options: WaitOptions = {}): Promise<Result> {
    const document = await this.wait(options)
    if (document.status === 'succeeded') return (document.result ?? {}) as Result
    throw failureOf(document)
  }

  /** Waits for the final state, and gives the document whatever that is. Throws only `Timeout` and faults. */
  wait(options: WaitOptions = {}): Promise<OperationDocument> {
    return this.#calls.wait(this.id, options)
  }

  /** What it looks like now. */
  document(): Promise<OperationDocument> {
    return this.#calls.show(this.id)
  }

  /** Its documents as they change, the final one last. */
  watch(options: WaitOptions = {}): AsyncIterable<OperationDocument> {
    return this.#calls.watch(this.id, options)
  }

  /** Ends it at once if it waits; asks it to stop at its next step if it runs. */
  cancel(): Promise<OperationDocument> {
    return this.#calls.cancel(this.id)
  }
}

const failureOf = ({ id, kind, status, error }: OperationDocument): LockstepError => {
  if (error === undefined)
    return new LockstepError('Internal', `The ${kind} ${id} is ${status} without a reason.`)
  // A code of a newer version than this client must not be lost in a lookup that fails.
  const code = Object.hasOwn(errorCatalogue, error.code) ? error.code : 'Internal'
  return new LockstepError(code, error.message, { details: { ...error.details, id } })
}
