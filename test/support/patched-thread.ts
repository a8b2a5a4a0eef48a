import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Patch } from './patches.ts'

/** A function of a module that is loaded with patches, together with all that it imports. */
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

/**
 * A thread under plain Node: the test runner transforms modules itself, and asks no hooks. Calls are made one
 * after another; each loads its modules anew.
 */
export class PatchedThread {
  readonly #worker = new Worker(new URL('./patched-worker.ts', import.meta.url), { execArgv: [] })
  #last: Promise<unknown> = Promise.resolve()

  call(call: PatchedCall): Promise<PatchedAnswer> {
    const answer = this.#last.then(() => this.#ask(call))
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async #ask(call: PatchedCall): Promise<PatchedAnswer> {
    this.#worker.postMessage(call)
    const [answer] = (await once(this.#worker, 'message')) as [PatchedAnswer]
    return answer
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** A thread for as long as `use` takes. */
export const withThread = async <Value>(use: (thread: PatchedThread) => Promise<Value>): Promise<Value> => {
  const thread = new PatchedThread()
  try {
    return await use(thread)
  } finally {
    await thread.close()
  }
}
