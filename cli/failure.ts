import { type ErrorDocument, errorCatalogue, isLockstepError, LockstepError } from '#domain/errors.ts'
import { Interrupted } from './interrupt.ts'
import { note, printJson, strongError } from './output.ts'

/** Exit codes of API.md that are not in the error catalogue. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const

/** What was not understood on the command line. `hint`: which help to read. */
const usageError = (error: Error, command: string): LockstepError => {
  // Commander says "error: ..." and puts its suggestion on a line of its own.
  const said = error.message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .trim()
  const sentence = `${said.charAt(0).toUpperCase()}${said.slice(1)}`
  const ended = /[.?!)]$/.test(sentence) ? sentence : `${sentence}.`
  return new LockstepError('InvalidArgument', `${ended} See \`${command} --help\`.`, { cause: error })
}

const isCommanderError = (error: Error & { code?: unknown }): boolean =>
  typeof error.code === 'string' && error.code.startsWith('commander.')

const known = (
  error: unknown,
  command: string,
): { document: ErrorDocument | object; message: string; exitCode: number } => {
  if (error instanceof Interrupted) {
    const document = { code: 'Interrupted', message: error.message, retryable: true }
    return { document, message: error.message, exitCode: error.exitCode }
  }
  const thrown = error instanceof Error ? error : new Error(String(error))
  if (thrown.name === 'LocalEnvironmentError') {
    const { message, code } = thrown as Error & { code?: unknown }
    return { document: { code, message, retryable: false }, message, exitCode: exitCodes.failed }
  }
  const catalogued = isLockstepError(thrown)
    ? thrown
    : isCommanderError(thrown)
      ? usageError(thrown, command)
      : unforeseen(thrown)
  return {
    document: catalogued.toDocument(),
    message: catalogued.message,
    exitCode: errorCatalogue[catalogued.code].exitCode,
  }
}

const unforeseen = (error: Error): LockstepError =>
  new LockstepError(
    'Internal',
    `${error.name}: ${error.message}. Run it with LOCKSTEP_DEBUG=1 to see where, and report it.`,
    {
      cause: error,
    },
  )

/** Says what went wrong in one sentence on standard error (and as the one JSON document, if asked), and gives the exit code. */
export const reportFailure = (error: unknown, options: { json: boolean; command: string }): number => {
  const { document, message, exitCode } = known(error, options.command)
  if (options.json) printJson({ error: document })
  note(`${strongError('error:')} ${message}`)
  if (process.env['LOCKSTEP_DEBUG']) console.error(error)
  return exitCode
}
