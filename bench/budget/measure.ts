import type { Deployment } from '#cli/local/environment.ts'
import { localCredentials } from '#cli/local/network.ts'
import { waitFor } from '#cli/local/wait.ts'
import { Lockstep } from '#client/index.ts'
import { lineOfPath } from '#domain/line.ts'
import { type Call, CountingProxy } from '../measure/counting-proxy.ts'
import { listFunctions, reconfigure } from '../measure/deployed-functions.ts'

/** An operation is over long before; this is for a machine that is busy with other things. */
const deadlineMs = 60_000

/** Measures the real deployment: one proxy stands before the client, one before all functions. */
export class Meter {
  readonly lockstep: Lockstep
  /** Everything that was called so far, in the order in which it was answered. */
  readonly calls: readonly Call[]
  readonly #stop: () => Promise<void>

  private constructor(lockstep: Lockstep, calls: readonly Call[], stop: () => Promise<void>) {
    this.lockstep = lockstep
    this.calls = calls
    this.#stop = stop
  }

  static async start(deployment: Deployment): Promise<Meter> {
    const calls: Call[] = []
    const { endpoint } = deployment
    const onCall = (call: Call): void => void calls.push(call)
    const client = new CountingProxy({ by: 'client', endpoint, onCall })
    const functions = new CountingProxy({ by: 'function', endpoint, onCall })
    const variables = { AWS_ENDPOINT_URL: await functions.start() }
    const restore: (() => Promise<void>)[] = []
    for (const configuration of await listFunctions(endpoint)) {
      // The sweeper comes by on its own time, for all operations together: it is not part of what one costs.
      if (configuration.FunctionName.includes('Sweeper')) continue
      restore.push(await reconfigure(endpoint, configuration, { variables }))
    }
    const options = { ...deployment, endpoint: await client.start(), credentials: localCredentials }
    const lockstep = new Lockstep(options)
    return new Meter(lockstep, calls, async () => {
      for (const undo of restore) await undo()
      await lockstep.close()
      await client.stop()
      await functions.stop()
    })
  }

  stop(): Promise<void> {
    return this.#stop()
  }

  /** Resolves when functions have left these paths' lines, and sent what they send then. */
  async untilReleased(from: number, paths: readonly string[]): Promise<void> {
    const lines = new Set(paths.map(lineOfPath))
    await waitFor(
      async () => {
        const left = this.calls
          .slice(from)
          .filter((call) => call.by === 'function' && lines.has(lineOf(call) ?? ''))
        return left.filter(({ action }) => action === 'UpdateItem').length >= paths.length ? true : undefined
      },
      { what: `functions to leave ${paths.join(', ')}`, deadlineMs, remedy: 'see the log of the emulator' },
    )
  }
}

interface KeyedRequest {
  readonly Key?: { readonly line?: { readonly S?: string }; readonly id?: { readonly S?: string } }
}

/** The line that a call changes, if it changes one alone. */
export const lineOf = ({ request }: Call): string | undefined =>
  (request as KeyedRequest | undefined)?.Key?.line?.S

/** The operation whose record a call reads or changes, if it is one alone. */
export const operationOf = ({ request }: Call): string | undefined =>
  (request as KeyedRequest | undefined)?.Key?.id?.S
