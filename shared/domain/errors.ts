/**
 * The error catalogue: one row per code, the only place where a code meets its HTTP status, its exit code and its advice.
 * `retry` is data, not a guess by whoever catches: `later` means the same request may succeed when sent again.
 */
export const errorCatalogue = {
  InvalidArgument: { httpStatus: 400, exitCode: 2, retry: 'never', sentence: 'The request is not valid.' },
  NotFound: {
    httpStatus: 404,
    exitCode: 1,
    retry: 'never',
    sentence: 'The file or operation does not exist.',
  },
  PreconditionFailed: {
    httpStatus: 412,
    exitCode: 1,
    retry: 'never',
    sentence: 'The file is not in the expected state.',
  },
  AlreadyExists: { httpStatus: 409, exitCode: 1, retry: 'never', sentence: 'The target exists already.' },
  Conflict: { httpStatus: 409, exitCode: 1, retry: 'never', sentence: 'The id belongs to another request.' },
  LineFull: {
    httpStatus: 429,
    exitCode: 1,
    retry: 'later',
    sentence: 'Too many operations wait on this path.',
  },
  TooLarge: { httpStatus: 413, exitCode: 1, retry: 'never', sentence: 'A limit on size was exceeded.' },
  AccessDenied: {
    httpStatus: 403,
    exitCode: 3,
    retry: 'never',
    sentence: 'The credentials do not allow this.',
  },
  Cancelled: { httpStatus: 409, exitCode: 1, retry: 'never', sentence: 'The operation was cancelled.' },
  Exhausted: {
    httpStatus: 500,
    exitCode: 1,
    retry: 'later',
    sentence: 'Every attempt died before it took effect.',
  },
  Expired: {
    httpStatus: 410,
    exitCode: 1,
    retry: 'later',
    sentence: 'The operation waited longer than it may live.',
  },
  UploadVoided: {
    httpStatus: 409,
    exitCode: 1,
    retry: 'later',
    sentence: 'The uploaded parts are gone; nothing was written.',
  },
  LeaseLost: {
    httpStatus: 409,
    exitCode: 1,
    retry: 'never',
    sentence: 'The hold has ended; nothing runs under it any more.',
  },
  Throttled: { httpStatus: 429, exitCode: 1, retry: 'later', sentence: 'The service asked to slow down.' },
  Unreachable: {
    httpStatus: 503,
    exitCode: 3,
    retry: 'later',
    sentence: 'The deployment could not be reached.',
  },
  Timeout: {
    httpStatus: 504,
    exitCode: 124,
    retry: 'later',
    sentence: 'The wait ended before the operation did.',
  },
  Internal: {
    httpStatus: 500,
    exitCode: 1,
    retry: 'later',
    sentence: 'Something failed that should not fail.',
  },
} as const satisfies Record<string, CatalogueRow>

interface CatalogueRow {
  readonly httpStatus: number
  readonly exitCode: number
  readonly retry: 'never' | 'later'
  readonly sentence: string
}

export type ErrorCode = keyof typeof errorCatalogue

/** What is stored in a record and shown to users: `{code, message, retryable, details?}`. */
export interface ErrorDocument {
  readonly code: ErrorCode
  readonly message: string
  readonly retryable: boolean
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * The one error that users see. Told apart by `code`, never by `instanceof`: two bundles have two classes.
 * Messages say what happened, what was got, what was expected, and what to do.
 */
export class LockstepError extends Error {
  override readonly name = 'LockstepError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = errorCatalogue[code].retry === 'later'
    this.details = options.details
  }

  toDocument(): ErrorDocument {
    const { code, message, retryable, details } = this
    return details === undefined ? { code, message, retryable } : { code, message, retryable, details }
  }
}

export const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(errorCatalogue, value)

/** True for a {@link LockstepError} of any bundle. */
export const isLockstepError = (error: unknown): error is LockstepError =>
  error instanceof Error && error.name === 'LockstepError' && isErrorCode((error as { code?: unknown }).code)

/** Bad input: names the field, what was got and the rule that it breaks. */
export const invalid = (field: string, got: unknown, expected: string): LockstepError =>
  new LockstepError('InvalidArgument', `${field}: got ${show(got)}, expected ${expected}.`, {
    details: { field, expected },
  })

/** A value as it appears in a message: quoted, on one line, cut at 80 characters so that no input floods a log. */
export const show = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`
}
