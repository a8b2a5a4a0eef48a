import { existsSync } from 'node:fs'

import { deploy, readOutputs } from './deploy.ts'
import { type Deployment, readDeployment, saveDeployment } from './deployment.ts'
import {
  deleteState,
  type Emulator,
  findRunning,
  isHealthy,
  readEmulator,
  startEmulator,
  stopEmulator,
} from './emulator.ts'
import { fingerprintSources } from './fingerprint.ts'
import { installEmulator } from './install.ts'
import { acquireLock, lockHolder } from './lock.ts'
import { localRegion } from './network.ts'
import { checkoutDirectory, defaultDirectory, type LocalPaths, localPaths, venvDirectory } from './paths.ts'
import { stacksAreWhole } from './stacks.ts'

export type { Deployment } from './deployment.ts'

/** A first `up` on a slow machine: download, bootstrap, deployment of everything. */
const lockDeadlineMs = 10 * 60_000

export interface LocalOptions {
  /** Where its state lies; one directory is one environment. Default: `.local` of the checkout. */
  readonly directory?: string
  /**
   * Verify signatures and evaluate IAM and resource policies, over TLS. Default: off, as any caller is the
   * owner then.
   */
  readonly auth?: boolean
  /**
   * End the emulator when this process ends, even by SIGKILL: for tests. Default: it outlives the process.
   */
  readonly lifeline?: boolean
  /** The command that synthesizes what is deployed. Default: the one in cdk.json. */
  readonly app?: string
  readonly signal?: AbortSignal
  /** Told one short sentence at the start of each step. */
  readonly onProgress?: (message: string) => void
}

export const localStates = ['up', 'down', 'half-started'] as const

export interface LocalStatus {
  /** `half-started`: the emulator runs without an answer or without the stacks; `up` repairs it. */
  readonly state: (typeof localStates)[number]
  readonly endpoint: string | null
  readonly region: string | null
  readonly bucket: string | null
  /** Of the HTTP API, once there is one. */
  readonly url: string | null
  readonly queueUrl: string | null
  readonly emulatorPid: number | null
}

/**
 * One local AWS with Lockstep deployed to it. Whatever state it is found in, `up` makes it whole and `down`
 * ends it, also when several processes call them at once.
 */
export class LocalEnvironment {
  readonly paths: LocalPaths
  readonly #options: LocalOptions

  constructor(options: LocalOptions = {}) {
    this.paths = localPaths(options.directory ?? defaultDirectory)
    this.#options = options
  }

  /**
   * Installs, starts and deploys what is not installed, running and deployed.
   *
   * @throws LocalEnvironmentError with a sentence that says what to do.
   */
  async up(): Promise<Deployment> {
    return this.#exclusively('start the local environment', async () => {
      const emulator = await this.#ensureEmulator()
      return this.#ensureDeployment(emulator)
    })
  }

  /** Starts the emulator alone, with nothing deployed: for tests of single adapters. */
  async upWithoutStacks(): Promise<Emulator> {
    return this.#exclusively('start the local emulator', () => this.#ensureEmulator())
  }

  /** Ends the emulator. What was stored is kept for the next `up`. */
  async down(): Promise<void> {
    await this.#exclusively('stop the local environment', () =>
      stopEmulator(this.paths, readEmulator(this.paths)),
    )
  }

  /** Ends the emulator and deletes everything stored in it. The installation stays. */
  async reset(): Promise<void> {
    await this.#exclusively('reset the local environment', async () => {
      await stopEmulator(this.paths, readEmulator(this.paths))
      deleteState(this.paths)
    })
  }

  /** Looks without changing anything, also while another process brings it up. */
  async status(): Promise<LocalStatus> {
    const emulator = await findRunning(this.paths)
    const deployment = readDeployment(this.paths.root)
    const busy = await lockHolder(this.paths.lock)
    if (emulator === undefined) return { ...nothing, state: busy === undefined ? 'down' : 'half-started' }
    const common = { ...nothing, endpoint: emulator.endpoint, region: localRegion, emulatorPid: emulator.pid }
    const matches = deployment?.emulatorPid === emulator.pid && deployment.endpoint === emulator.endpoint
    if (!matches || !(await isHealthy(emulator))) return { ...common, state: 'half-started' }
    return { ...common, state: 'up', bucket: deployment.bucket, queueUrl: deployment.operationsQueueUrl }
  }

  async #ensureEmulator(): Promise<Emulator> {
    const { auth = false, lifeline = false, signal, onProgress } = this.#options
    const running = await findRunning(this.paths)
    if (running !== undefined && running.auth === auth && (await isHealthy(running))) return running
    // It hangs, was started with other options, or its record was lost: end it. What it saves at its end is
    // kept.
    await stopEmulator(this.paths, running)
    // Nothing whole was ever deployed there: a stack that was cut short must not stand in the way.
    if (readDeployment(this.paths.root) === undefined) deleteState(this.paths)
    await installEmulator({ signal, onProgress })
    onProgress?.('Starting the emulator')
    return startEmulator(this.paths, { auth, lifeline, venv: venvDirectory, signal, onProgress })
  }

  async #ensureDeployment(emulator: Emulator): Promise<Deployment> {
    const { app, signal, onProgress } = this.#options
    const fingerprint = fingerprintSources(checkoutDirectory, app)
    const saved = readDeployment(this.paths.root)
    const unchanged = saved?.fingerprint === fingerprint && saved.endpoint === emulator.endpoint
    const deployment =
      unchanged && existsSync(this.paths.outputsFile) && (await stacksAreWhole(emulator))
        ? readOutputs(this.paths, emulator)
        : await deploy(this.paths, emulator, { app, signal, onProgress })
    // Saved even if nothing was deployed: a restarted emulator has another pid.
    saveDeployment(this.paths, { ...deployment, fingerprint })
    return deployment
  }

  async #exclusively<T>(purpose: string, work: () => Promise<T>): Promise<T> {
    const { signal, onProgress } = this.#options
    const lock = await acquireLock(this.paths.lock, {
      purpose,
      deadlineMs: lockDeadlineMs,
      signal,
      onWait: (holder) => onProgress?.(`Waiting for process ${holder.pid} to ${holder.purpose}`),
    })
    try {
      return await work()
    } finally {
      lock.release()
    }
  }
}

const nothing = {
  endpoint: null,
  region: null,
  bucket: null,
  url: null,
  queueUrl: null,
  emulatorPid: null,
} as const
