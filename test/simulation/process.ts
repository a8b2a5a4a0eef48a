import { type Call, Crash, type Intercept } from '#memory/intercept.ts'
import { memoryPorts } from '#memory/memory-ports.ts'
import { SeededIds } from '#memory/seeded-ids.ts'
import type { Clock } from '#ports/clock.ts'
import { PortFault } from '#ports/faults.ts'
import type { Ports } from '#ports/ports.ts'
import { type Fate, fates, type Role } from './fate.ts'
import type { World } from './world.ts'

/** Calls that change nothing: a request of theirs that arrives late is one that never arrives. */
const isReading = ({ method }: Call): boolean =>
  ['get', 'getMany', 'read', 'head', 'tags', 'parts', 'schedule', 'body', 'list', 'uploads', 'link'].includes(
    method,
  )

/** Effects at objects: held up only where the design says that this does no harm. */
const isEffect = ({ port, method }: Call): boolean =>
  port === 'objects' && ['put', 'copy', 'complete', 'delete'].includes(method)

const longestSlowMs = 40_000
const longestFrailCalls = 9
/** A request of somebody who has given up arrives within this: see `limits.submitterGoneMs`. */
const longestLateMs = 120_000
/** Less than the margin by which a lease outlives its sandbox, clocks that differ included. */
const longestInFlightMs = 900

/**
 * One process: a client, a sandbox of a function. It has a clock of its own, which may be wrong, and dies when
 * it is told to; whatever it still had to say is then never said.
 */
export class Process {
  readonly name: string
  readonly #world: World
  readonly #role: Role
  readonly #skewMs: number
  /** A frail process dies before this many more calls. */
  #callsLeft: number | undefined
  isDead = false
  isOver = false

  constructor(world: World, name: string, role: Role) {
    const { chance, profile } = world
    this.#world = world
    this.name = name
    this.#role = role
    this.#skewMs = profile.skewMs === 0 ? 0 : chance.integer(-profile.skewMs, profile.skewMs)
    this.#callsLeft = chance.happens(profile.frailty) ? chance.integer(0, longestFrailCalls) : undefined
    world.processes.add(this)
  }

  readonly clock: Clock = {
    now: () => this.#world.clock.now() + this.#skewMs,
    sleep: async (ms, signal) => {
      this.#checkAlive()
      await this.#world.clock.sleep(ms, signal)
      this.#checkAlive()
    },
  }

  /** Its ports; `operation` is the one on whose behalf it calls, as far as known. */
  ports(operation?: string): Ports {
    const ids = new SeededIds(this.clock, this.#world.chance.seed())
    const intercept: Intercept = (call, proceed) => this.#call(call, operation, proceed)
    return { ...memoryPorts({ world: this.#world.memory, ids, intercept }), clock: this.clock }
  }

  kill(): void {
    if (this.isDead || this.isOver) return
    this.isDead = true
    this.#world.processes.delete(this)
    this.#world.history.note(this.name, 'dies')
  }

  /** It has done what it was there for. */
  end(): void {
    this.isOver = true
    this.#world.processes.delete(this)
  }

  /** The platform kills it after so long. */
  killAfter(ms: number): void {
    void this.#world.clock.sleep(ms).then(() => this.kill())
  }

  #checkAlive(): void {
    if (this.isDead) throw new Crash(this.name)
  }

  async #call(call: Call, operation: string | undefined, proceed: () => Promise<unknown>): Promise<unknown> {
    this.#checkAlive()
    await this.#dawdle()
    await this.#world.scheduler.turn()
    this.#checkAlive()
    const isOnFile = call.port === 'objects' && this.#role === 'function'
    if (isOnFile) await this.#world.intrude(operation)
    const value = await this.#withFate(this.#fateOf(call, operation), call, operation, proceed)
    if (isOnFile) await this.#world.intrude(operation)
    await this.#dawdle()
    return value
  }

  /** The call, or its answer, takes its time; the process may not live to see it. */
  async #dawdle(): Promise<void> {
    const { chance, clock } = this.#world
    if (!chance.happens(this.#world.faults(this.#role).slow)) return
    await clock.sleep(chance.integer(1, longestSlowMs))
    this.#checkAlive()
  }

  #fateOf(call: Call, operation: string | undefined): Fate | 'none' {
    const { chance } = this.#world
    const rates = this.#world.faults(this.#role)
    if (this.#isTired()) return 'crashBefore'
    const cursed = this.#world.curseOf(this.#role, operation, `${call.port}.${call.method}`)
    const fate = cursed ?? fates.find((each) => chance.happens(rates[each])) ?? 'none'
    return fate === 'lateRequest' && !this.#mayBeLate(call) ? 'lostRequest' : fate
  }

  /** Two kinds of requests do harm if they are held up while their sender lives on; see {@link Profile}. */
  #mayBeLate(call: Call): boolean {
    const { lateEffects, lateAmends } = this.#world.profile
    if (isEffect(call)) return lateEffects
    return call.method === 'amend' ? lateAmends : !isReading(call)
  }

  #isTired(): boolean {
    if (this.#callsLeft === undefined || this.#world.isSpared(this.#role)) return false
    this.#callsLeft -= 1
    return this.#callsLeft < 0
  }

  async #withFate(
    fate: Fate | 'none',
    call: Call,
    operation: string | undefined,
    proceed: () => Promise<unknown>,
  ): Promise<unknown> {
    const { history } = this.#world
    if (fate !== 'none') history.fault(this.name, fate, call, operation)
    switch (fate) {
      case 'busy':
        throw new PortFault('busy', call.method)
      case 'lostRequest':
        throw new PortFault('unanswered', call.method)
      case 'lateRequest':
        this.#later(call, operation, proceed, isEffect(call) ? longestInFlightMs : longestLateMs)
        throw new PortFault('unanswered', call.method)
      case 'crashBefore':
        this.kill()
        throw new Crash(this.name)
      case 'crashInFlight':
        this.kill()
        if (!isReading(call))
          this.#later(call, operation, proceed, isEffect(call) ? longestInFlightMs : longestLateMs)
        throw new Crash(this.name)
      case 'none':
      case 'lostAnswer':
      case 'crashAfter':
        return this.#proceed(fate, call, operation, proceed)
    }
  }

  async #proceed(
    fate: Fate | 'none',
    call: Call,
    operation: string | undefined,
    proceed: () => Promise<unknown>,
  ): Promise<unknown> {
    const value = await this.#world.ledger.recording({ process: this, call, operation }, proceed)
    if (fate === 'lostAnswer') throw new PortFault('unanswered', call.method)
    if (fate !== 'crashAfter') return value
    this.kill()
    throw new Crash(this.name)
  }

  /** The request is on its way, and arrives whatever has become of its sender. */
  #later(
    call: Call,
    operation: string | undefined,
    proceed: () => Promise<unknown>,
    longestMs: number,
  ): void {
    const { chance, clock, scheduler, ledger, history } = this.#world
    this.#world.inFlight += 1
    const arrive = async (): Promise<void> => {
      await clock.sleep(chance.integer(1, longestMs))
      await scheduler.turn()
      history.note(this.name, `late ${call.port}.${call.method} arrives`, operation)
      try {
        await ledger.recording({ process: this, call, operation }, proceed)
      } finally {
        this.#world.inFlight -= 1
      }
    }
    void arrive().catch((error: unknown) => this.#world.fail(error))
  }
}
