import { defects } from '#test/support/defects.ts'
import { withThread } from '#test/support/patched-thread.ts'
import { runInThread } from './threads.ts'

/** Tries each defect with the seeds 1, 2, ... and tells which of them notices it first. */
export const huntDefects = async (runs: number, print: (line: string) => void): Promise<void> => {
  await withThread(async (thread) => {
    for (const { name, patches } of defects) {
      const report = await runInThread(thread, { first: 1, runs, mostFailures: 1 }, patches)
      const [failure] = report.failures
      const seed = failure === undefined ? `not in ${runs}` : `seed ${failure.seed}`
      print(`${seed.padEnd(12)} ${name}${failure === undefined ? '' : ` -> ${failure.violation?.message}`}`)
    }
  })
}
