import { type ErrorCode, errorCatalogue, isLockstepError, LockstepError } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import { isGranted, type Line, type Mode } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'
import {
  acquireHold,
  extendHold,
  followHead,
  type HoldState,
  lookAtHold,
  releaseHold,
  timeOutHold,
} from '#engine/hold.ts'
import { type Prepared, prepare } from '#engine/request.ts'
import type { Ports } from '#ports/ports.ts'
import { type HeldLock, Lock } from './lock.ts'
import { LockPace } from './lock-pace.ts'
import { type LockTarget, subjectsOf, titleOfTarget } from './lock-target.ts'

export interface LockOptions {
  /** Readers share. Default: `write`. */
  readonly mode?: Mode | undefined
  /** How long to wait for the turn before `Timeout` is thrown. Default: for ever. */
  readonly timeoutMs?: number | undefined
  /** What a holder that died costs those behind it. Default: 10 s. */
  readonly leaseMs?: number | undefined
  /** Gives up the wait. */
  readonly signal?: AbortSignal | undefined
  /** A ULID, or any text: the same id with the same request is the same hold. */
  readonly id?: string | undefined
}

/**
 * How often whoever waits looks after the head of its line: it may have died in a way that leaves no message.
 */
const followEveryMs = 10_000

type Targets = LockTarget | readonly LockTarget[]

/**
 * Takes its place in all lines at once, and waits for its turn. Throws LockstepError `Timeout`, `LineFull`;
 * the signal's reason.
 */
export const acquireLock = async (ports: Ports, targets: Targets, options: LockOptions): Promise<Lock> => {
  options.signal?.throwIfAborted()
  const waiting = new Acquisition(ports, targets, options)
  return waiting.lockOf(await waiting.untilHeld(options.signal))
}

/** Takes the lock if nobody is in its way, and leaves nothing in the lines otherwise. */
export const tryLock = async (
  ports: Ports,
  targets: Targets,
  options: Omit<LockOptions, 'timeoutMs'>,
): Promise<Lock | null> => {
  options.signal?.throwIfAborted()
  const attempt = new Acquisition(ports, targets, { ...options, timeoutMs: 0 })
  if (!(await attempt.isFree())) return null
  const state = await attempt.untilHeldOrTimedOut(options.signal)
  return state.kind === 'held' ? attempt.lockOf(state) : null
}

/**
 * Runs `work` under a lock, and lets go of it whatever happens. A failure of the work comes before one of the
 * lock.
 */
export const workUnder = async <T>(
  lock: Lock,
  signal: AbortSignal | undefined,
  work: (held: HeldLock) => Promise<T> | T,
): Promise<T> => {
  const { hold, token, tokens } = lock
  let result: T
  try {
    const either = signal === undefined ? lock.signal : AbortSignal.any([lock.signal, signal])
    result = await work({ hold, token, tokens, signal: either })
  } catch (error) {
    await lock.release().catch(() => undefined)
    throw error
  }
  await lock.release()
  return result
}

type HeldState = Extract<HoldState, { kind: 'held' }>
type EndedState = Extract<HoldState, { kind: 'ended' }>

class Acquisition {
  readonly #ports: Ports
  readonly #prepared: Prepared
  readonly #first: string
  readonly #until: number
  /** Before the look was sent that showed the hold waiting, and none later did. */
  #waitedAt: number | undefined

  constructor(ports: Ports, targets: Targets, options: LockOptions) {
    const { id, mode, leaseMs, timeoutMs } = options
    const now = ports.clock.now()
    const { paths, names } = subjectsOf(targets)
    const request = {
      id,
      kind: 'hold',
      mode,
      leaseMs,
      timeoutMs,
      ...(paths.length > 0 && { paths }),
      ...(names.length > 0 && { names }),
    }
    this.#ports = ports
    this.#prepared = prepare(request, { now, newId: () => ports.ids.operationId() })
    this.#first = titleOfTarget((Array.isArray(targets) ? targets[0] : targets) as LockTarget)
    this.#until = now + (timeoutMs ?? Number.POSITIVE_INFINITY)
  }

  get #record(): OperationRecord {
    return this.#prepared.record
  }

  /** Nobody stands where it would have to wait for. One call, and nothing written. */
  async isFree(): Promise<boolean> {
    const { id, uses } = this.#record
    const lines = await this.#ports.lines.read(uses.map(({ line }) => line))
    return uses.every(({ mode }, index) => isGranted(withEntry(lines[index], id, mode), id))
  }

  async untilHeld(signal: AbortSignal | undefined): Promise<HeldState> {
    const state = await this.untilHeldOrTimedOut(signal)
    if (state.kind === 'held') return state
    throw failureOf(state.record)
  }

  /** Whatever goes wrong, it does not stay in line for somebody who has stopped waiting. */
  async untilHeldOrTimedOut(signal: AbortSignal | undefined): Promise<HeldState | EndedState> {
    try {
      return await this.#wait(signal)
    } catch (error) {
      // Of what was refused there is nothing to give up, and under a foreign id it is not ours.
      if (!isLockstepError(error)) await releaseHold(this.#ports, this.#record.id).catch(() => undefined)
      throw error
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<HeldState | EndedState> {
    const { clock, ids } = this.#ports
    const pace = new LockPace(clock.now())
    let followedAt = clock.now()
    let state = await acquireHold(this.#ports, this.#prepared, signal)
    while (state.kind === 'waiting') {
      const leftMs = this.#until - clock.now()
      const ended = leftMs <= 0 ? await timeOutHold(this.#ports, state.record) : undefined
      if (ended !== undefined) return { kind: 'ended', record: ended }
      if (leftMs > 0)
        await clock.sleep(Math.min(pace.next(state.ahead, clock.now(), ids.chance()), leftMs), signal)
      signal?.throwIfAborted()
      if (state.head !== undefined && clock.now() - followedAt > followEveryMs) {
        followedAt = clock.now()
        await followHead(this.#ports, state.head).catch(() => undefined)
      }
      state = await this.#look(state.record)
    }
    return state
  }

  async #look(record: OperationRecord): Promise<HoldState> {
    const sentAt = this.#ports.clock.now()
    const state = await lookAtHold(this.#ports, record)
    if (state.kind === 'waiting') this.#waitedAt = sentAt
    return state
  }

  /**
   * A hold that was claimed by this process has its lease from then on. One that the worker claimed got it
   * after the last look that showed it waiting; and of one that was there before, nothing is known until it
   * is extended.
   */
  async lockOf(state: HeldState): Promise<Lock> {
    const { record } = state
    const leaseMs = Number(record.args['leaseMs'] ?? limits.holdLeaseMs)
    let leaseFrom = state.claimed ? record.leaseUntil - leaseMs : this.#waitedAt
    if (leaseFrom === undefined) {
      leaseFrom = this.#ports.clock.now()
      await extendHold(this.#ports, record, leaseMs)
    }
    return new Lock(this.#ports, state, { leaseMs, leaseFrom, first: this.#first })
  }
}

const withEntry = (line: Line | undefined, id: string, mode: Mode): Line => ({
  key: line?.key ?? '',
  entries: [...(line?.entries ?? []), { id, mode, ticket: Number.MAX_SAFE_INTEGER }],
})

const failureOf = ({ id, error, status }: OperationRecord): LockstepError => {
  const code: ErrorCode =
    error !== undefined && Object.hasOwn(errorCatalogue, error.code) ? error.code : 'LeaseLost'
  const message = error?.message ?? `Hold ${id} is ${status}: it was released before its client had it.`
  return new LockstepError(code, message, { details: { ...error?.details, hold: id } })
}
