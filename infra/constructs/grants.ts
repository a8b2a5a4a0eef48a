import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { ConsumedQueue } from './queues.ts'
import type { Storage } from './storage.ts'
import { scheduleIndexName } from './tables.ts'
import type { FunctionName } from './timings.ts'

/**
 * What each function may do, action by action: one table to review. Nothing is granted elsewhere, except that
 * every function may write to its own log group (engine-function.ts). Transactions need no action of their
 * own, only those of their parts.
 */

/** What an action is allowed on. */
export type Resource =
  | 'bucket' // the files bucket itself
  | 'files' // every object in it
  | 'internals' // the objects under .lockstep/
  | 'lines'
  | 'operations'
  | 'schedule' // the index on operations
  | `${QueueName}-queue`
  | `${Exclude<QueueName, 'rejected'>}-dead-letters`

type QueueName = 'operations' | 'shards' | 'uploads' | 'rejected'

export interface Grant {
  readonly on: Resource
  readonly actions: readonly string[]
}

const objectPatterns = { files: '*', internals: '.lockstep/*' } satisfies Partial<Record<Resource, string>>

/** Records are changed on conditions; never deleted: TTL collects them. */
const changeRecords: Grant = {
  on: 'operations',
  actions: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:UpdateItem'],
}

/** New ones as well. */
const keepRecords: Grant = { on: 'operations', actions: [...changeRecords.actions, 'dynamodb:PutItem'] }

/** Entries come and go by updates, which also create the line. */
const queueInLines: Grant = {
  on: 'lines',
  actions: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:UpdateItem'],
}

/** Without it S3 answers 403 instead of 404 for a file that does not exist. */
const tellAbsent: Grant = { on: 'bucket', actions: ['s3:ListBucket'] }

/** Effects: read, write, copy with tags, delete, and multipart uploads with their takeover. */
const changeFiles: Grant = {
  on: 'files',
  actions: [
    's3:AbortMultipartUpload',
    's3:DeleteObject',
    's3:GetObject',
    's3:GetObjectTagging',
    's3:GetObjectVersion',
    's3:ListMultipartUploadParts',
    's3:PutObject',
    's3:PutObjectTagging',
  ],
}

function send(...queues: QueueName[]): Grant[] {
  return queues.map((queue) => ({ on: `${queue}-queue`, actions: ['sqs:SendMessage'] }))
}

/** `ChangeMessageVisibility` gives a message back until the lease in its way ends. */
function consume(on: Resource): Grant {
  return {
    on,
    actions: [
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
    ],
  }
}

/** All that running an operation takes, up to waking its successors. */
const runOperations: readonly Grant[] = [
  changeRecords,
  queueInLines,
  tellAbsent,
  changeFiles,
  ...send('operations', 'shards', 'rejected'),
]

/** Per function: exactly this. A test compares it with the synthesised policies. */
export const grants: Readonly<Record<FunctionName, readonly Grant[]>> = {
  worker: [...runOperations, consume('operations-queue')],
  shards: [...runOperations, consume('shards-queue')],
  // Submits by rules: looks at what was uploaded and never touches it.
  uploads: [
    keepRecords,
    queueInLines,
    tellAbsent,
    { on: 'files', actions: ['s3:GetObject'] },
    ...send('operations', 'rejected'),
    consume('uploads-queue'),
  ],
  // Finishes submits, wakes what is stuck, and expires what is too old: aborts its upload, removes its staged
  // body. It may look at files, but neither writes nor deletes one that is visible.
  sweeper: [
    { on: 'schedule', actions: ['dynamodb:Query'] },
    changeRecords,
    queueInLines,
    tellAbsent,
    { on: 'files', actions: ['s3:AbortMultipartUpload', 's3:GetObject'] },
    { on: 'internals', actions: ['s3:DeleteObject'] },
    ...send('operations', 'shards'),
  ],
  // Takes over like a worker before it fails anything, sends again what is not exhausted, and submits what
  // arrivals that nobody could handle call for.
  'dead-letters': [
    ...runOperations.filter((grant) => grant !== changeRecords),
    keepRecords,
    consume('operations-dead-letters'),
    consume('shards-dead-letters'),
    consume('uploads-dead-letters'),
  ],
}

/** What a function's policy leaves open of object keys: the patterns it names. */
export function objectWildcards(name: FunctionName): string[] {
  return Object.entries(objectPatterns)
    .filter(([resource]) => grants[name].some((grant) => grant.on === resource))
    .map(([, pattern]) => pattern)
}

/** The policy of one function, each statement on named resources. */
export function policyStatements(name: FunctionName, storage: Storage): PolicyStatement[] {
  const arns = resourceArns(storage)
  return grants[name].map(({ on, actions }) => {
    return new PolicyStatement({ actions: [...actions], resources: [arns[on]] })
  })
}

function resourceArns({ files, tables, queues }: Storage): Readonly<Record<Resource, string>> {
  const main = (consumed: ConsumedQueue) => consumed.queue.queueArn
  const deadLetters = (consumed: ConsumedQueue) => consumed.deadLetters.queueArn
  return {
    bucket: files.bucket.bucketArn,
    files: files.bucket.arnForObjects(objectPatterns.files),
    internals: files.bucket.arnForObjects(objectPatterns.internals),
    lines: tables.lines.tableArn,
    operations: tables.operations.tableArn,
    schedule: `${tables.operations.tableArn}/index/${scheduleIndexName}`,
    'operations-queue': main(queues.operations),
    'shards-queue': main(queues.shards),
    'uploads-queue': main(queues.uploads),
    'rejected-queue': queues.rejected.queueArn,
    'operations-dead-letters': deadLetters(queues.operations),
    'shards-dead-letters': deadLetters(queues.shards),
    'uploads-dead-letters': deadLetters(queues.uploads),
  }
}
