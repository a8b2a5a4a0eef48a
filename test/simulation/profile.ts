import type { Chance } from './chance.ts'

/** Probabilities per call of a port. */
export interface FaultRates {
  /** Refused, without effect. */
  readonly busy: number
  /** The call takes effect, and its answer is lost. */
  readonly lostAnswer: number
  /** The request never arrives; the caller sees the same as after a lost answer. */
  readonly lostRequest: number
  /** The request arrives later than its caller gave up on it. */
  readonly lateRequest: number
  readonly crashBefore: number
  readonly crashAfter: number
  /** The process dies, and its last request still arrives some seconds later. */
  readonly crashInFlight: number
  /** The call, or its answer, takes seconds; sometimes longer than its process may live. */
  readonly slow: number
}

export type KindName =
  | 'write'
  | 'append'
  | 'read'
  | 'stat'
  | 'copy'
  | 'move'
  | 'delete'
  | 'concat'
  | 'checksum'

/** How one run is set up. Decided by its seed; each may be fixed from outside. */
export interface Profile {
  readonly clients: number
  readonly operationsPerClient: number
  readonly paths: number
  readonly kinds: Readonly<Partial<Record<KindName, number>>>
  /** Functions that run at the same time, and messages that one of them takes at once. */
  readonly workers: number
  readonly batch: number
  readonly faults: FaultRates
  /** Per message: delivered once more; only after up to two minutes; not deleted after all; seen again early. */
  readonly duplicate: number
  readonly delay: number
  readonly undeleted: number
  readonly early: number
  /** Per operation: cancelled, submitted again, its id used for another request, content as an upload. */
  readonly cancel: number
  readonly resubmit: number
  readonly misuse: number
  readonly upload: number
  readonly condition: number
  /** Per operation: something goes wrong again and again at the same call of it. */
  readonly curse: number
  /** Per process: it dies before one of its first calls. */
  readonly frailty: number
  /** Messages that nobody needed, per operation: whoever wants may send anything at any time. */
  readonly strays: number
  /** Per message: lost, which SQS never does; the sweeper must heal it all the same. */
  readonly loss: number
  /** Writes and deletes by somebody who knows nothing of Lockstep: per call of a worker on a file. */
  readonly outsiders: number
  /** Clocks of processes are wrong by at most this much. */
  readonly skewMs: number
  readonly etags: 'content' | 'unique'
  /** Without it, clients are spared faults: then messages alone must do. */
  readonly sweeper: boolean
  /**
   * A put that creates a file, given up and repeated by its living worker, arrives once more after the file was
   * deleted again: the file is back. Known, and told in docs/correctness.md; not part of the promise. Files that
   * are never deleted are safe from it.
   */
  readonly lateEffects: boolean
  /** Amendments of one attempt are not ordered: one held up undoes a later one. Known; leaks an upload at worst. */
  readonly lateAmends: boolean
  /** Sandboxes outlive their leases, which the platform does not let happen: the conditions must do. */
  readonly zombies: boolean
  /** After so many receives, a message is dead. Never decides anything. */
  readonly maxReceives: number
  /** Faults go on for so long after the last submit. */
  readonly unrestMs: number
}

export const noFaults: FaultRates = {
  busy: 0,
  lostAnswer: 0,
  lostRequest: 0,
  lateRequest: 0,
  crashBefore: 0,
  crashAfter: 0,
  crashInFlight: 0,
  slow: 0,
}

const allKinds = {
  write: 3,
  append: 4,
  read: 2,
  stat: 1,
  copy: 2,
  move: 2,
  delete: 2,
  concat: 1,
  checksum: 1,
} as const satisfies Record<KindName, number>

/** Each fault on or off at random, since some bugs show only where others do not get in the way ("swarm"). */
const faultsOf = (chance: Chance): FaultRates => {
  const intensity = chance.pick([0, 0.01, 0.02, 0.04])
  const rate = (share: number): number => (chance.happens(0.5) ? intensity * share : 0)
  return {
    busy: rate(1),
    lostAnswer: rate(1),
    lostRequest: rate(0.5),
    lateRequest: rate(0.5),
    crashBefore: rate(0.5),
    crashAfter: rate(0.5),
    crashInFlight: rate(0.5),
    slow: rate(1),
  }
}

const kindsOf = (chance: Chance): Profile['kinds'] => {
  const some = Object.entries(allKinds).filter(() => chance.happens(0.5))
  return some.length === 0 ? allKinds : Object.fromEntries(some)
}

const sometimes = (chance: Chance, probability: number): number => (chance.happens(0.5) ? probability : 0)

/** What excludes each other is decided here. */
export const profileOf = (chance: Chance): Profile => {
  const swarm = swarmOf(chance)
  const share = chance.integer(1, 100)
  if (share <= 10) return { ...withoutAbsence(swarm), zombies: true, cancel: 0, curse: 0 }
  if (share <= 25) return { ...withoutAbsence(swarm), lateEffects: true }
  if (share <= 40) return { ...swarm, sweeper: false, cancel: 0 }
  return share <= 50 ? { ...swarm, loss: 0.2 } : swarm
}

/**
 * Only what can be told apart at the object itself: every version has its own ETag, and no file is ever absent
 * twice. Then no request does harm, however late it comes.
 */
const withoutAbsence = (profile: Profile): Profile => {
  const { write, append, copy, concat, read, stat } = allKinds
  return { ...profile, kinds: { write, append, copy, concat, read, stat }, etags: 'unique' }
}

const swarmOf = (chance: Chance): Profile => ({
  clients: chance.integer(1, 4),
  operationsPerClient: chance.integer(1, 6),
  paths: chance.integer(1, 3),
  kinds: kindsOf(chance),
  workers: chance.integer(1, 4),
  batch: chance.pick([1, 1, 3]),
  faults: faultsOf(chance),
  duplicate: sometimes(chance, 0.1),
  delay: sometimes(chance, 0.1),
  undeleted: sometimes(chance, 0.1),
  early: chance.happens(0.2) ? 0.3 : 0,
  cancel: sometimes(chance, 0.2),
  resubmit: sometimes(chance, 0.2),
  misuse: sometimes(chance, 0.05),
  upload: sometimes(chance, 0.2),
  condition: sometimes(chance, 0.2),
  curse: chance.pick([0, 0, 0.3, 0.6]),
  frailty: chance.pick([0, 0, 0.1, 0.3]),
  strays: chance.pick([0, 0.5, 3]),
  loss: 0,
  outsiders: chance.happens(0.25) ? chance.pick([0.1, 0.3]) : 0,
  skewMs: chance.pick([0, 0, 1_500]),
  etags: chance.pick(['content', 'unique']),
  sweeper: true,
  lateEffects: false,
  lateAmends: false,
  zombies: false,
  maxReceives: chance.pick([2, 4, 10, 10]),
  unrestMs: chance.pick([0, 0, 60_000, 500_000]),
})
