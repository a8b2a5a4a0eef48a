import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { inject } from 'vitest'
import { systemClock } from '#aws/system-clock.ts'
import { systemIds } from '#aws/system-ids.ts'
import { connectionTo, freshPorts } from '#test/support/aws-resources.ts'
import { describeArrivalStoreContract } from './arrival-store.suite.ts'
import { describeClockContract } from './clock.suite.ts'
import { describeIdsContract } from './ids.suite.ts'
import { describeLineStoreContract } from './line-store.suite.ts'
import { describeMessageQueueContract } from './message-queue.suite.ts'
import { describeObjectStoreContract } from './object-store.suite.ts'
import { describeOperationStoreContract } from './operation-store.suite.ts'
import type { MessageQueueSetup, ObjectStoreSetup } from './setups.ts'

const emulator = inject('emulator')
const connection = connectionTo(emulator)

/** Each random sequence costs calls over a socket here; in memory the same laws are tried far more often. */
const modelRuns = 15

describeLineStoreContract(
  'aws',
  async () => {
    const { ports, deployment } = await freshPorts(emulator)
    const dynamo = new DynamoDBClient(connection)
    const collectLine = async (key: string): Promise<void> => {
      const Key = { line: { S: key } }
      await dynamo.send(new DeleteItemCommand({ TableName: deployment.linesTable, Key }))
    }
    return { ...ports, collectLine }
  },
  { modelRuns },
)

describeOperationStoreContract('aws', async () => (await freshPorts(emulator)).ports, { modelRuns })

const objectSetup = async (options: { versioned?: boolean }): Promise<ObjectStoreSetup> => {
  const { ports, deployment } = await freshPorts(emulator, options)
  const s3 = new S3Client({ ...connection, forcePathStyle: true })
  const target = (path: string) => ({ Bucket: deployment.bucket, Key: path })
  return {
    objects: ports.objects,
    lacks: ['tag-count', 'upload-tags', 'fresh-tags'],
    outsider: {
      write: async (path, bytes, { contentType, metadata } = {}) => {
        const attributes = { ContentType: contentType, Metadata: metadata }
        return (
          (await s3.send(new PutObjectCommand({ ...target(path), Body: bytes, ...attributes }))).ETag ?? ''
        )
      },
      remove: async (path) => {
        await s3.send(new DeleteObjectCommand(target(path)))
      },
    },
    follow: async ({ url, headers }) => {
      const response = await fetch(url, { headers })
      return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) }
    },
  }
}

describeObjectStoreContract('aws', () => objectSetup({}))
describeObjectStoreContract('aws, versioned', () => objectSetup({ versioned: true }))

describeMessageQueueContract('aws', async (): Promise<MessageQueueSetup> => {
  const { ports, deployment } = await freshPorts(emulator)
  const sqs = new SQSClient(connection)
  const urls = { operations: deployment.operationsQueueUrl, shards: deployment.shardsQueueUrl }
  const receive = async (QueueUrl: string) => {
    const input = {
      QueueUrl,
      // One at a time: the suite tells messages apart by their id.
      MaxNumberOfMessages: 1,
      MessageAttributeNames: ['All'],
      VisibilityTimeout: 600,
    }
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(input))
    return Messages.map(({ Body = '', ReceiptHandle = '', MessageAttributes }) => ({
      body: Body,
      reason: MessageAttributes?.['reason']?.StringValue ?? '',
      postpone: (ms: number) => ports.delivery(QueueUrl, ReceiptHandle).postpone(ms),
      delete: async () => {
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
      },
    }))
  }
  return {
    queue: ports.queue,
    take: (queue) => receive(urls[queue]),
    takeRejected: async () => {
      const messages = await receive(deployment.rejectedQueueUrl)
      for (const message of messages) await message.delete()
      return messages.map(({ body, reason }) => ({ body, reason }))
    },
  }
})

describeArrivalStoreContract('aws', async () => (await freshPorts(emulator)).ports)

describeClockContract('system', async () => ({ clock: systemClock, pass: (ms) => systemClock.sleep(ms) }))

describeIdsContract('system', async () => ({ clock: systemClock, ids: systemIds }))
