import { parentPort } from 'node:worker_threads'
import type { PatchedAnswer, PatchedCall } from './patched-thread.ts'
import { importPatched } from './patches.ts'

/** The other side of `PatchedThread`. */
const answer = async (call: PatchedCall): Promise<PatchedAnswer> => {
  try {
    const module = await importPatched(call.module, call.patches)
    const wanted = module[call.function]
    if (typeof wanted !== 'function') throw new TypeError(`${call.module} exports no ${call.function}`)
    return { kind: 'returned', value: await (wanted as (argument: unknown) => unknown)(call.argument) }
  } catch (error) {
    return { kind: 'threw', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

parentPort?.on('message', (call: PatchedCall) => {
  void answer(call).then((result) => parentPort?.postMessage(result))
})
