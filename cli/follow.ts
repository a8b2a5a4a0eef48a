import type { Operation, OperationDocument } from '#client/index.ts'
import { exitCodes } from './failure.ts'
import type { WaitFlags } from './flags.ts'
import { Interrupted, interruption } from './interrupt.ts'
import { ageOf, sizeText } from './measures.ts'
import { note, printJson, printLine, strongError } from './output.ts'
import { bar, progressLine } from './progress.ts'
import { documentLine } from './texts.ts'

/** Prints a document that succeeded, for people. */
export type Print = (document: OperationDocument) => void | Promise<void>

const printDocument: Print = (document) => printLine(documentLine(document))

/**
 * What a command does with an operation that it has submitted: prints its id, or waits for its end.
 * `--timeout` means to wait as well. `always`: for commands whose point is the result.
 */
export const followOne = async (
  operation: Operation<unknown>,
  flags: WaitFlags & { readonly always?: boolean },
  print: Print = printDocument,
): Promise<void> => {
  if (flags.always !== true && flags.wait !== true && flags.timeout === undefined) {
    if (flags.json === true) printJson(operation.accepted)
    else printLine(operation.id)
    return
  }
  const document = await waitFor(operation, flags)
  process.exitCode = exitCodeOf(document)
  if (flags.json === true) printJson(document)
  else if (document.status === 'succeeded') await print(document)
  reportUnsuccessful(document)
}

export const exitCodeOf = ({ status }: OperationDocument): number =>
  status === 'succeeded' ? exitCodes.done : exitCodes.failed

/** On standard error: why an operation has no result. */
export const reportUnsuccessful = ({ id, kind, status, error }: OperationDocument): void => {
  if (status === 'succeeded') return
  const reason = error === undefined ? 'no reason is known' : `${error.code}: ${error.message}`
  note(`${strongError(`${kind} ${id} ${status}:`)} ${reason}`)
}

/** Waits, with a line of progress on a terminal. Ctrl-C ends the wait, not the operation, and says so. */
export const waitFor = async (
  operation: Pick<Operation<unknown>, 'id' | 'kind' | 'wait' | 'watch'>,
  flags: { readonly timeout?: number | undefined },
): Promise<OperationDocument> => {
  const options = { timeoutMs: flags.timeout, signal: interruption() }
  try {
    return process.stderr.isTTY ? await watchToEnd(operation, options) : await operation.wait(options)
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    const { id, kind } = operation
    const next = `\`lockstep wait ${id}\` waits again, \`lockstep cancel ${id}\` cancels it.`
    throw new Interrupted(`Stopped waiting; the ${kind} ${id} goes on. ${next}`, error.exitCode)
  }
}

const watchToEnd = async (
  operation: Pick<Operation<unknown>, 'id' | 'wait' | 'watch'>,
  options: { timeoutMs: number | undefined; signal: AbortSignal },
): Promise<OperationDocument> => {
  const line = progressLine()
  try {
    let last: OperationDocument | undefined
    for await (const document of operation.watch(options)) {
      last = document
      line.show(progressText(document))
    }
    return last ?? (await operation.wait(options))
  } finally {
    line.end()
  }
}

const progressText = ({ id, kind, status, progress, waiting }: OperationDocument): string => {
  if (waiting !== undefined) {
    const { path, position, holder, heldSince } = waiting
    const since = heldSince === undefined ? '' : ` for ${ageOf(heldSince, Date.now())}`
    return `${kind} ${id} waits for ${path}: ${position} before it, held by ${holder}${since}`
  }
  if (progress === undefined) return `${kind} ${id} ${status}`
  const { done, total, unit } = progress
  const amounts = unit === 'bytes' ? `${sizeText(done)} of ${sizeText(total)}` : `${done} of ${total} ${unit}`
  return `${kind} ${id} ${bar(total === 0 ? 1 : done / total)} ${amounts}`
}
