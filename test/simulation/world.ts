import { type MemoryWorld, memoryWorld } from '#memory/memory-ports.ts'
import { VirtualClock } from '#memory/virtual-clock.ts'
import { Chance } from './chance.ts'
import { type Curse, type Fate, newCurse, type Role } from './fate.ts'
import { History } from './history.ts'
import { Ledger, type Mortal } from './ledger.ts'
import { type FaultRates, noFaults, type Profile } from './profile.ts'
import { Scheduler } from './scheduler.ts'

/** As `infra/constructs/timings.ts` sets them. */
export const timeoutMs = 30_000
export const visibilityMs = 40_000

/** What a client wants, and what it was told. */
export interface Wish {
  readonly id: string
  /** For people: `c1.2 append p0`. */
  readonly label: string
  readonly kind: string
  readonly request: Readonly<Record<string, unknown>>
  /** The content, if it takes any. */
  readonly content?: Uint8Array
  /** The step of the scheduler at which it was first submitted. */
  readonly startedAt: number
  /** The step at which it was first acknowledged. */
  acknowledgedAt?: number
  isRefused: boolean
  isCancelAsked: boolean
}

/** The files that a request names. */
export const pathsOf = (request: Readonly<Record<string, unknown>>): string[] =>
  [request['path'], request['from'], request['to']].flat().filter((path) => typeof path === 'string')

/** One run: the deployment, the processes that live in it, and all that is known of them. */
export class World {
  readonly profile: Profile
  readonly chance: Chance
  readonly clock = new VirtualClock()
  readonly memory: MemoryWorld
  readonly scheduler: Scheduler
  readonly history: History
  readonly ledger: Ledger
  readonly processes = new Set<Mortal>()
  readonly wishes = new Map<string, Wish>()
  /** Requests on their way whose senders have given up. */
  inFlight = 0
  isCalm = false
  #failure: Error | undefined
  #disturbances = 0
  readonly #curses = new Map<string, Curse | 'none'>()

  constructor(profile: Profile, seed: number) {
    this.profile = profile
    this.chance = new Chance(seed)
    this.scheduler = new Scheduler(this.clock, this.chance)
    this.history = new History(() => this.clock.now())
    this.memory = memoryWorld({
      clock: this.clock,
      turn: this.scheduler.step,
      etags: profile.etags,
      visibilityMs,
      maxReceives: profile.maxReceives,
      onChange: (change) => this.ledger.changed(change),
    })
    this.ledger = new Ledger(this, profile)
  }

  faults(role: Role): FaultRates {
    return this.isSpared(role) ? noFaults : this.profile.faults
  }

  /** Nothing goes wrong any more; without a sweeper, nothing ever goes wrong for clients. */
  isSpared(role: Role): boolean {
    return this.isCalm || (role === 'client' && !this.profile.sweeper)
  }

  /** What goes wrong at this call of this operation, if it is cursed. */
  curseOf(role: Role, operation: string | undefined, name: string): Fate | undefined {
    if (operation === undefined || this.isSpared(role)) return undefined
    let curse = this.#curses.get(operation)
    if (curse === undefined) {
      curse = this.chance.happens(this.profile.curse) ? newCurse(this.chance) : 'none'
      this.#curses.set(operation, curse)
    }
    if (curse === 'none' || curse.name !== name || !this.chance.happens(curse.rate)) return undefined
    return curse.fate
  }

  /** Whatever a worker does with a file, somebody else may just have changed it. */
  async intrude(operation: string | undefined): Promise<void> {
    if (this.isCalm || operation === undefined || !this.chance.happens(this.profile.outsiders)) return
    const paths = pathsOf(this.wishes.get(operation)?.request ?? {})
    if (paths.length > 0) await this.disturb(this.chance.pick(paths))
  }

  /** Somebody with another S3 tool writes a file, or deletes it. */
  async disturb(path: string): Promise<void> {
    const { objects } = this.memory
    const { zombies, lateEffects } = this.profile
    const isDelete = !zombies && !lateEffects && this.chance.happens(0.2)
    this.#disturbances += 1
    const bytes = Buffer.from(`<outsider ${this.#disturbances}>`)
    const call = { port: 'outsider', method: isDelete ? 'remove' : 'write', args: [path] }
    const process = { name: 'outsider', isDead: false, isOver: false }
    await this.ledger.recording({ process, call, operation: undefined }, () =>
      this.scheduler.observe<unknown>(() => (isDelete ? objects.remove(path) : objects.write(path, bytes))),
    )
  }

  /** The first failure counts: what follows from it does not. */
  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  label(id: string | undefined): string {
    return id === undefined ? '' : (this.wishes.get(id)?.label ?? id)
  }
}
