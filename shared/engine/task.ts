import { LockstepError } from '#domain/errors.ts'
import type { OperationRecord, Progress, Work } from '#domain/operation.ts'
import type { Task } from '#operations/task.ts'
import type { Mark, ObjectStore } from '#ports/object-store.ts'
import type { Amendment } from '#ports/operation-store.ts'
import type { Ports } from '#ports/ports.ts'
import { retrying } from './retry.ts'

/** Thrown when the claim is no longer ours: the attempt stops at once and gives its message back. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost'
}

/** Thrown at the next step after somebody asked to cancel. */
export class CancelAsked extends Error {
  override readonly name = 'CancelAsked'
}

export interface Limits {
  /** Epoch ms at which the platform kills the sandbox. */
  readonly deadline: number
  /** Epoch ms at which a shard saves and lets go. */
  readonly pauseAt: number
  readonly large: boolean
  readonly signal: AbortSignal
}

/** How long before its deadline an invocation must have let go, so that the end is orderly. */
const lastMomentMs = 3_000

/** One attempt at an operation: the record under its claim, and what the kinds may do with it. */
export class Attempt implements Task {
  readonly objects: ObjectStore
  readonly large: boolean
  readonly signal: AbortSignal
  readonly mark: Mark
  readonly #ports: Ports
  readonly #limits: Limits
  /** No attempt before this one can have had an effect. */
  readonly fresh: boolean
  /** A try of this attempt's effect has had no answer: it may have happened, now or later. */
  unanswered = false
  /** This attempt's effect is there. */
  acted = false
  #record: OperationRecord

  constructor(ports: Ports, record: OperationRecord, attemptLimits: Limits) {
    this.#ports = ports
    this.#record = record
    this.#limits = attemptLimits
    this.fresh = record.attempt === 1 || record.work?.untouched === true
    this.objects = ports.objects
    this.large = attemptLimits.large
    this.signal = attemptLimits.signal
    this.mark = { operationId: record.id, ...(record.hops !== undefined && { hops: record.hops }) }
  }

  get record(): OperationRecord {
    return this.#record
  }

  get args(): Readonly<Record<string, unknown>> {
    return this.#record.args
  }

  get work(): Work {
    return this.#record.work ?? {}
  }

  timeIsUp(): boolean {
    const now = this.#ports.clock.now()
    return now >= this.#limits.pauseAt || now >= this.#limits.deadline - lastMomentMs || this.signal.aborted
  }

  /** True if neither this attempt nor one before it can have had an effect: what moves from here on is only outsiders. */
  isUntouched(): boolean {
    return this.fresh && !this.acted && !this.unanswered
  }

  /** Before the first try of an effect: from here on, a crash leaves the next attempt in doubt. */
  async touch(): Promise<void> {
    const { untouched, ...work } = this.work
    if (untouched) await this.amend({ work })
  }

  async body(): Promise<Uint8Array> {
    const { content } = this.#record
    if (content?.kind === 'inline') return content.bytes
    const bytes = await this.#retrying(() => this.#ports.operations.body(this.#record))
    if (bytes !== undefined) return bytes
    throw new LockstepError(
      'Internal',
      `The content of ${this.#record.id} never arrived: its submitter died before it was acknowledged. Submit it again.`,
    )
  }

  /** `large` and `copied` are the engine's and survive what a kind saves. */
  async save(work: Work, progress?: Progress): Promise<void> {
    const { large, copied } = this.work
    const kept = { ...work, ...(large === true && { large }), ...(copied !== undefined && { copied }) }
    await this.amend({ work: kept, ...(progress !== undefined && { progress, progressed: true }) })
    if (this.#record.cancelRequestedAt !== undefined) throw new CancelAsked()
  }

  /** Changes the record on condition that the claim is still ours; throws ClaimLost if it is not. */
  async amend(amendment: Amendment): Promise<void> {
    const { id, attempt } = this.#record
    const amended = await this.#retrying(() => this.#ports.operations.amend(id, attempt, amendment))
    if (amended === undefined) throw new ClaimLost()
    this.#record = amended
  }

  #retrying<T>(call: () => Promise<T>): Promise<T> {
    return retrying(this.#ports, { until: this.#limits.deadline - lastMomentMs, unanswered: true }, call)
  }
}
