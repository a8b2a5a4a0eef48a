import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod/mini'

import { LocalEnvironmentError } from './errors.ts'
import { readHealth } from './health.ts'
import { venvPython } from './install.ts'
import { bareEnvironment, localRegion, loopback } from './network.ts'
import { checkoutDirectory, type LocalPaths } from './paths.ts'
import { findFreePort, isFree } from './port.ts'
import { endMarked, endProcess, findProcess, isAlive } from './processes.ts'
import { lastLines } from './run-command.ts'
import { waitFor } from './wait.ts'
import { writeWhole } from './write-whole.ts'

const launcher = join(dirname(fileURLToPath(import.meta.url)), 'run_emulator.py')

/**
 * It answers in 0.3 s on an idle machine; a busy one with cold disks has been seen to need ten times that.
 */
const startDeadlineMs = 60_000

/** It lets open requests end for 3 s and then saves its state. */
const stopGraceMs = 15_000

/** Between finding a free port and using it someone else may take it, but hardly so often. */
const startAttempts = 3

const emulatorSchema = z.object({
  pid: z.number(),
  startedAt: z.string(),
  port: z.number(),
  endpoint: z.string(),
  auth: z.boolean(),
  /** What it answers with, so that whatever else may sit at that port is not taken for it. */
  token: z.string(),
  /** Its own certificate, when it speaks TLS. */
  certificateFile: z.optional(z.string()),
})

export type Emulator = z.infer<typeof emulatorSchema>

export interface StartOptions {
  /** Verify signatures, evaluate policies, and so speak TLS, which the stacks' policies demand. */
  readonly auth: boolean
  /** Let it end with this process, however this process ends. */
  readonly lifeline: boolean
  /** Where it is installed. */
  readonly venv: string
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((message: string) => void) | undefined
}

/**
 * Starts the emulator and waits until it answers.
 *
 * @throws LocalEnvironmentError `StartFailed` when it ends instead, `TimedOut` when it does not answer.
 */
export async function startEmulator(paths: LocalPaths, options: StartOptions): Promise<Emulator> {
  if (isTorn(paths)) {
    options.onProgress?.('The emulator was ended before it could save its state: it starts empty')
    rmSync(paths.state, { recursive: true, force: true })
  }
  for (let attempt = 1; ; attempt += 1) {
    const port = await portFor(paths, options.auth)
    const emulator = await launch(paths, options, port)
    try {
      await waitUntilReady(paths, emulator, options.signal)
      writeWhole(endpointFile(paths), JSON.stringify({ port, auth: options.auth }))
      return emulator
    } catch (error) {
      const portWasTaken = /already in use/i.test(lastLines(paths.emulatorLog))
      await stopEmulator(paths, emulator)
      if (!portWasTaken || attempt === startAttempts) throw error
    }
  }
}

/**
 * What is deployed carries the endpoint (in queue URLs that functions were given), so state is of use at that
 * one only.
 */
async function portFor(paths: LocalPaths, auth: boolean): Promise<number> {
  const earlier = readEndpoint(paths)
  if (earlier === undefined) return findFreePort()
  if (earlier.auth === auth && (await isFree(earlier.port))) return earlier.port
  const reason =
    earlier.auth === auth
      ? 'which another program has taken: end that program'
      : `with auth ${earlier.auth}, and this start asks for auth ${auth}: use the same setting`
  throw new LocalEnvironmentError(
    'EndpointChanged',
    `What is stored in the local environment was deployed at port ${earlier.port}, ${reason}, ` +
      'or start empty after `npx lockstep local reset`.',
  )
}

const endpointSchema = z.object({ port: z.number(), auth: z.boolean() })

/** It lies in the state, since it belongs to it: it must not get lost, or outlive it. */
function endpointFile(paths: LocalPaths): string {
  return join(paths.state, 'endpoint.json')
}

function readEndpoint(paths: LocalPaths): z.infer<typeof endpointSchema> | undefined {
  if (!existsSync(endpointFile(paths))) return undefined
  return endpointSchema.parse(JSON.parse(readFileSync(endpointFile(paths), 'utf8')))
}

/** What was last started for this directory, whether or not it still runs. */
export function readEmulator(paths: LocalPaths): Emulator | undefined {
  try {
    return emulatorSchema.parse(JSON.parse(readFileSync(paths.emulatorFile, 'utf8')))
  } catch {
    // Absent, or cut short by a crash of the machine: then the process list tells what runs.
    return undefined
  }
}

/** The emulator of this directory if that very process still runs. */
export async function findRunning(paths: LocalPaths): Promise<Emulator | undefined> {
  const emulator = readEmulator(paths)
  return emulator !== undefined && (await isAlive(emulator)) ? emulator : undefined
}

/** Whether it answers, and is the one that we started. */
export async function isHealthy(emulator: Emulator): Promise<boolean> {
  const health = await readHealth(emulator.endpoint)
  return health?.edition === emulator.token && health.ready
}

/** Ends the emulator and every other that was started for this directory but whose record was lost. */
export async function stopEmulator(paths: LocalPaths, emulator: Emulator | undefined): Promise<void> {
  if (emulator !== undefined) await endProcess(emulator, stopGraceMs)
  await endMarked(marker(paths), stopGraceMs)
}

/** An option that Python ignores, so that the process list shows whose emulator this is. */
function marker(paths: LocalPaths): string {
  return `-X lockstep=${paths.root} ${launcher}`
}

async function launch(paths: LocalPaths, options: StartOptions, port: number): Promise<Emulator> {
  prepareDirectories(paths)
  const token = `lockstep-${randomUUID()}`
  const log = openSync(paths.emulatorLog, 'w')
  const child = spawn(
    venvPython(options.venv),
    ['-X', `lockstep=${paths.root}`, launcher, ...(options.lifeline ? ['--lifeline'] : [])],
    {
      cwd: paths.root,
      env: emulatorEnvironment(paths, options, port, token),
      stdio: [options.lifeline ? 'pipe' : 'ignore', log, log],
      detached: true,
    },
  )
  closeSync(log)
  const identity = await identify(child)
  const certificateFile = options.auth ? join(paths.temporary, 'ministack-tls', 'server.crt') : undefined
  const emulator: Emulator = {
    ...identity,
    port,
    endpoint: `${options.auth ? 'https' : 'http'}://${loopback}:${port}`,
    auth: options.auth,
    token,
    ...(certificateFile === undefined ? {} : { certificateFile }),
  }
  writeWhole(paths.emulatorFile, JSON.stringify(emulator, undefined, 2))
  return emulator
}

/** This process may end before the emulator does: neither it nor the lifeline may keep it running. */
async function identify(child: ChildProcess): Promise<{ pid: number; startedAt: string }> {
  await once(child, 'spawn')
  child.unref()
  if (child.stdin !== null && 'unref' in child.stdin) (child.stdin as { unref(): void }).unref()
  const found = child.pid === undefined ? undefined : await findProcess(child.pid)
  if (found === undefined)
    throw new LocalEnvironmentError('StartFailed', 'The emulator ended at once: try again.')
  return { pid: found.pid, startedAt: found.startedAt }
}

/**
 * The emulator writes objects at once but everything else at its end. After a crash the one does not fit the
 * other (a file of today, the tables of last week), which no real cloud does to us; so such a state is not
 * used.
 */
function isTorn(paths: LocalPaths): boolean {
  return existsSync(paths.state) && !existsSync(savedMarker(paths))
}

/** Written by run_emulator.py when the emulator has saved its state. */
function savedMarker(paths: LocalPaths): string {
  return join(paths.state, 'saved')
}

function prepareDirectories(paths: LocalPaths): void {
  rmSync(savedMarker(paths), { force: true })
  // What functions of the last run left behind.
  rmSync(paths.temporary, { recursive: true, force: true })
  for (const directory of [paths.root, paths.state, paths.temporary])
    mkdirSync(directory, { recursive: true })
  // Functions run from folders in here, and the emulator's own runner is CommonJS: without this file Node
  // would look further up, find a package.json with "type": "module", and fail to load it.
  const scope = join(paths.temporary, 'package.json')
  writeFileSync(scope, '{"type": "commonjs"}\n')
}

function emulatorEnvironment(
  paths: LocalPaths,
  options: StartOptions,
  port: number,
  token: string,
): Record<string, string> {
  const inherited = bareEnvironment()
  const bin = join(checkoutDirectory, 'node_modules', '.bin')
  return {
    ...inherited,
    // Functions run on the `node` that comes first here: the same major version as in the cloud.
    PATH: [bin, inherited['PATH'] ?? '/usr/bin:/bin'].join(delimiter),
    BIND_HOST: loopback,
    GATEWAY_PORT: `${port}`,
    MINISTACK_HOST: loopback,
    MINISTACK_REGION: localRegion,
    AWS_DEFAULT_REGION: localRegion,
    MINISTACK_EDITION: token,
    TMPDIR: paths.temporary,
    PERSIST_STATE: '1',
    S3_PERSIST: '1',
    STATE_DIR: join(paths.state, 'services'),
    S3_DATA_DIR: join(paths.state, 's3'),
    LOCKSTEP_SAVED_MARKER: savedMarker(paths),
    LAMBDA_EXECUTOR: 'local',
    // Else it takes a port that we did not ask for, and a second instance complains.
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    // Else it would look for containers to clean up in the person's own Docker.
    DOCKER_HOST: `unix://${join(paths.temporary, 'no-docker.sock')}`,
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    ...(options.auth ? { AUTH: 'true', USE_SSL: '1' } : {}),
  }
}

async function waitUntilReady(paths: LocalPaths, emulator: Emulator, signal?: AbortSignal): Promise<void> {
  await waitFor(
    async () => {
      if (!(await isAlive(emulator))) {
        throw new LocalEnvironmentError(
          'StartFailed',
          `The emulator ended while it was starting: see ${paths.emulatorLog}. Its last lines:\n` +
            lastLines(paths.emulatorLog),
        )
      }
      return (await isHealthy(emulator)) ? true : undefined
    },
    {
      what: 'the emulator to answer',
      deadlineMs: startDeadlineMs,
      remedy: `see ${paths.emulatorLog}`,
      signal,
    },
  )
}

/** Deletes everything that the emulator kept. It must not be running. */
export function deleteState(paths: LocalPaths): void {
  const { state, temporary, emulatorFile, emulatorLog, deploymentFile, outputsFile, assembly, deployLog } =
    paths
  for (const path of [
    deploymentFile,
    outputsFile,
    emulatorFile,
    state,
    temporary,
    assembly,
    emulatorLog,
    deployLog,
  ]) {
    rmSync(path, { recursive: true, force: true })
  }
}
