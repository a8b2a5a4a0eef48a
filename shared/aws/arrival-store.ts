import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { limits } from '#domain/limits.ts'
import type { ArrivalStore } from '#ports/arrival-store.ts'
import type { Clients } from './clients.ts'
import { namesIn, ttlOf, valuesOf } from './dynamo-items.ts'
import { type Ask, asking } from './faults.ts'

/** Longer than any sequencer seen (16 to 18 digits), so that all are compared at one length. */
const sequencerDigits = 32

/** Nothing newer, nor the same, was noted. */
const isNewer = 'attribute_not_exists(#sequencer) OR #sequencer < :sequencer'

const noteIt = 'SET #sequencer = :sequencer, #ttl = :ttl'

/** Arrivals stand among the operations, under ids that no operation can have. */
const idOf = (path: string): string => `arrival#${path}`

/** The newest S3 event per path, on DynamoDB: one item each, collected after a day. */
export class AwsArrivalStore implements ArrivalStore {
  readonly #clients: Clients
  readonly #table: string
  readonly #ask: Ask

  constructor(clients: Clients, table: string) {
    this.#clients = clients
    this.#table = table
    this.#ask = asking('arrivals', `table "${table}"`)
  }

  async note(path: string, sequencer: string, now: number): Promise<'newest' | 'same' | 'older'> {
    const padded = sequencer.toUpperCase().padEnd(sequencerDigits, '0')
    const command = new UpdateItemCommand({
      TableName: this.#table,
      Key: { id: { S: idOf(path) } },
      UpdateExpression: noteIt,
      ConditionExpression: isNewer,
      ExpressionAttributeNames: namesIn(noteIt, isNewer),
      ExpressionAttributeValues: valuesOf({ sequencer: padded, ttl: ttlOf(now + limits.arrivalLifeMs) }),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    })
    return this.#ask('note', async () => {
      try {
        await this.#clients.dynamo.send(command)
        return 'newest'
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        return error.Item?.['sequencer']?.S === padded ? 'same' : 'older'
      }
    })
  }
}
