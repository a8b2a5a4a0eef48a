import { describe, expect, test } from 'vitest'
import { readableReference, resourceOf, resourcesOf, synthesize } from './templates.ts'

interface Statement {
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: unknown
}

const { processing, storage } = synthesize('dev')

/** What a function may do: actions by resource, both sorted. */
function permissionsOf(functionName: string): Record<string, string[]> {
  const { Properties } = resourceOf(processing, 'AWS::IAM::Policy', `Processing${functionName}Role`)
  const { Statement } = Properties['PolicyDocument'] as { readonly Statement: readonly Statement[] }
  const permissions: Record<string, string[]> = {}
  for (const { Effect, Action, Resource } of Statement) {
    expect(Effect).toBe('Allow')
    for (const resource of Array.isArray(Resource) ? Resource : [Resource]) {
      const name = readableReference(resource)
      permissions[name] = [...(permissions[name] ?? []), ...(typeof Action === 'string' ? [Action] : Action)]
    }
  }
  for (const actions of Object.values(permissions)) actions.sort()
  return permissions
}

const records = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem']
const lines = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:UpdateItem']
const logs = ['logs:CreateLogStream', 'logs:PutLogEvents']
const send = ['sqs:SendMessage']
const consume = [
  'sqs:ChangeMessageVisibility',
  'sqs:DeleteMessage',
  'sqs:GetQueueAttributes',
  'sqs:ReceiveMessage',
]
const effects = [
  's3:AbortMultipartUpload',
  's3:DeleteObject',
  's3:GetObject',
  's3:GetObjectTagging',
  's3:GetObjectVersion',
  's3:ListMultipartUploadParts',
  's3:PutObject',
  's3:PutObjectTagging',
]
const engine = {
  StorageTablesLines: lines,
  StorageTablesOperations: records.filter((action) => action !== 'dynamodb:PutItem'),
  StorageFilesBucket: ['s3:ListBucket'],
  'StorageFilesBucket/*': effects,
  StorageQueuesOperationsQueue: send,
  StorageQueuesShardsQueue: send,
  StorageQueuesRejected: send,
}

describe('each function may do exactly this', () => {
  test('worker: run operations from its queue', () => {
    expect(permissionsOf('Worker')).toEqual({
      ...engine,
      StorageQueuesOperationsQueue: [...consume, ...send],
      ProcessingWorkerLogs: logs,
    })
  })

  test('shards: run parts of operations from its queue', () => {
    expect(permissionsOf('Shards')).toEqual({
      ...engine,
      StorageQueuesShardsQueue: [...consume, ...send],
      ProcessingShardsLogs: logs,
    })
  })

  test('dead letters: run what is left, or send it again', () => {
    expect(permissionsOf('DeadLetters')).toEqual({
      ...engine,
      StorageTablesOperations: records,
      StorageQueuesOperationsDeadLetters: consume,
      StorageQueuesShardsDeadLetters: consume,
      StorageQueuesUploadsDeadLetters: consume,
      ProcessingDeadLettersLogs: logs,
    })
  })

  test('uploads: submit operations, and only look at files', () => {
    expect(permissionsOf('Uploads')).toEqual({
      StorageTablesLines: lines,
      StorageTablesOperations: records,
      StorageFilesBucket: ['s3:ListBucket'],
      'StorageFilesBucket/*': ['s3:GetObject'],
      StorageQueuesUploadsQueue: consume,
      StorageQueuesOperationsQueue: send,
      StorageQueuesRejected: send,
      ProcessingUploadsLogs: logs,
    })
  })

  test('sweeper: wake and expire operations, and delete nothing that a user can see', () => {
    expect(permissionsOf('Sweeper')).toEqual({
      StorageTablesLines: lines,
      StorageTablesOperations: records.filter((action) => action !== 'dynamodb:PutItem'),
      'StorageTablesOperations/index/schedule': ['dynamodb:Query'],
      StorageFilesBucket: ['s3:ListBucket'],
      'StorageFilesBucket/*': ['s3:AbortMultipartUpload', 's3:GetObject'],
      'StorageFilesBucket/.lockstep/*': ['s3:DeleteObject'],
      StorageQueuesOperationsQueue: send,
      StorageQueuesShardsQueue: send,
      ProcessingSweeperLogs: logs,
    })
  })
})

test('there is no other policy or role that could give more', () => {
  expect(Object.keys(resourcesOf(processing, 'AWS::IAM::Policy'))).toHaveLength(5)
  const roles = Object.values(resourcesOf(processing, 'AWS::IAM::Role'))
  expect(roles).toHaveLength(5)
  for (const { Properties } of roles) expect(Object.keys(Properties)).toEqual(['AssumeRolePolicyDocument'])
  expect(Object.keys(resourcesOf(processing, 'AWS::IAM::ManagedPolicy'))).toEqual([])
  expect(Object.keys(resourcesOf(storage, 'AWS::IAM::Role'))).toEqual([])
})
