import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { checkoutDirectory } from '#cli/local/paths.ts'

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  /** Or the name of the signal that ended it. */
  readonly exitCode: number | string
}

export interface RunOptions {
  /** Standard input. Default: none. */
  readonly input?: string | Uint8Array
  readonly directory?: string
  readonly environment?: Readonly<Record<string, string>>
  /** As of a pipe whose writer has more to say. */
  readonly keepInputOpen?: boolean
  /** When it aborts, the command gets a Ctrl-C. */
  readonly interrupt?: AbortSignal
}

/**
 * What of this process's environment could lead a command to another deployment, or make it behave like a
 * test.
 */
const leaked = /^(AWS_|LOCKSTEP_|VITEST|NODE_OPTIONS|NODE_V8_COVERAGE|FORCE_COLOR)/

/** Runs `lockstep` as a user does, in a process of its own. */
export const runCommand = (words: readonly string[], options: RunOptions = {}): Promise<Ran> => {
  const kept = Object.entries(process.env).filter(([name]) => !leaked.test(name))
  const child = spawn(process.execPath, [join(checkoutDirectory, 'cli', 'lockstep.mjs'), ...words], {
    env: { ...Object.fromEntries(kept), AWS_EC2_METADATA_DISABLED: 'true', ...options.environment },
    ...(options.directory !== undefined && { cwd: options.directory }),
  })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
    })
  }
  // A command that fails early closes its input; that is no failure of the test.
  child.stdin.on('error', () => undefined)
  if (options.input !== undefined) child.stdin.write(options.input)
  if (options.keepInputOpen !== true) child.stdin.end()
  options.interrupt?.addEventListener('abort', () => child.kill('SIGINT'))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ ...texts, exitCode: code ?? signal ?? 'unknown' }))
  })
}
