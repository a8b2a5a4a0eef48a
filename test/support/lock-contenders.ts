import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Deployment } from '#cli/local/environment.ts'
import { localCredentials } from '#cli/local/network.ts'

/** What one contender did while it had the lock. Times in epoch ms, on this machine's one clock. */
export interface GuardedWork {
  readonly token: number
  readonly enteredAt: number
  readonly leftAt: number
}

export type ContenderOrder =
  | { readonly kind: 'hold'; readonly path: string; readonly leaseMs?: number | undefined }
  | { readonly kind: 'append'; readonly path: string; readonly hold: string }
  | { readonly kind: 'count'; readonly path: string; readonly times: number }

export type ContenderMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'held'; readonly at: number; readonly hold: string; readonly token: number }
  | { readonly kind: 'appended' }
  | { readonly kind: 'refused'; readonly code: string; readonly aborted: boolean }
  | { readonly kind: 'counted'; readonly works: readonly GuardedWork[] }
  | { readonly kind: 'failed'; readonly reason: string }

type MessageOf<Kind extends ContenderMessage['kind']> = Extract<ContenderMessage, { kind: Kind }>

const script = fileURLToPath(new URL('./lock-contender.ts', import.meta.url))

/** A process of its own that contends for locks. */
export class LockContender {
  readonly #child: ChildProcess
  readonly #messages: ContenderMessage[] = []

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message: ContenderMessage) => this.#messages.push(message))
  }

  static async start(deployment: Deployment): Promise<LockContender> {
    const { endpoint, region, bucket, linesTable, operationsTable } = deployment
    const { operationsQueueUrl, shardsQueueUrl, rejectedQueueUrl } = deployment
    const queues = { operationsQueueUrl, shardsQueueUrl, rejectedQueueUrl }
    const options = {
      endpoint,
      region,
      credentials: localCredentials,
      bucket,
      linesTable,
      operationsTable,
      ...queues,
    }
    const contender = new LockContender(fork(script, [JSON.stringify(options)], { stdio: 'inherit' }))
    await contender.next('ready')
    return contender
  }

  order(order: ContenderOrder): void {
    this.#child.send(order)
  }

  /** The next message of that kind. Throws what the contender failed with. */
  async next<Kind extends ContenderMessage['kind']>(kind: Kind): Promise<MessageOf<Kind>> {
    for (;;) {
      const index = this.#messages.findIndex((message) => message.kind === kind || message.kind === 'failed')
      const [message] = index < 0 ? [] : this.#messages.splice(index, 1)
      if (message?.kind === 'failed') throw new Error(`a contender failed: ${message.reason}`)
      if (message !== undefined) return message as MessageOf<Kind>
      await once(this.#child, 'message')
    }
  }

  /** `SIGKILL`: it dies; `SIGSTOP`: it stands still; `SIGCONT`: it goes on. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** For good. Does nothing if it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}
