import { describe, expect, it } from 'vitest'
import { asking, faultOf } from '#aws/faults.ts'
import { LockstepError } from '#domain/errors.ts'
import { PortFault } from '#ports/faults.ts'

/** An error as the SDK throws it for an answer. */
const answer = (status: number, name: string): Error =>
  Object.assign(new Error('as told'), { name, $metadata: { httpStatusCode: status, attempts: 1 } })

/** An error of the network, or of the SDK's own, without an answer. */
const network = (properties: Record<string, unknown>, message = 'as told'): Error =>
  Object.assign(new Error(message), { $metadata: { attempts: 1 } }, properties)

const kindOf = (error: unknown): unknown => {
  const fault = faultOf(error, 'port.call', 'table "T"')
  return fault instanceof PortFault ? fault.fault : fault
}

describe('faults', () => {
  it.each([
    [503, 'SlowDown'],
    [400, 'ThrottlingException'],
    [400, 'ProvisionedThroughputExceededException'],
    [400, 'RequestLimitExceeded'],
    [400, 'TransactionConflictException'],
    [409, 'ConditionalRequestConflict'],
    [409, 'OperationAborted'],
    [409, 'SomethingNew'],
    [429, 'TooManyRequests'],
    [400, 'RequestTimeout'],
  ])('%d %s had no effect: busy', (status, name) => {
    expect(kindOf(answer(status, name))).toBe('busy')
  })

  it.each([
    [500, 'InternalError'],
    [502, 'BadGateway'],
    [503, 'ServiceUnavailable'],
    [503, 'Unknown'],
    [504, 'GatewayTimeout'],
    [400, 'TransactionInProgressException'],
    [200, 'SyntaxError'],
  ])('%d %s does not say: unanswered', (status, name) => {
    expect(kindOf(answer(status, name))).toBe('unanswered')
  })

  it.each([
    [403, 'AccessDenied'],
    [403, 'Forbidden'],
    [401, 'Unknown'],
    [400, 'ExpiredTokenException'],
    [400, 'UnrecognizedClientException'],
    [403, 'RequestTimeTooSkewed'],
    [400, 'KMS.DisabledException'],
  ])('%d %s is denied', (status, name) => {
    expect(kindOf(answer(status, name))).toBe('denied')
  })

  it.each([
    { code: 'ECONNREFUSED', syscall: 'connect' },
    { code: 'ETIMEDOUT', syscall: 'connect' },
    { code: 'EHOSTUNREACH', syscall: 'connect' },
    { code: 'ENOTFOUND', syscall: 'getaddrinfo' },
    { code: 'EAI_AGAIN', syscall: 'getaddrinfo' },
    { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  ])('%o comes before anything is sent: unreachable', (properties) => {
    expect(kindOf(network(properties))).toBe('unreachable')
  })

  it.each([
    { code: 'ECONNRESET' },
    { code: 'EPIPE' },
    { code: 'ETIMEDOUT', name: 'TimeoutError' },
    { code: 'EHOSTUNREACH', syscall: 'read' },
    { code: 'ERR_STREAM_PREMATURE_CLOSE' },
    { name: 'TimeoutError' },
    { name: 'SomethingNew' },
  ])('%o may come after: unanswered', (properties) => {
    expect(kindOf(network(properties))).toBe('unanswered')
  })

  it('a handshake that takes too long is told by its message', () => {
    const message =
      'the request socket did not establish a connection with the server within the configured timeout.'
    expect(kindOf(network({ name: 'TimeoutError' }, message))).toBe('unreachable')
  })

  it('of several addresses tried, all must have failed to connect', () => {
    const refused = network({ code: 'ECONNREFUSED', syscall: 'connect' })
    expect(kindOf(new AggregateError([refused, refused]))).toBe('unreachable')
    expect(kindOf(new AggregateError([refused, network({ code: 'ECONNRESET' })]))).toBe('unanswered')
  })

  it('no credentials at all are denied too', () => {
    expect(kindOf(network({ name: 'CredentialsProviderError' }))).toBe('denied')
  })

  it.each(['ResourceNotFoundException', 'NoSuchBucket', 'QueueDoesNotExist'])(
    '%s names what is missing',
    (name) => {
      const fault = faultOf(answer(400, name), 'lines.enter', 'table "T"')
      expect(fault).toMatchObject({ fault: 'unreachable', call: 'lines.enter' })
      expect(String(fault)).toContain('there is no table "T"')
    },
  )

  it('a clean refusal that nobody expects is no fault, and tells all', () => {
    const error = faultOf(answer(400, 'ValidationException'), 'lines.enter', 'table "T"')
    expect(error).not.toBeInstanceOf(PortFault)
    expect(String(error)).toBe('Error: lines.enter: refused with 400 ValidationException: as told')
    expect(faultOf(answer(403, 'InvalidObjectState'), 'objects.get', 'bucket "B"')).not.toBeInstanceOf(
      PortFault,
    )
  })

  it('what is a fault or an error of ours already passes as it is', async () => {
    const ask = asking('port', 'thing')
    for (const error of [new PortFault('busy', 'other.call'), new LockstepError('TooLarge', 'too large')]) {
      await expect(ask('call', () => Promise.reject(error))).rejects.toBe(error)
    }
  })

  it('the cause is kept, and told in the message', async () => {
    const cause = network({ code: 'ECONNRESET' }, 'socket hang up')
    const error = asking('objects', 'bucket "B"')('put', () => Promise.reject(cause))
    await expect(error).rejects.toMatchObject({
      cause,
      message: 'objects.put: unanswered: Error: socket hang up',
    })
  })
})
