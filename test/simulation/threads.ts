import { availableParallelism } from 'node:os'
import { type PatchedThread, withThread } from '#test/support/patched-thread.ts'
import type { Patch } from '#test/support/patches.ts'
import type { Batch, BatchReport } from './batch.ts'
import { smallLimits } from './small-limits.ts'

const module = new URL('./batch.ts', import.meta.url).href

/** So many seeds are given to a thread at a time: enough that loading the modules does not count. */
const batchRuns = 250

/** Runs a batch in a thread, under {@link smallLimits} and whatever else is patched. */
export const runInThread = async (
  thread: PatchedThread,
  batch: Batch,
  patches: readonly Patch[] = [],
): Promise<BatchReport> => {
  const call = { patches: [...smallLimits, ...patches], module, function: 'runBatch', argument: batch }
  const answer = await thread.call(call)
  if (answer.kind === 'threw') throw new Error(answer.message)
  return answer.value as BatchReport
}

/** The same on all processors. `onReport` is told of each part; the whole ends early once it has failed. */
export const runOnAllProcessors = async (
  batch: Batch,
  onReport: (report: BatchReport) => void = () => undefined,
): Promise<BatchReport> => {
  const startedAt = performance.now()
  const reports: BatchReport[] = []
  let next = 0
  const work = async (thread: PatchedThread): Promise<void> => {
    while (next < batch.runs && reports.every(({ failures }) => failures.length < batch.mostFailures)) {
      const first = batch.first + next
      const runs = Math.min(batchRuns, batch.runs - next)
      next += runs
      const report = await runInThread(thread, { ...batch, first, runs })
      reports.push(report)
      onReport(report)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, () => withThread(work)))
  return summed(reports, performance.now() - startedAt)
}

const summed = (reports: readonly BatchReport[], ms: number): BatchReport => ({
  runs: reports.reduce((sum, { runs }) => sum + runs, 0),
  operations: reports.reduce((sum, { operations }) => sum + operations, 0),
  steps: reports.reduce((sum, { steps }) => sum + steps, 0),
  ms,
  fingerprint: reports.reduce((all, { fingerprint }) => (all ^ fingerprint) >>> 0, 0),
  failures: reports.flatMap(({ failures }) => failures).toSorted((a, b) => a.seed - b.seed),
})
