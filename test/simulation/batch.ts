import type { Profile } from './profile.ts'
import { type Outcome, simulate } from './simulation.ts'

/** A run of seeds, one after another. */
export interface Batch {
  readonly first: number
  readonly runs: number
  readonly profile?: Partial<Profile>
  /** Failures after which it ends. */
  readonly mostFailures: number
}

export interface BatchReport {
  readonly runs: number
  readonly operations: number
  readonly steps: number
  readonly ms: number
  /** Of all runs together: the same batch gives the same one. */
  readonly fingerprint: number
  readonly failures: readonly Outcome[]
}

export const runBatch = async ({ first, runs, profile, mostFailures }: Batch): Promise<BatchReport> => {
  const startedAt = performance.now()
  const failures: Outcome[] = []
  let [done, operations, steps, fingerprint] = [0, 0, 0, 0]
  while (done < runs && failures.length < mostFailures) {
    const outcome = await simulate({ seed: first + done, ...(profile !== undefined && { profile }) })
    done += 1
    operations += outcome.operations
    steps += outcome.steps
    fingerprint = Math.imul(fingerprint ^ outcome.fingerprint, 0x01000193) >>> 0
    if (outcome.violation !== undefined) failures.push(outcome)
  }
  return { runs: done, operations, steps, ms: performance.now() - startedAt, fingerprint, failures }
}
