/**
 * What can go wrong with the local environment. These are faults of the machine, not of an operation, so they
 * are not part of the error catalogue of the deployment; `code` is stable, the message is one sentence with
 * the remedy.
 */
export const localErrorCodes = [
  'PythonMissing',
  'PythonTooOld',
  'PythonIncomplete',
  'InstallFailed',
  'StartFailed',
  'EndpointChanged',
  'DeployFailed',
  'OutputMissing',
  'TimedOut',
] as const

export type LocalErrorCode = (typeof localErrorCodes)[number]

export class LocalEnvironmentError extends Error {
  readonly code: LocalErrorCode

  constructor(code: LocalErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'LocalEnvironmentError'
    this.code = code
  }
}
