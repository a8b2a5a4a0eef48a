import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { LocalEnvironmentError } from './errors.ts'
import { acquireLock } from './lock.ts'
import { cleanEnvironment } from './network.ts'
import { venvDirectory } from './paths.ts'
import { endMarked } from './processes.ts'
import { type FindPythonOptions, findPython } from './python.ts'
import { lastLines, runCommand } from './run-command.ts'

/**
 * The download is about 20 MB; this leaves room for a slow line, and for one process that waits for
 * another's.
 */
const installDeadlineMs = 10 * 60_000

/** `pip` has nothing to put in order that a new installation would not. */
const leftoverGraceMs = 5000

export const requirementsFile = join(dirname(fileURLToPath(import.meta.url)), 'requirements.lock')

export interface InstallOptions {
  readonly directory?: string
  readonly requirements?: string
  readonly python?: FindPythonOptions
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((message: string) => void) | undefined
}

/** The interpreter inside an installation. */
export function venvPython(directory: string = venvDirectory): string {
  return join(directory, 'bin', 'python')
}

/**
 * Makes sure that the emulator is installed, exactly as the lock file says. A stamp that is written last
 * tells a whole installation from one that was interrupted or belongs to an older lock file; what is not
 * whole is made anew.
 *
 * @throws LocalEnvironmentError `Python...` when there is no fit Python, `InstallFailed` when pip fails.
 */
export async function installEmulator(options: InstallOptions = {}): Promise<void> {
  const { directory = venvDirectory, requirements = requirementsFile, signal, onProgress } = options
  if (isInstalled(directory, requirements)) return
  mkdirSync(dirname(directory), { recursive: true })
  const lock = await acquireLock(`${directory}.lock`, {
    purpose: 'install the emulator',
    deadlineMs: installDeadlineMs,
    signal,
    onWait: (holder) => onProgress?.(`Waiting for process ${holder.pid}, which installs the emulator`),
  })
  try {
    if (!isInstalled(directory, requirements)) await installAnew({ ...options, directory, requirements })
  } finally {
    lock.release()
  }
}

/**
 * A broken link in place of the interpreter, as an upgrade of the system's Python leaves it, counts as not
 * installed.
 */
export function isInstalled(directory: string, requirements: string): boolean {
  if (!existsSync(venvPython(directory))) return false
  try {
    return readFileSync(stampFile(directory), 'utf8') === stampOf(requirements)
  } catch {
    return false
  }
}

async function installAnew(
  options: InstallOptions & { directory: string; requirements: string },
): Promise<void> {
  const { directory, requirements, signal, onProgress } = options
  const python = await findPython({ wanted: process.env['LOCKSTEP_PYTHON'], ...options.python })
  onProgress?.(`Installing the emulator with Python ${python.major}.${python.minor} (once, about 20 MB)`)
  // Of an earlier run that was killed: it would write into what is about to be made.
  await endMarked(`${venvPython(directory)} -m pip`, leftoverGraceMs)
  rmSync(directory, { recursive: true, force: true })
  const logFile = `${directory}.log`
  rmSync(logFile, { force: true })
  const pip = [
    '-m',
    'pip',
    'install',
    '--disable-pip-version-check',
    '--no-input',
    '--require-hashes',
    '--no-deps',
  ]
  const steps: [string, string[]][] = [
    [python.executable, ['-m', 'venv', directory]],
    [venvPython(directory), [...pip, '--requirement', requirements]],
  ]
  for (const [command, commandArguments] of steps) {
    const common = { directory: dirname(directory), environment: cleanEnvironment(), logFile, signal }
    const code = await runCommand(command, commandArguments, common)
    if (code !== 0) throw installFailed(command, commandArguments, code, logFile)
  }
  writeFileSync(stampFile(directory), stampOf(requirements))
}

function installFailed(
  command: string,
  args: readonly string[],
  code: number | null,
  logFile: string,
): Error {
  return new LocalEnvironmentError(
    'InstallFailed',
    `Installing the local emulator failed (${[command, ...args.slice(0, 3)].join(' ')} ... ended with ` +
      `${code ?? 'a signal'}): see ${logFile}, check that this machine reaches its Python package index, ` +
      `and try again. Its last lines:\n${lastLines(logFile)}`,
  )
}

function stampFile(directory: string): string {
  return join(directory, '.lockstep-stamp')
}

/** Comments install nothing: a change in them is no reason to make anew what an emulator may be running from. */
function stampOf(requirements: string): string {
  const pinned = readFileSync(requirements, 'utf8')
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
  return createHash('sha256').update(pinned.join('\n')).digest('hex')
}
