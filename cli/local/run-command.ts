import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'

export interface CommandOptions {
  readonly directory: string
  readonly environment: Record<string, string>
  /** Everything that the command prints is appended here. */
  readonly logFile: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a command to its end, with its output in a log file.
 *
 * It leads a process group of its own, so that what it starts ends with it when the signal is aborted.
 *
 * @returns its exit code, or null if a signal ended it.
 * @throws the signal's reason when it is aborted; the system's error when the command cannot be started.
 */
export async function runCommand(
  command: string,
  commandArguments: readonly string[],
  options: CommandOptions,
): Promise<number | null> {
  options.signal?.throwIfAborted()
  const log = openSync(options.logFile, 'a')
  const child = spawn(command, commandArguments, {
    cwd: options.directory,
    env: options.environment,
    stdio: ['ignore', log, log],
    detached: true,
  })
  closeSync(log)
  const onAbort = () => endGroup(child.pid)
  options.signal?.addEventListener('abort', onAbort)
  try {
    const [code] = (await once(child, 'exit')) as [number | null]
    options.signal?.throwIfAborted()
    return code
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGTERM')
  } catch {
    // It has ended already.
  }
}

/** The end of a log, which is where commands say why they failed. */
export function lastLines(logFile: string, count = 30): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
  } catch {
    return '(it wrote nothing)'
  }
}
