import { isLockstepError } from '#domain/errors.ts'
import { type FaultKind, PortFault } from '#ports/faults.ts'

/** Answered "not now": nothing was done. */
const busyCodes = new Set([
  'BandwidthLimitExceeded',
  'ConditionalRequestConflict',
  'ConflictException',
  'LimitExceededException',
  'OperationAborted',
  'OverLimit',
  'ProvisionedThroughputExceededException',
  'ReplicatedWriteConflictException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  // S3 waited for a body that never came: it did not get the request.
  'RequestTimeout',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionConflictException',
])

const deniedCodes = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AllAccessDisabled',
  'AuthFailure',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'InvalidToken',
  'KmsAccessDenied',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'OptInRequired',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
  'UnrecognizedClientException',
])

/** The service has no such table, bucket or queue. */
const missingCodes = new Set([
  'AWS.SimpleQueueService.NonExistentQueue',
  'NoSuchBucket',
  'QueueDoesNotExist',
  'ResourceNotFoundException',
])

/** What failed before there was a connection. Nothing was sent. */
const unreachableCodes = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENOTFOUND',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * A deployment that names something that is not there: told by name, since the services' own messages do not.
 */
export class MissingResource extends Error {
  override readonly name = 'MissingResource'
}

interface Shape {
  readonly name?: unknown
  readonly code?: unknown
  readonly syscall?: unknown
  readonly message?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
}

const shapeOf = (error: unknown): Shape => (typeof error === 'object' && error !== null ? error : {})

/** The service's error code, as the SDK names its errors. */
export const codeOf = (error: unknown): string => {
  const { name } = shapeOf(error)
  return typeof name === 'string' ? name : ''
}

/** HTTP status of the answer; undefined if there was none. */
export const statusOf = (error: unknown): number | undefined => shapeOf(error).$metadata?.httpStatusCode

/** How often the SDK tried. */
export const attemptsOf = (error: unknown): number => shapeOf(error).$metadata?.attempts ?? 1

/** Makes the calls of one port, and turns what they throw into {@link PortFault}s. */
export type Ask = <T>(call: string, send: () => Promise<T>) => Promise<T>

/**
 * `thing` is what the port works on, for messages: `table "Lines"`. For calls that the SDK repeats, the fault
 * is that of the last try: they are those that may be repeated.
 */
export const asking =
  (port: string, thing: string): Ask =>
  async (call, send) => {
    try {
      return await send()
    } catch (error) {
      throw faultOf(error, `${port}.${call}`, thing)
    }
  }

/**
 * The fault that `error` means; an error that is none as it is. A clean refusal that nobody expects (a 400
 * with a code unknown here) is none: it is a mistake of ours, nothing was done, and repeating it would not
 * help.
 */
export const faultOf = (error: unknown, call: string, thing: string): unknown => {
  if (error instanceof PortFault || isLockstepError(error)) return error
  if (missingCodes.has(codeOf(error))) {
    const cause = new MissingResource(`there is no ${thing}: is Lockstep deployed there?`, { cause: error })
    return new PortFault('unreachable', call, cause)
  }
  const kind = kindOf(error)
  if (kind !== undefined) return new PortFault(kind, call, error)
  const { message } = shapeOf(error)
  return new Error(`${call}: refused with ${statusOf(error)} ${codeOf(error)}: ${String(message)}`, {
    cause: error,
  })
}

const kindOf = (error: unknown): FaultKind | undefined => {
  const code = codeOf(error)
  if (busyCodes.has(code)) return 'busy'
  if (deniedCodes.has(code) || code.startsWith('KMS.')) return 'denied'
  const status = statusOf(error)
  if (status === undefined) return isUnconnected(error) ? 'unreachable' : 'unanswered'
  if (status === 409 || status === 429) return 'busy'
  // An answer to HEAD has no body, so no code.
  if (status === 401 || (status === 403 && code !== 'InvalidObjectState')) return 'denied'
  // `TransactionInProgressException`: an earlier try of the same transaction is still at work.
  if (code === 'TransactionInProgressException' || status < 400 || status >= 500) return 'unanswered'
  return undefined
}

/**
 * Node tells by the system call. Where it tried several addresses of one host, it tells by a code only; and a
 * handshake that took too long the SDK tells by its message only.
 */
const isUnconnected = (error: unknown): boolean => {
  const { code, syscall, message } = shapeOf(error)
  if (syscall === 'connect' || syscall === 'getaddrinfo') return true
  if (typeof code === 'string' && unreachableCodes.has(code)) return true
  if (error instanceof AggregateError) return error.errors.every(isUnconnected)
  return codeOf(error) === 'TimeoutError' && String(message).includes('did not establish a connection')
}
