import { parentPort, workerData } from 'node:worker_threads'
import type { PatchedAnswer, PatchedCall } from './patched-thread.ts'
import { loadPatched } from './patches.ts'

/** The other side of {@link callPatched}. */
const answer = async (call: PatchedCall): Promise<PatchedAnswer> => {
  try {
    loadPatched(call.patches)
    const module = (await import(call.module)) as Record<string, (argument: unknown) => unknown>
    const wanted = module[call.function]
    if (wanted === undefined) throw new TypeError(`${call.module} exports no ${call.function}`)
    return { kind: 'returned', value: await wanted(call.argument) }
  } catch (error) {
    return { kind: 'threw', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

parentPort?.postMessage(await answer(workerData as PatchedCall))
