import { noFaults, type Profile } from './profile.ts'

/** A seed that once found a real defect, with all of its set-up that mattered. It must never find one again. */
export interface KnownSeed {
  readonly seed: number
  readonly found: string
  readonly profile: Partial<Profile>
}

/**
 * A change of the engine changes what a seed leads to, so a seed remembers a region more than a place: what
 * each of them found has a scenario in `test/unit/engine/` as well.
 */
export const knownSeeds: readonly KnownSeed[] = [
  {
    seed: 534,
    found: 'a store which gave no answer ten times failed the operation, and outsiders were blamed',
    profile: {
      clients: 3,
      operationsPerClient: 3,
      paths: 1,
      workers: 4,
      batch: 3,
      faults: { ...noFaults, busy: 0.01, slow: 0.01 },
      curse: 0.6,
      frailty: 0.3,
      outsiders: 0,
      etags: 'unique',
      lateEffects: true,
    },
  },
  {
    seed: 3613,
    found: 'an append told a wrong offset: no new base was recorded after a part without an answer',
    profile: {
      clients: 3,
      operationsPerClient: 6,
      paths: 2,
      kinds: { append: 4, checksum: 1 },
      faults: {
        ...noFaults,
        busy: 0.01,
        lostAnswer: 0.01,
        lostRequest: 0.005,
        crashBefore: 0.005,
        crashAfter: 0.005,
      },
      curse: 0.3,
      strays: 0.5,
      outsiders: 0.05,
    },
  },
]
