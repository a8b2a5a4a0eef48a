import { randomUUID } from 'node:crypto'
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { type AwsOptions, type AwsPorts, awsPorts } from '#aws/aws-ports.ts'
import type { Deployment } from '#aws/deployment.ts'
import type { BareEmulator } from './environment-bare.ts'

/** Emulators take any. */
export const credentials = { accessKeyId: 'test', secretAccessKey: 'test' } as const

/** How to reach an emulator, for the SDK's clients and for {@link awsPorts}. */
export const connectionTo = ({ endpoint, region }: BareEmulator) => ({ endpoint, region, credentials })

/**
 * Everything that a deployment consists of, without the stacks: names of its own, so that tests do not meet.
 */
export const createResources = async (
  emulator: BareEmulator,
  options: { versioned?: boolean } = {},
): Promise<Deployment> => {
  const name = `lockstep-${randomUUID()}`
  const connection = connectionTo(emulator)
  const [bucket, tables, queues] = await Promise.all([
    createBucket(new S3Client({ ...connection, forcePathStyle: true }), name, options.versioned ?? false),
    createTables(new DynamoDBClient(connection), name),
    createQueues(new SQSClient(connection), name),
  ])
  return { bucket, ...tables, ...queues }
}

/** The ports over resources of their own. */
export const freshPorts = async (
  emulator: BareEmulator,
  options: { versioned?: boolean } & AwsOptions = {},
): Promise<{ ports: AwsPorts; deployment: Deployment }> => {
  const deployment = await createResources(emulator, options)
  return {
    ports: awsPorts(deployment, { ...connectionTo(emulator), log: () => undefined, ...options }),
    deployment,
  }
}

const createBucket = async (client: S3Client, bucket: string, versioned: boolean): Promise<string> => {
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  if (versioned) {
    const VersioningConfiguration = { Status: 'Enabled' } as const
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }))
  }
  return bucket
}

const createTables = async (client: DynamoDBClient, name: string) => {
  const table = (suffix: string, key: string): CreateTableCommandInput => ({
    TableName: `${name}-${suffix}`,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
  })
  const lines = table('lines', 'line')
  const operations: CreateTableCommandInput = {
    ...table('operations', 'id'),
    AttributeDefinitions: [
      { AttributeName: 'id', AttributeType: 'S' },
      { AttributeName: 'shard', AttributeType: 'S' },
      { AttributeName: 'at', AttributeType: 'N' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'schedule',
        KeySchema: [
          { AttributeName: 'shard', KeyType: 'HASH' },
          { AttributeName: 'at', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
  }
  for (const input of [lines, operations]) await client.send(new CreateTableCommand(input))
  return { linesTable: `${name}-lines`, operationsTable: `${name}-operations` }
}

const createQueues = async (client: SQSClient, name: string) => {
  const create = async (suffix: string): Promise<string> => {
    const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: `${name}-${suffix}` }))
    return QueueUrl
  }
  return {
    operationsQueueUrl: await create('operations'),
    shardsQueueUrl: await create('shards'),
    rejectedQueueUrl: await create('rejected'),
  }
}
