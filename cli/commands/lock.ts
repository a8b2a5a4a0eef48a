import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Command } from 'commander'
import type { Lock, LockTarget } from '#client/index.ts'
import { invalid } from '#domain/errors.ts'
import { examplesFirst } from '../help.ts'
import { interruption } from '../interrupt.ts'
import { parseDuration } from '../measures.ts'
import { note, strongError } from '../output.ts'
import { openLockstep } from '../session.ts'

interface LockFlags {
  readonly name?: readonly string[]
  readonly mode?: 'read' | 'write'
  /** Milliseconds. */
  readonly timeout?: number
  /** Milliseconds. */
  readonly lease?: number
}

export const define = (command: Command): void => {
  examplesFirst(command, [
    ['lockstep lock notes/hello.txt -- ./edit.sh', 'nobody else touches the file meanwhile'],
    [
      'lockstep lock --name nightly --timeout 30s -- make report',
      'a named lock; exit 124 if it takes longer',
    ],
    ['lockstep lock a.csv b.csv --mode read -- ./compare.sh', 'several at once, shared with other readers'],
  ])
    .argument('[PATH...]', 'of the files to hold, all at once; then "--" and the command')
    .option(
      '--name <NAME>',
      'a named lock to hold; may be repeated',
      (name: string, before: readonly string[] | undefined) => [...(before ?? []), name],
    )
    .option('--mode <MODE>', 'read (shared with other readers) or write', parseMode)
    .option('--timeout <TIME>', 'wait at most this long (30s, 2m); then exit 124', (text) =>
      parseDuration(text),
    )
    .option('--lease <TIME>', 'how long the lock outlives a dead holder (default: 10s)', (text) =>
      parseDuration(text, '--lease'),
    )
    .usage('[PATH...] [--name NAME] [options] -- COMMAND...')
    .action(async () => {
      const flags = command.opts<LockFlags>()
      const { words, program } = splitAtDashes(command.args)
      const targets: LockTarget[] = [...words, ...(flags.name ?? []).map((name) => ({ name }))]
      if (targets.length === 0) throw invalid('PATH', undefined, 'a path or a --name to hold')
      const lockstep = await openLockstep(command)
      const lock = await lockstep.lock(targets, {
        mode: flags.mode,
        timeoutMs: flags.timeout,
        leaseMs: flags.lease,
        signal: interruption(),
      })
      process.exitCode = await runHolding(lock, program)
    })
}

const parseMode = (text: string): 'read' | 'write' => {
  if (text !== 'read' && text !== 'write') throw invalid('--mode', text, 'read or write')
  return text
}

/** Commander drops the `--`; how many words come after it tells where it was. */
const splitAtDashes = (words: readonly string[]): { words: string[]; program: [string, ...string[]] } => {
  const at = process.argv.indexOf('--')
  const count = at < 0 ? 0 : process.argv.length - at - 1
  const [first, ...rest] = words.slice(words.length - count)
  if (count === 0 || first === undefined) {
    throw invalid('COMMAND', undefined, 'a command after "--", to be run while holding')
  }
  return { words: words.slice(0, words.length - count), program: [first, ...rest] }
}

/** Runs the program under the lock, and lets go however it ends. Gives the exit code to pass on. */
const runHolding = async (lock: Lock, program: [string, ...string[]]): Promise<number> => {
  try {
    return await runProgram(lock, program)
  } finally {
    // Throws `LeaseLost` if the lock was lost: the program did not run under it to its end.
    await lock.release()
  }
}

/** Passed on to the program. Ctrl-C is not, on a terminal: that one sends it to the program itself. */
const passedOn = [
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
] as const satisfies readonly NodeJS.Signals[]

const runProgram = (
  { hold, token, tokens, signal }: Lock,
  [name, ...words]: [string, ...string[]],
): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn(name, words, {
      stdio: 'inherit',
      env: {
        ...process.env,
        LOCKSTEP_HOLD: hold,
        LOCKSTEP_TOKEN: String(token),
        LOCKSTEP_TOKENS: JSON.stringify(tokens),
      },
    })
    const stop = (): void => void child.kill('SIGTERM')
    const signals: NodeJS.Signals[] = [...passedOn, 'SIGINT']
    const pass = (received: NodeJS.Signals): void => {
      if (received !== 'SIGINT' || !process.stdin.isTTY) child.kill(received)
    }
    const end = (code: number): void => {
      for (const each of signals) process.off(each, pass)
      signal.removeEventListener('abort', stop)
      resolve(code)
    }
    for (const each of signals) process.on(each, pass)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    child.once('error', (error: NodeJS.ErrnoException) => {
      note(`${strongError('error:')} ${name} could not be run: ${error.message}`)
      end(error.code === 'ENOENT' ? exitNotFound : exitNotRun)
    })
    child.once('exit', (code, killedBy) => end(killedBy === null ? (code ?? 0) : exitOfSignal(killedBy)))
  })

/** As shells give them. */
const exitNotFound = 127
const exitNotRun = 126
const exitOfSignal = (name: NodeJS.Signals): number => 128 + constants.signals[name]
