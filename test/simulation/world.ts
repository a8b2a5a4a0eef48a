import { limits } from '#domain/limits.ts'
import { type MemoryWorld, memoryWorld } from '#memory/memory-ports.ts'
import { VirtualClock } from '#memory/virtual-clock.ts'
import { Chance } from './chance.ts'
import { History } from './history.ts'
import { Ledger, type Mortal } from './ledger.ts'
import { type FaultRates, noFaults, type Profile } from './profile.ts'
import { Scheduler } from './scheduler.ts'
import type { Violation } from './violation.ts'

/** As `infra/constructs/timings.ts` and `queues.ts` set them. */
export const timeoutMs = 30_000
export const visibilityMs = 40_000
const maxReceives = limits.tries + 2

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
  #failure: Violation | Error | undefined

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
      maxReceives,
      onChange: (change) => this.ledger.changed(change),
    })
    this.ledger = new Ledger(this)
  }

  get faults(): FaultRates {
    return this.isCalm ? noFaults : this.profile.faults
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
