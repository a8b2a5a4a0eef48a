import { randomUUID } from 'node:crypto'
import {
  type CancellationReason,
  ConditionalCheckFailedException,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import { limits } from '#domain/limits.ts'
import { emptyLine, type Line, type LineUse } from '#domain/line.ts'
import { PortFault } from '#ports/faults.ts'
import type { EnterOutcome, EnterTogetherOutcome, Guard, LineStore } from '#ports/line-store.ts'
import { readItems } from './batch-read.ts'
import type { Clients } from './clients.ts'
import { namesIn, valuesOf, type WireItem } from './dynamo-items.ts'
import { type Ask, asking, attemptsOf } from './faults.ts'
import type { Insistence } from './insisting.ts'
import { entryName, lineOfItem, lineTtl, seedOf, underName } from './line-items.ts'
import { recordOfItem } from './record-items.ts'
import { guardOf, putBody } from './record-writes.ts'

/** Draws the next ticket for the entry. A line that does not exist begins at the seed. */
const drawTicket =
  'SET #entry = if_not_exists(#next, :seed), #next = if_not_exists(#next, :seed) + :one, #ttl = :ttl'

/** The operation is not in the line: a second ticket would send it to the back. */
const isNotInLine = 'attribute_not_exists(#entry)'

/** Under a hold, a writer needs a hold that writes; a reader may be under either. */
const holdWrites = { set: '#under = #writingHold', check: 'attribute_exists(#writingHold)' } as const
const holdStands = {
  set: '#under = if_not_exists(#writingHold, #readingHold)',
  check: '(attribute_exists(#writingHold) OR attribute_exists(#readingHold))',
} as const

const removeEntry = 'REMOVE #entry, #under SET #ttl = :ttl'

/** The line exists: an update would create it otherwise. */
const lineExists = 'attribute_exists(#line)'

const setNudged = 'SET #nudged = :now'

/** The line exists and nobody nudged its head just now. */
const isNudgeDue = `${lineExists} AND (attribute_not_exists(#nudged) OR #nudged <= :before)`

/** Lines on DynamoDB, one item each. */
export class AwsLineStore implements LineStore {
  readonly #clients: Clients
  readonly #table: string
  readonly #operationsTable: string
  readonly #world: Insistence
  readonly #ask: Ask
  /** A transaction over both tables, which does not tell which one is missing. */
  readonly #askBoth: Ask

  constructor(clients: Clients, tables: { lines: string; operations: string }, world: Insistence) {
    this.#clients = clients
    this.#table = tables.lines
    this.#operationsTable = tables.operations
    this.#world = world
    this.#ask = asking('lines', `table "${tables.lines}"`)
    this.#askBoth = asking('lines', `table "${tables.lines}", or no table "${tables.operations}"`)
  }

  async enter(use: LineUse, id: string, now: number, hold?: string): Promise<EnterOutcome> {
    const command = new UpdateItemCommand({
      ...this.#drawing(use, id, now, hold),
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    })
    return this.#ask('enter', async () => {
      try {
        const { Attributes } = await this.#clients.dynamoOnce.send(command)
        return { kind: 'entered', line: lineOfItem(use.line, Attributes) }
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        const isPresent = hold === undefined || error.Item?.[entryName(use, id)] !== undefined
        return { kind: isPresent ? 'present' : 'hold-gone', line: lineOfItem(use.line, error.Item) }
      }
    })
  }

  /**
   * Repeated by the SDK with the same token, which DynamoDB remembers for ten minutes: a repeat of a
   * transaction that took effect is answered with success and changes nothing. Nor can a try that arrives
   * after that do harm: the guard is in the same transaction, and no record is new, or waiting, twice.
   *
   * The body is written before, not beside: once the transaction is there, its record may be run at any
   * moment.
   */
  async enterTogether(
    uses: readonly LineUse[],
    id: string,
    guard: Guard,
    now: number,
    hold?: string,
  ): Promise<EnterTogetherOutcome> {
    checkTransaction(uses)
    return this.#askBoth('enterTogether', async () => {
      if (guard.kind === 'create' && guard.body !== undefined) {
        await putBody(this.#clients.dynamo, this.#operationsTable, guard.record, guard.body)
      }
      const items: TransactWriteItem[] = [
        guardOf(this.#operationsTable, guard),
        ...uses.map((use) => ({ Update: { ...this.#drawing(use, id, now, hold), ...tellingWhy(hold) } })),
      ]
      const command = new TransactWriteItemsCommand({
        TransactItems: items,
        ClientRequestToken: randomUUID(),
      })
      try {
        await this.#clients.dynamo.send(command)
        return { kind: 'entered' }
      } catch (error) {
        if (!(error instanceof TransactionCanceledException)) throw error
        return outcomeOfCancel(error, { uses, id, hold })
      }
    })
  }

  async read(keys: readonly string[]): Promise<Line[]> {
    const distinct = [...new Set(keys)]
    const items = await this.#ask('read', () =>
      readItems(this.#clients.dynamo, { table: this.#table, keyName: 'line', keys: distinct }, this.#world),
    )
    return keys.map((key) => lineOfItem(key, items.get(key)))
  }

  async leave(use: LineUse, id: string, now: number): Promise<{ was: boolean; before: Line }> {
    const command = new UpdateItemCommand({
      ...this.#update(use.line, removeEntry, lineExists),
      ExpressionAttributeNames: {
        '#entry': entryName(use, id),
        '#under': underName(id),
        '#ttl': 'ttl',
        '#line': 'line',
      },
      ExpressionAttributeValues: valuesOf({ ttl: lineTtl(now) }),
      ReturnValues: 'ALL_OLD',
    })
    return this.#ask('leave', async () => {
      try {
        const { Attributes } = await this.#clients.dynamo.send(command)
        const was = Attributes?.[entryName(use, id)] !== undefined
        return { was, before: lineOfItem(use.line, Attributes) }
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        return { was: false, before: emptyLine(use.line) }
      }
    })
  }

  async markNudged(key: string, now: number, everyMs: number): Promise<boolean> {
    const command = new UpdateItemCommand({
      ...this.#update(key, setNudged, isNudgeDue),
      ExpressionAttributeNames: namesIn(setNudged, isNudgeDue),
      ExpressionAttributeValues: valuesOf({ now, before: now - everyMs }),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    })
    return this.#ask('markNudged', async () => {
      try {
        await this.#clients.dynamo.send(command)
        return true
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        // A try before this one may have set the mark without an answer; then nobody else sends what it
        // stands for.
        return attemptsOf(error) > 1 && lineOfItem(key, error.Item).nudgedAt === now
      }
    })
  }

  #update(line: string, update: string, condition: string) {
    return {
      TableName: this.#table,
      Key: { line: { S: line } },
      UpdateExpression: update,
      ConditionExpression: condition,
    } satisfies UpdateItemCommandInput
  }

  #drawing(use: LineUse, id: string, now: number, hold: string | undefined) {
    const common = {
      ...this.#update(use.line, drawTicket, isNotInLine),
      ExpressionAttributeNames: { '#entry': entryName(use, id), '#next': 'next', '#ttl': 'ttl' },
      ExpressionAttributeValues: valuesOf({ seed: seedOf(now), one: 1, ttl: lineTtl(now) }),
    }
    if (hold === undefined) return common
    const { set, check } = use.mode === 'write' ? holdWrites : holdStands
    const names = {
      '#under': underName(id),
      '#writingHold': entryName({ line: use.line, mode: 'write' }, hold),
      ...(use.mode === 'read' && { '#readingHold': entryName({ line: use.line, mode: 'read' }, hold) }),
    }
    return {
      ...common,
      ...this.#update(use.line, `${drawTicket}, ${set}`, `${isNotInLine} AND ${check}`),
      ExpressionAttributeNames: { ...common.ExpressionAttributeNames, ...names },
    }
  }
}

/** DynamoDB's own rules, told before it is asked: 100 items (one is the record), each once. */
const checkTransaction = (uses: readonly LineUse[]): void => {
  const distinct = new Set(uses.map((use) => use.line)).size
  if (uses.length === 0 || uses.length > limits.pathsPerOperation || distinct !== uses.length) {
    throw new RangeError(
      `enterTogether: got ${uses.length} uses of ${distinct} lines, ` +
        `expected 1 to ${limits.pathsPerOperation} uses, each of a line of its own`,
    )
  }
}

const conditionFailed = 'ConditionalCheckFailed'

/** Reasons that say "not now"; any other but a failed condition is a mistake of ours (size, expression). */
const busyReasons = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])

/**
 * Why a transaction was cancelled, one reason per item, the guard's first. The guard's refusal counts before
 * anything else: entries found in lines may belong to another request under the same id, and only the record
 * tells.
 */
const outcomeOfCancel = (
  error: TransactionCanceledException,
  { uses, id, hold }: { uses: readonly LineUse[]; id: string; hold: string | undefined },
): EnterTogetherOutcome => {
  const [guard, ...lines] = error.CancellationReasons ?? []
  if (guard?.Code === conditionFailed) return { kind: 'refused', record: recordOfReason(guard) }
  const codes = [guard, ...lines].map((reason) => reason?.Code ?? 'None')
  if (codes.some((code) => busyReasons.has(code))) {
    // After a try without an answer, "not now" says nothing of that one.
    throw new PortFault(attemptsOf(error) > 1 ? 'unanswered' : 'busy', 'lines.enterTogether', error)
  }
  if (!codes.includes(conditionFailed)) throw error
  const isPresent = lines.some(({ Item }, index) => Item !== undefined && isEntryIn(Item, uses[index], id))
  return { kind: hold === undefined || isPresent ? 'present' : 'hold-gone' }
}

/** Two conditions on each line: the item tells which of them failed. */
const tellingWhy = (hold: string | undefined) =>
  hold === undefined ? {} : ({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const)

const isEntryIn = (item: WireItem, use: LineUse | undefined, id: string): boolean =>
  use !== undefined && item[entryName(use, id)] !== undefined

const recordOfReason = ({ Item }: CancellationReason) => (Item === undefined ? undefined : recordOfItem(Item))
