import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'

/**
 * Where the services are and as whom to call them. What is left out comes from the environment, as the SDK
 * finds it.
 */
export interface ClientOptions {
  readonly region?: string
  /** Of an emulator. `AWS_ENDPOINT_URL` does the same. */
  readonly endpoint?: string
  readonly credentials?: NonNullable<S3ClientConfig['credentials']>
}

/**
 * Two clients where it matters whether a call is repeated: the SDK repeats a call that was not answered,
 * which is fine for reads and idempotent calls and wrong for effects, since the first try may arrive last.
 */
export interface Clients {
  readonly s3: S3Client
  /** One try each: changes of visible objects. */
  readonly s3Once: S3Client
  readonly dynamo: DynamoDBClient
  /** One try each: drawing a ticket. */
  readonly dynamoOnce: DynamoDBClient
  readonly sqs: SQSClient
  /** True if the services are an emulator's, as far as the settings tell. */
  readonly emulated: boolean
}

/**
 * Connections of one client. A call that finds all of them taken waits, and its timeouts run already: so more
 * than the busiest process has calls at a time, and well below the 1,024 open files of a sandbox.
 */
const maxSockets = 128

/** Of a TCP and TLS handshake, also from far away; within a region it takes milliseconds. */
const connectionTimeoutMs = 5_000

/**
 * A connection idle for longer is closed by us. A service that closes it in the moment when we reuse it
 * leaves a call without an answer, and an effect without an answer costs its operation a second look.
 */
const idleConnectionMs = 4_000

/**
 * How long a call may go without an answer. DynamoDB and SQS answer in milliseconds. S3 needs longer for
 * large copies only (100 MB/s or more); longer than this, and the function that waits has no time left to say
 * so.
 */
const requestTimeoutMs = { dynamo: 5_000, sqs: 5_000, s3: 25_000 } as const

/** A line slower than 1 Mbit/s is not counted on. */
const slowestBytesPerMs = 125

/** The timeout of a call with a body, which counts from when the body begins to be sent. */
export const timeoutWithBodyMs = (bytes: Uint8Array): number =>
  requestTimeoutMs.s3 + Math.ceil(bytes.length / slowestBytesPerMs)

/** Tries of a call that may be repeated, the first included. */
const maxAttempts = 4

const requestHandler = (requestTimeout: number, idleMs: number) => {
  const agent = { keepAlive: true, maxSockets, timeout: idleMs }
  return {
    connectionTimeout: connectionTimeoutMs,
    requestTimeout,
    // Else the SDK only prints a warning and waits on.
    throwOnRequestTimeout: true,
    // Silence, also in the middle of a body or an answer.
    socketTimeout: requestTimeout,
    httpAgent: agent,
    httpsAgent: agent,
  }
}

/** Longer for what may be repeated: a connection found closed costs a repeat there, and nothing else. */
const idleRepeatedMs = 20_000

const endpointOf = (options: ClientOptions, service: string): string | undefined =>
  options.endpoint ?? process.env[`AWS_ENDPOINT_URL_${service}`] ?? process.env['AWS_ENDPOINT_URL']

export const createClients = (options: ClientOptions): Clients => {
  const { region, endpoint, credentials } = options
  const common = {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts,
  }
  const dynamo = new DynamoDBClient({
    ...common,
    requestHandler: requestHandler(requestTimeoutMs.dynamo, idleRepeatedMs),
  })
  // Found once for all clients: a lookup may mean a call to another service.
  const shared = { ...common, credentials: credentials ?? dynamo.config.credentials }
  return {
    s3: createS3(options, shared, idleRepeatedMs),
    s3Once: createS3(options, { ...shared, maxAttempts: 1 }, idleConnectionMs),
    dynamo,
    dynamoOnce: new DynamoDBClient({
      ...shared,
      maxAttempts: 1,
      requestHandler: requestHandler(requestTimeoutMs.dynamo, idleConnectionMs),
    }),
    sqs: new SQSClient({
      ...shared,
      requestHandler: requestHandler(requestTimeoutMs.sqs, idleRepeatedMs),
      // An emulator's queue URLs may name a host that only it can resolve; the endpoint is where it was
      // found.
      useQueueUrlAsEndpoint: endpointOf(options, 'SQS') === undefined,
    }),
    emulated: endpointOf(options, 'S3') !== undefined,
  }
}

const createS3 = (options: ClientOptions, shared: S3ClientConfig, idleMs: number): S3Client =>
  new S3Client({
    ...shared,
    requestHandler: requestHandler(requestTimeoutMs.s3, idleMs),
    // The names of buckets do not resolve as subdomains of an emulator's address.
    forcePathStyle: endpointOf(options, 'S3') !== undefined,
    // The signature covers a SHA-256 of every body and TLS covers the way: a CRC on top costs time and
    // protects nothing. And an upload created with one would oblige whoever fills it through presigned URLs,
    // and us at its completion.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it the SDK opens a connection of its own for each body over 2 MB.
    expectContinueHeader: false,
  })
