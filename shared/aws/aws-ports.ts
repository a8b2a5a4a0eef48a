import type { Clock } from '#ports/clock.ts'
import type { Ids } from '#ports/ids.ts'
import type { Delivery } from '#ports/message-queue.ts'
import type { Ports } from '#ports/ports.ts'
import { AwsArrivalStore } from './arrival-store.ts'
import {
  type Capabilities,
  KnownCapabilities,
  type Log,
  probeCapabilities,
  rememberCapabilities,
} from './capabilities.ts'
import { type ClientOptions, createClients } from './clients.ts'
import type { Deployment } from './deployment.ts'
import { asking } from './faults.ts'
import { AwsLineStore } from './line-store.ts'
import { AwsMessageQueue } from './message-queue.ts'
import { AwsObjectStore } from './object-store.ts'
import { AwsOperationStore } from './operation-store.ts'
import type { S3Target } from './s3-target.ts'
import { sqsDelivery } from './sqs-delivery.ts'
import { systemClock } from './system-clock.ts'
import { systemIds } from './system-ids.ts'

export interface AwsOptions extends ClientOptions {
  readonly clock?: Clock
  readonly ids?: Ids
  /** Where it says that a way round is in force. Default: one line of JSON on standard error. */
  readonly log?: Log
}

/** The ports, and what only AWS has. */
export interface AwsPorts extends Ports {
  /** The message that a function is handling, by its receipt. */
  delivery(queueUrl: string, receiptHandle: string): Delivery
  /**
   * Probes what the target can do, and remembers it for all processes. For the deploy script and `doctor`.
   */
  probe(): Promise<Capabilities>
  /** Closes the connections, so that a command can end. */
  close(): void
}

/**
 * Builds everything the engine touches. Once per process: connections and what is known of the target are
 * kept.
 */
export const awsPorts = (deployment: Deployment, options: AwsOptions = {}): AwsPorts => {
  const { clock = systemClock, ids = systemIds, log = logLine } = options
  const clients = createClients(options)
  const world = { clock, ids }
  const { bucket, linesTable, operationsTable } = deployment
  const target: S3Target = { clients, bucket, world, ask: asking('objects', `bucket "${bucket}"`) }
  return {
    objects: new AwsObjectStore(target, new KnownCapabilities(target, log)),
    lines: new AwsLineStore(clients, { lines: linesTable, operations: operationsTable }, world),
    operations: new AwsOperationStore(clients, operationsTable, world),
    arrivals: new AwsArrivalStore(clients, operationsTable),
    queue: new AwsMessageQueue(clients, deployment),
    clock,
    ids,
    delivery: (queueUrl, receiptHandle) => sqsDelivery(clients, queueUrl, receiptHandle),
    probe: async () => {
      const capabilities = await probeCapabilities(target)
      await rememberCapabilities(target, capabilities)
      return capabilities
    },
    close: () => {
      const { s3, s3Once, dynamo, dynamoOnce, sqs } = clients
      for (const client of [s3, s3Once, dynamo, dynamoOnce, sqs]) client.destroy()
    },
  }
}

const logLine: Log = (line) => console.warn(JSON.stringify(line))
