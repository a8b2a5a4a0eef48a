import { isLockstepError, LockstepError } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import type { Mode } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'
import { extendHold, type Held, notHeld, releaseHold } from '#engine/hold.ts'
import { withCatalogue } from '#engine/retry.ts'
import type { Ports } from '#ports/ports.ts'

/** What a holder has to know to work under its lock. */
export interface HeldLock {
  /** The id of the hold, to be given to operations on what is held. */
  readonly hold: string
  /** The fencing token of the (first) path or name: larger than that of every holder before. */
  readonly token: number
  /** By path or name. */
  readonly tokens: Readonly<Record<string, number>>
  /** Aborts before the lock can be lost to somebody else, with a LockstepError `LeaseLost`. */
  readonly signal: AbortSignal
}

/** A third: two heartbeats may be lost before the lease is. */
const beatsPerLease = 3

/** After a heartbeat that failed, the next one comes after this part of the lease. */
const retriesPerLease = 20

/**
 * A holder takes its lock for lost this long before the lease ends: what is on its way then still arrives in
 * time, and the clocks of holder and functions may differ by as much.
 */
export const marginOf = (leaseMs: number): number => Math.min(limits.holdMarginMs, leaseMs / 4)

/**
 * A lock that this process holds. While it does, a heartbeat extends the lease at a third of it, and keeps
 * the process alive.
 *
 *   holder's clock   sent       sent       sent (no answer)
 *                    |extend    |extend    |extend ...           |signal aborts
 *   lease                       |------------------------------------------------|
 *                                                                 <--- margin --->
 *
 * Measured from before the last extend that was answered had been sent: so whatever the network and the
 * pauses of this process are, `signal` aborts first, and what a process that was paused past its lease sends
 * is refused.
 */
export class Lock implements HeldLock, AsyncDisposable {
  readonly hold: string
  readonly token: number
  readonly tokens: Readonly<Record<string, number>>
  readonly mode: Mode
  readonly signal: AbortSignal
  readonly #ports: Ports
  readonly #record: OperationRecord
  readonly #armed: boolean
  readonly #leaseMs: number
  readonly #lost = new AbortController()
  readonly #stopped = new AbortController()
  /** When the last request that made or extended the lease was about to be sent. */
  #leaseFrom: number
  #releasing: Promise<void> | undefined

  constructor(
    ports: Ports,
    { record, armed }: Held,
    options: { leaseMs: number; leaseFrom: number; first: string },
  ) {
    this.#ports = ports
    this.#record = record
    this.#armed = armed
    this.#leaseMs = options.leaseMs
    this.#leaseFrom = options.leaseFrom
    this.hold = record.id
    this.tokens = (record.result?.['tokens'] ?? {}) as Record<string, number>
    this.token = this.tokens[options.first] ?? 0
    this.mode = record.args['mode'] === 'read' ? 'read' : 'write'
    this.signal = this.#lost.signal
    void this.#beat()
    void this.#watch()
  }

  /** Epoch ms by this process's clock at which `signal` aborts, unless the lease is extended before. */
  get safeUntil(): number {
    const end = Math.min(this.#leaseFrom + this.#leaseMs, this.#record.submittedAt + limits.operationLifeMs)
    return end - marginOf(this.#leaseMs)
  }

  /**
   * Lets go. Throws LockstepError `LeaseLost` if it had been lost before: what was done under it was then not
   * protected to the end. May be repeated.
   */
  release(): Promise<void> {
    this.#releasing ??= withCatalogue(() => this.#release())
    return this.#releasing
  }

  /**
   * Ends the heartbeat and leaves the lock held until its lease ends: another process may extend or release
   * it by its id.
   */
  detach(): string {
    this.#stopped.abort()
    return this.hold
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  async #release(): Promise<void> {
    this.#stopped.abort()
    const record = await releaseHold(this.#ports, this.hold, { armed: this.#armed })
    if (record.status !== 'succeeded') throw notHeld(record, this.hold)
  }

  async #beat(): Promise<void> {
    let dueAt = this.#leaseFrom + this.#leaseMs / beatsPerLease
    while (await this.#sleepUntil(dueAt)) {
      const sentAt = this.#ports.clock.now()
      try {
        await extendHold(this.#ports, this.#record, this.#leaseMs, this.#stopped.signal)
        this.#leaseFrom = sentAt
        dueAt = sentAt + this.#leaseMs / beatsPerLease
      } catch (error) {
        if (isLockstepError(error)) this.#lose(error)
        dueAt = this.#ports.clock.now() + this.#leaseMs / retriesPerLease
      }
    }
  }

  async #watch(): Promise<void> {
    while (await this.#sleepUntil(this.safeUntil)) {
      if (this.#ports.clock.now() < this.safeUntil) continue
      const message =
        `Hold ${this.hold} could not be extended in time: its lease may end in ` +
        `${marginOf(this.#leaseMs)} ms. Stop what is done under it.`
      this.#lose(new LockstepError('LeaseLost', message, { details: { hold: this.hold } }))
    }
  }

  #lose(error: LockstepError): void {
    this.#stopped.abort()
    this.#lost.abort(error)
  }

  /** False once the lock is lost or let go. */
  async #sleepUntil(at: number): Promise<boolean> {
    const { signal } = this.#stopped
    try {
      await this.#ports.clock.sleep(Math.max(at - this.#ports.clock.now(), 0), signal)
    } catch {
      return false
    }
    return !signal.aborted
  }
}
