import {
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  type DynamoDBClient,
  GetItemCommand,
  type KeysAndAttributes,
} from '@aws-sdk/client-dynamodb'
import { PortFault } from '#ports/faults.ts'
import type { WireItem } from './dynamo-items.ts'
import { type Insistence, pause } from './insisting.ts'

/** DynamoDB's limit. */
const keysPerBatch = 100

/**
 * A batch is answered in part when it is throttled or over 16 MB; so often in a row it is asked for the rest.
 */
const rounds = 8
const firstPauseMs = 25

export interface ItemQuery {
  readonly table: string
  readonly keyName: string
  /** Distinct. */
  readonly keys: readonly string[]
}

/** Strongly consistent reads, by key; what does not exist is not in the map. */
export const readItems = async (
  client: DynamoDBClient,
  query: ItemQuery,
  world: Insistence,
): Promise<Map<string, WireItem>> => {
  const [only, ...others] = query.keys
  if (only === undefined) return new Map()
  if (others.length === 0) {
    const item = await readItem(client, query.table, query.keyName, only)
    return new Map(item === undefined ? [] : [[only, item]])
  }
  const batches: Promise<[string, WireItem][]>[] = []
  for (let at = 0; at < query.keys.length; at += keysPerBatch) {
    batches.push(readBatch(client, { ...query, keys: query.keys.slice(at, at + keysPerBatch) }, world))
  }
  return new Map((await Promise.all(batches)).flat())
}

/** One strongly consistent read. */
export const readItem = async (
  client: DynamoDBClient,
  table: string,
  keyName: string,
  key: string,
): Promise<WireItem | undefined> => {
  const command = new GetItemCommand({
    TableName: table,
    Key: { [keyName]: { S: key } },
    ConsistentRead: true,
  })
  return (await client.send(command)).Item
}

const readBatch = async (
  client: DynamoDBClient,
  { table, keyName, keys }: ItemQuery,
  world: Insistence,
): Promise<[string, WireItem][]> => {
  const found: [string, WireItem][] = []
  let wanted: KeysAndAttributes | undefined = {
    Keys: keys.map((key) => ({ [keyName]: { S: key } })),
    ConsistentRead: true,
  }
  for (let round = 1, pauseMs = firstPauseMs; ; round += 1, pauseMs *= 2) {
    const { Responses, UnprocessedKeys }: BatchGetItemCommandOutput = await client.send(
      new BatchGetItemCommand({ RequestItems: { [table]: wanted } }),
    )
    for (const item of Responses?.[table] ?? []) found.push([item[keyName]?.S ?? '', item])
    wanted = UnprocessedKeys?.[table]
    if (wanted === undefined || (wanted.Keys ?? []).length === 0) return found
    if (round === rounds)
      throw new PortFault('busy', `read of ${wanted.Keys?.length} items of table "${table}"`)
    await pause(world, pauseMs)
  }
}
