import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Patch } from './patches.ts'

/** A function of a module, called in a thread of its own whose modules were loaded with patches. */
export interface PatchedCall {
  readonly patches: readonly Patch[]
  /** Of the module: `new URL('./scenarios.ts', import.meta.url).href`. */
  readonly module: string
  /** The name of an exported function. */
  readonly function: string
  /** What it is called with; must be clonable, like what it returns. */
  readonly argument: unknown
}

/** What the thread sends back. */
export type PatchedAnswer =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly message: string }

/** A thread, and not this one: modules are loaded once, and hooks cannot be taken back. */
export const callPatched = async (call: PatchedCall): Promise<PatchedAnswer> => {
  const worker = new Worker(new URL('./patched-worker.ts', import.meta.url), { workerData: call, execArgv: [] })
  try {
    const [answer] = (await once(worker, 'message')) as [PatchedAnswer]
    return answer
  } finally {
    await worker.terminate()
  }
}
