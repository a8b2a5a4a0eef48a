import { type PatchedThread, withThread } from '#test/support/patched-thread.ts'
import type { Patch } from '#test/support/patches.ts'
import { noFaults, type Profile } from './profile.ts'
import type { Outcome } from './simulation.ts'
import { runInThread } from './threads.ts'

/** Seeds that each smaller profile is given to fail in the same way. */
const seedsPerTry = 150

/** Less of one thing each: what can be left out was not needed. */
const smaller = (profile: Profile): Partial<Profile>[] => {
  const { clients, operationsPerClient, paths, workers, faults, kinds } = profile
  const zeros = [
    'duplicate',
    'delay',
    'undeleted',
    'early',
    'cancel',
    'resubmit',
    'misuse',
    'upload',
  ] as const
  const more = ['condition', 'curse', 'frailty', 'strays', 'loss', 'outsiders', 'skewMs', 'unrestMs'] as const
  const faultNames = Object.keys(noFaults) as (keyof typeof noFaults)[]
  return [
    ...(clients > 1 ? [{ clients: 1 }, { clients: clients - 1 }] : []),
    ...(operationsPerClient > 1
      ? [{ operationsPerClient: 1 }, { operationsPerClient: operationsPerClient - 1 }]
      : []),
    ...(paths > 1 ? [{ paths: paths - 1 }] : []),
    ...(workers > 1 ? [{ workers: workers - 1 }] : []),
    ...(profile.batch > 1 ? [{ batch: 1 }] : []),
    ...[...zeros, ...more].filter((name) => profile[name] > 0).map((name) => ({ [name]: 0 })),
    ...faultNames.filter((name) => faults[name] > 0).map((name) => ({ faults: { ...faults, [name]: 0 } })),
    ...Object.keys(kinds)
      .filter(() => Object.keys(kinds).length > 1)
      .map((name) => ({
        kinds: Object.fromEntries(Object.entries(kinds).filter(([each]) => each !== name)),
      })),
  ]
}

/**
 * A failure of the same law with fewer operations, paths and faults, found by leaving out one thing after
 * another and trying fresh seeds: a schedule cannot be shortened step by step, since each draw decides the
 * next. Never worse than what it was given.
 */
export const shrunk = (outcome: Outcome, patches: readonly Patch[] = []): Promise<Outcome> =>
  withThread(async (thread) => {
    let best = outcome
    for (
      let next: Outcome | undefined = best;
      next !== undefined;
      next = await reduced(thread, best, patches)
    ) {
      best = next
    }
    return best
  })

/** With one thing less; undefined if nothing can be left out. */
const reduced = async (
  thread: PatchedThread,
  best: Outcome,
  patches: readonly Patch[],
): Promise<Outcome | undefined> => {
  for (const change of smaller(best.profile)) {
    const profile = { ...best.profile, ...change }
    const batch = { first: best.seed, runs: seedsPerTry, profile, mostFailures: 1 }
    const [failure] = (await runInThread(thread, batch, patches)).failures
    if (failure?.violation?.law === best.violation?.law) return failure
  }
  return undefined
}
