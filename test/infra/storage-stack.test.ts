import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import { StorageStack } from '#infra/stacks/storage-stack.ts'
import { stageSettings } from '#infra/stage.ts'
import { createApp, readableReference, resourceOf, resourcesOf, synthesize } from './templates.ts'

const dev = synthesize('dev')
const prod = synthesize('prod')

describe('files bucket', () => {
  test('is encrypted, closed to the public, and without versions unless asked for', () => {
    const { Properties } = resourceOf(dev.storage, 'AWS::S3::Bucket')
    expect(Properties['BucketEncryption']).toEqual({
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    })
    expect(Properties['PublicAccessBlockConfiguration']).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    })
    expect(Properties).not.toHaveProperty('VersioningConfiguration')
    expect(Properties).not.toHaveProperty('BucketName')
  })

  test('refuses requests without TLS', () => {
    const { PolicyDocument } = resourceOf(dev.storage, 'AWS::S3::BucketPolicy').Properties
    expect(PolicyDocument).toMatchObject({
      Statement: [
        {
          Effect: 'Deny',
          Action: 's3:*',
          Principal: { AWS: '*' },
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    })
  })

  test('forgets uploads and staged bodies only after no operation can need them any more', () => {
    const { Properties } = resourceOf(dev.storage, 'AWS::S3::Bucket')
    expect(Properties['LifecycleConfiguration']).toEqual({
      Rules: [
        {
          Id: 'abort-abandoned-uploads',
          Status: 'Enabled',
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 9 },
        },
        { Id: 'expire-staging', Status: 'Enabled', Prefix: '.lockstep/staging/', ExpirationInDays: 9 },
      ],
    })
  })
})

test('a bucket that keeps versions lets go of staged bodies all the same', () => {
  const settings = { ...stageSettings.dev, versioned: true }
  const stack = new StorageStack(createApp(), 'Versioned', { settings, rules: [] })
  const { Properties } = resourceOf(Template.fromStack(stack), 'AWS::S3::Bucket')
  expect(Properties['VersioningConfiguration']).toEqual({ Status: 'Enabled' })
  expect(Properties['LifecycleConfiguration']).toMatchObject({
    Rules: [{}, { Id: 'expire-staging', NoncurrentVersionExpiration: { NoncurrentDays: 1 } }],
  })
})

describe('upload notifications', () => {
  test('announce the watched prefixes of the rules, each once', () => {
    const { Properties } = resourceOf(dev.storage, 'AWS::S3::Bucket')
    const { QueueConfigurations } = Properties['NotificationConfiguration'] as {
      readonly QueueConfigurations: readonly Record<string, unknown>[]
    }
    const watched = QueueConfigurations.map(({ Queue, ...rest }) => {
      return { queue: readableReference(Queue), ...rest }
    })
    const onPrefix = (value: string) => ({
      queue: 'StorageQueuesUploadsQueue',
      Event: 's3:ObjectCreated:*',
      Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: value }] } },
    })
    expect(watched).toEqual([onPrefix('inbox/'), onPrefix('incoming/')])
  })

  test('without rules there are none', () => {
    const { Properties } = resourceOf(prod.storage, 'AWS::S3::Bucket')
    expect(Properties).not.toHaveProperty('NotificationConfiguration')
  })

  test('for the whole bucket have no filter, since S3 has no empty one', () => {
    const { storage } = synthesize('dev', [{ prefix: '', operations: [{ kind: 'stat', path: '{path}' }] }])
    const { NotificationConfiguration } = resourceOf(storage, 'AWS::S3::Bucket').Properties
    expect(NotificationConfiguration).toMatchObject({
      QueueConfigurations: [{ Event: 's3:ObjectCreated:*' }],
    })
    expect(NotificationConfiguration).not.toHaveProperty('QueueConfigurations.0.Filter')
  })

  test('are let into the queue by account, and the bucket waits for that', () => {
    const policy = resourceOf(dev.storage, 'AWS::SQS::QueuePolicy', 'StorageQueuesUploadsQueue')
    expect(policy.Properties['PolicyDocument']).toMatchObject({
      Statement: [
        { Effect: 'Deny' },
        {
          Effect: 'Allow',
          Action: 'sqs:SendMessage',
          Principal: { Service: 's3.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        },
      ],
    })
    const { DependsOn = [] } = resourceOf(dev.storage, 'AWS::S3::Bucket')
    const awaited = DependsOn.map((id) => readableReference({ Ref: id }))
    expect(awaited).toEqual(['StorageQueuesUploadsQueuePolicy'])
  })
})

describe('tables', () => {
  const common = {
    BillingMode: 'PAY_PER_REQUEST',
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    SSESpecification: { SSEEnabled: true },
    TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
  }

  test('lines are found by line', () => {
    expect(resourceOf(dev.storage, 'AWS::DynamoDB::Table', 'StorageTablesLines').Properties).toEqual({
      ...common,
      KeySchema: [{ AttributeName: 'line', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'line', AttributeType: 'S' }],
      DeletionProtectionEnabled: false,
    })
  })

  test('operations are found by id, and by time within a shard', () => {
    expect(resourceOf(dev.storage, 'AWS::DynamoDB::Table', 'StorageTablesOperations').Properties).toEqual({
      ...common,
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
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
      DeletionProtectionEnabled: false,
    })
  })
})

describe('queues', () => {
  const queues = resourcesOf(dev.storage, 'AWS::SQS::Queue')

  test('are encrypted, keep messages for 14 days, and take nothing without TLS', () => {
    expect(Object.keys(queues)).toHaveLength(7)
    for (const { Properties } of Object.values(queues)) {
      expect(Properties).toMatchObject({
        SqsManagedSseEnabled: true,
        MessageRetentionPeriod: 14 * 24 * 60 * 60,
      })
      expect(Properties).not.toHaveProperty('QueueName')
      expect(Properties).not.toHaveProperty('FifoQueue')
    }
    const policies = Object.values(resourcesOf(dev.storage, 'AWS::SQS::QueuePolicy'))
    const closed = policies.filter((policy) =>
      JSON.stringify(policy).includes('"aws:SecureTransport":"false"'),
    )
    const covered = closed.flatMap(
      (policy) => policy.Properties['Queues'] as readonly { readonly Ref: string }[],
    )
    expect(covered.map((queue) => queue.Ref).sort()).toEqual(Object.keys(queues).sort())
  })

  test.each(['Operations', 'Shards', 'Uploads'])(
    '%s sets aside what fails more often than an operation is tried',
    (name) => {
      const { Properties } = resourceOf(dev.storage, 'AWS::SQS::Queue', `StorageQueues${name}Queue`)
      const { deadLetterTargetArn, ...redrive } = Properties['RedrivePolicy'] as Record<string, unknown>
      expect(readableReference(deadLetterTargetArn)).toBe(`StorageQueues${name}DeadLetters`)
      expect(redrive).toEqual({ maxReceiveCount: 10 })
      expect(limits.tries).toBeLessThan(10)
    },
  )
})

describe('stages', () => {
  const stateful = ['AWS::S3::Bucket', 'AWS::DynamoDB::Table']

  test('dev leaves nothing behind', () => {
    for (const type of stateful) {
      for (const resource of Object.values(resourcesOf(dev.storage, type))) {
        expect(resource).toMatchObject({ DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' })
      }
    }
    expect(dev.stacks.storage.terminationProtection).toBe(false)
  })

  test('prod keeps files and tables, and refuses their deletion', () => {
    for (const type of stateful) {
      for (const resource of Object.values(resourcesOf(prod.storage, type))) {
        expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' })
      }
    }
    prod.storage.allResourcesProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: true })
    expect(prod.stacks.storage.terminationProtection).toBe(true)
    expect(prod.stacks.processing.terminationProtection).toBe(true)
  })
})

test.each([dev, prod])('what keeps state has the logical id it always had', ({ storage }) => {
  const types = ['AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::SQS::Queue']
  // A changed id makes CloudFormation create a new, empty one. Never adjust this list to make the test pass.
  expect(types.flatMap((type) => Object.keys(resourcesOf(storage, type))).sort()).toEqual([
    'StorageFilesBucket11F97136',
    'StorageQueuesOperationsDeadLetters32327AB0',
    'StorageQueuesOperationsQueue97BAF3E5',
    'StorageQueuesRejectedE0AE0A9F',
    'StorageQueuesShardsDeadLetters75371BD1',
    'StorageQueuesShardsQueue6298066B',
    'StorageQueuesUploadsDeadLettersD1508D25',
    'StorageQueuesUploadsQueue4FA579E1',
    'StorageTablesLinesD716DDB2',
    'StorageTablesOperations5C35582A',
  ])
})

test('clients find a deployment by these outputs', () => {
  const outputs = dev.storage.findOutputs('*')
  const named = Object.entries(outputs).filter(([id]) => !id.startsWith('ExportsOutput'))
  expect(Object.fromEntries(named.map(([id, output]) => [id, readableReference(output['Value'])]))).toEqual({
    BucketName: 'StorageFilesBucket',
    LinesTableName: 'StorageTablesLines',
    OperationsTableName: 'StorageTablesOperations',
    OperationsQueueUrl: 'StorageQueuesOperationsQueue',
    ShardsQueueUrl: 'StorageQueuesShardsQueue',
    UploadsQueueUrl: 'StorageQueuesUploadsQueue',
    RejectedQueueUrl: 'StorageQueuesRejected',
  })
})

test('nothing in the stack is tied to an account, a region or an asset', () => {
  expect(Object.keys(resourcesOf(dev.storage, 'AWS::Lambda::Function'))).toEqual([])
  expect(JSON.stringify(dev.storage.toJSON())).not.toMatch(/\d{12}|us-east-1/)
})
