import { errorCatalogue, isLockstepError, LockstepError } from '#domain/errors.ts'
import { Interrupted } from './interrupt.ts'
import { note, printJson, strongError } from './output.ts'

/** Exit codes that are not in the error catalogue. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const

/** A failure in the three forms that it is told in. */
interface Failure {
  readonly document: object
  readonly message: string
  readonly exitCode: number
}

const codeIn = (error: Error): string => {
  const { code } = error as Error & { code?: unknown }
  return typeof code === 'string' ? code : ''
}

/** Commander has printed the help, since a command was left out. */
export const isHelpInstead = (error: unknown): boolean =>
  error instanceof Error && codeIn(error) === 'commander.help'

/**
 * What was not understood on the command line. Commander says "error: ..." and puts a suggestion in brackets
 * on a line of its own.
 */
const usageError = (error: Error, command: string): LockstepError => {
  const said = (isHelpInstead(error) ? 'no command was given' : error.message)
    .replace(/^error: /, '')
    .replace(/\s*\((Did you mean [^\n]*\?)\)$/, '. $1')
    .replace(/\s*\n\s*/g, ' ')
  const sentence = `${said.charAt(0).toUpperCase()}${said.slice(1)}`
  const ended = /[.?!]$/.test(sentence) ? sentence : `${sentence}.`
  return new LockstepError('InvalidArgument', `${ended} See \`${command} --help\`.`, { cause: error })
}

const unforeseen = (error: Error): LockstepError => {
  const message = `${error.name}: ${error.message}. Run it with LOCKSTEP_DEBUG=1 to see where, and report it.`
  return new LockstepError('Internal', message, { cause: error })
}

const catalogued = (error: Error, command: string): LockstepError => {
  if (isLockstepError(error)) return error
  return codeIn(error).startsWith('commander.') ? usageError(error, command) : unforeseen(error)
}

const failureOf = (thrown: unknown, command: string): Failure => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { message } = error
  if (error instanceof Interrupted) {
    const document = { code: 'Interrupted', message, retryable: true }
    return { document, message, exitCode: error.exitCode }
  }
  if (error.name === 'LocalEnvironmentError') {
    const document = { code: codeIn(error), message, retryable: false }
    return { document, message, exitCode: exitCodes.failed }
  }
  const known = catalogued(error, command)
  return {
    document: known.toDocument(),
    message: known.message,
    exitCode: errorCatalogue[known.code].exitCode,
  }
}

/**
 * Says what went wrong in one sentence on standard error (and as the one JSON document, if asked), and gives
 * the exit code.
 */
export const reportFailure = (error: unknown, options: { json: boolean; command: string }): number => {
  const { document, message, exitCode } = failureOf(error, options.command)
  if (options.json) printJson({ error: document })
  note(`${strongError('error:')} ${message}`)
  if (process.env['LOCKSTEP_DEBUG']) console.error(error)
  return exitCode
}
