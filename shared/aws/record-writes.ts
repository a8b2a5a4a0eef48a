import { type DynamoDBClient, PutItemCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb'
import type { OperationRecord } from '#domain/operation.ts'
import { firstDueAt, openShard } from '#domain/schedule.ts'
import type { Guard } from '#ports/line-store.ts'
import { namesIn, toWire, valuesOf } from './dynamo-items.ts'
import { bodyItem, packRecord } from './record-items.ts'

/** The id is new. */
const isNew = 'attribute_not_exists(#id)'

const markLate = 'SET #late = :true'

/** Nobody has run or ended it. */
const isWaiting = '#status = :waiting'

/** The put of a new record, due in the open index when its submitter must have given up. */
export const putOfRecord = (table: string, record: OperationRecord) => ({
  TableName: table,
  Item: toWire({
    ...packRecord(record),
    shard: openShard(record.id),
    at: firstDueAt(record.submittedAt),
  }),
  ConditionExpression: isNew,
  ExpressionAttributeNames: namesIn(isNew),
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
})

/** Puts the body item. Whatever is there under its key is the same body. */
export const putBody = async (
  client: DynamoDBClient,
  table: string,
  record: OperationRecord,
  bytes: Uint8Array,
): Promise<void> => {
  await client.send(new PutItemCommand({ TableName: table, Item: bodyItem(record, bytes) }))
}

/** The part of a joint enqueue that puts or checks the record. */
export const guardOf = (table: string, guard: Guard): TransactWriteItem => {
  if (guard.kind === 'create') return { Put: putOfRecord(table, guard.record) }
  return {
    Update: {
      TableName: table,
      Key: { id: { S: guard.id } },
      UpdateExpression: markLate,
      ConditionExpression: isWaiting,
      ExpressionAttributeNames: namesIn(markLate, isWaiting),
      ExpressionAttributeValues: valuesOf({ true: true, waiting: 'waiting' }),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  }
}
