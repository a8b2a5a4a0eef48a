import {
  ConditionalCheckFailedException,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { limits } from '#domain/limits.ts'
import { holdKind, isFinal, type OperationRecord } from '#domain/operation.ts'
import { doneShard } from '#domain/schedule.ts'
import type {
  Amendment,
  Claim,
  ClaimOutcome,
  CreateOutcome,
  Ending,
  FinishOutcome,
  OperationStore,
  SchedulePage,
} from '#ports/operation-store.ts'
import { readItem, readItems } from './batch-read.ts'
import type { Clients } from './clients.ts'
import { fromWire, type Item, namesIn, ttlOf, valuesOf, type WireItem } from './dynamo-items.ts'
import { type Ask, asking } from './faults.ts'
import type { Insistence } from './insisting.ts'
import { bodyId, packBase, recordOfItem } from './record-items.ts'
import { putBody, putOfRecord } from './record-writes.ts'
import { cursorOf, type SchedulePlace, startOf } from './schedule-cursor.ts'

/** What the sweeper and lists read. */
const scheduleIndex = 'schedule'

/** DynamoDB's limit on one batch. */
const idsAtOnce = 100

/** Nobody has claimed it since the claimant looked, and nobody who has may be alive. */
const isClaimable =
  '#attempt = :seen AND (#status = :waiting OR (#status = :running AND ' +
  '(attribute_not_exists(#leaseUntil) OR #leaseUntil <= :now)))'

/** The first claim records the base and the start: a takeover judges by what was there before any try. */
const becomeClaimed =
  'SET #status = :running, #attempt = :attempt, #tries = if_not_exists(#tries, :zero) + :one, ' +
  '#leaseUntil = :leaseUntil, #nonce = :nonce, #base = if_not_exists(#base, :base), ' +
  '#startedAt = if_not_exists(#startedAt, :now)'

const haveResult = '#result = :result'

/** It runs under this very attempt: no takeover, no end. */
const isOurs = '#status = :running AND #attempt = :attempt'

/** No entry of it can arrive after its end. */
const isPunctual = 'attribute_not_exists(#late)'

/** One can: it must be looked at once more. */
const isLate = '#late = :true'

/** A hold that its holder has now, and its lease has not been moved further ahead than asked for. */
const isHeldForLess = '#kind = :hold AND #status = :running AND #leaseUntil < :until'

const moveLeaseAhead = 'SET #leaseUntil = :until'

/** A hold that its holder has now. */
const isHeld = '#kind = :hold AND #status = :running'

/** As before, and nobody has extended it in time. */
const isHeldNoLonger = `${isHeld} AND #leaseUntil <= :now`

/** Nobody has claimed it, and it has not ended. */
const isWaiting = '#status = :waiting'

const isRunning = '#status = :running'

/** It has ended, and is still kept. */
const isFinalStatus = '#status IN (:succeeded, :failed, :cancelled)'

const letGo = 'SET #leaseUntil = :zero'

const askToStop = 'SET #cancelRequestedAt = if_not_exists(#cancelRequestedAt, :now)'

/** Its entries are looked at once more after its end. */
const becomeLate = '#late = :true'

/** Into the index of what has ended. */
const moveToDone = '#shard = :done, #at = :now, #ttl = :ttl'

/**
 * It stays in the open index, due when its submitter cannot be alive: settling it then starts its time to
 * live.
 */
const stayOpen = '#at = #submittedAt + :gone'

/** Takes it out of the open index; from its end on, it is kept as long as any other. */
const becomeSettled = 'SET #shard = :done, #at = :finishedAt, #ttl = :ttl'

interface Change {
  readonly update?: string
  readonly condition: string
  readonly values: Item
}

type Changed =
  | { readonly done: true; readonly record: OperationRecord }
  | { readonly done: false; readonly item: WireItem | undefined }

/** Records on DynamoDB, one item each, and a body item beside those whose content is larger. */
export class AwsOperationStore implements OperationStore {
  readonly #clients: Clients
  readonly #table: string
  readonly #world: Insistence
  readonly #ask: Ask

  constructor(clients: Clients, table: string, world: Insistence) {
    this.#clients = clients
    this.#table = table
    this.#world = world
    this.#ask = asking('operations', `table "${table}"`)
  }

  async create(record: OperationRecord, body?: Uint8Array): Promise<CreateOutcome> {
    return this.#ask('create', async () => {
      const [outcome] = await Promise.all([
        this.#put(record),
        body === undefined ? undefined : putBody(this.#clients.dynamo, this.#table, record, body),
      ])
      return outcome
    })
  }

  async get(id: string): Promise<OperationRecord | undefined> {
    const item = await this.#ask('get', () => readItem(this.#clients.dynamo, this.#table, 'id', id))
    return item === undefined ? undefined : recordOfItem(item)
  }

  async getMany(ids: readonly string[]): Promise<OperationRecord[]> {
    const keys = [...new Set(ids)]
    if (keys.length > idsAtOnce) {
      throw new RangeError(`getMany: got ${keys.length} ids, expected at most ${idsAtOnce}`)
    }
    const query = { table: this.#table, keyName: 'id', keys }
    const items = await this.#ask('getMany', () => readItems(this.#clients.dynamo, query, this.#world))
    return [...items.values()].map(recordOfItem)
  }

  async body(record: OperationRecord): Promise<Uint8Array | undefined> {
    const read = () => readItem(this.#clients.dynamo, this.#table, 'id', bodyId(record))
    return (await this.#ask('body', read))?.['bytes']?.B
  }

  async claim(id: string, claim: Claim): Promise<ClaimOutcome> {
    const attempt = claim.seenAttempt + 1
    const changed = await this.#change('claim', id, {
      update: claim.result === undefined ? becomeClaimed : `${becomeClaimed}, ${haveResult}`,
      condition: isClaimable,
      values: {
        seen: claim.seenAttempt,
        attempt,
        leaseUntil: claim.leaseUntil,
        nonce: claim.nonce,
        base: packBase(claim.base),
        now: claim.now,
        result: claim.result,
        waiting: 'waiting',
        running: 'running',
        zero: 0,
        one: 1,
      },
    })
    if (changed.done) return { kind: 'claimed', record: changed.record }
    const record = recordIn(changed.item)
    const isOwn = record?.status === 'running' && record.attempt === attempt && record.nonce === claim.nonce
    return isOwn ? { kind: 'claimed', record } : { kind: 'refused', record }
  }

  async amend(id: string, attempt: number, amendment: Amendment): Promise<OperationRecord | undefined> {
    const { base, work, progress, progressed } = amendment
    const sets = [
      base !== undefined && '#base = :base',
      work !== undefined && work !== null && '#work = :work',
      progress !== undefined && '#progress = :progress',
      progressed === true && '#tries = :one',
    ].filter((part) => part !== false)
    const update = [sets.length > 0 && `SET ${sets.join(', ')}`, work === null && 'REMOVE #work']
    const changed = await this.#change('amend', id, {
      update: update.filter((part) => part !== false).join(' '),
      condition: isOurs,
      values: {
        running: 'running',
        attempt,
        base: base && packBase(base),
        work: work ?? undefined,
        progress,
        one: progressed === true ? 1 : undefined,
      },
    })
    return changed.done ? changed.record : undefined
  }

  async finish(id: string, attempt: number, ending: Ending): Promise<FinishOutcome> {
    const own = { condition: isOurs, values: { running: 'running', attempt } }
    const ended = await this.#end('finish', id, ending, own)
    return ended.done
      ? { kind: 'finished', record: ended.record }
      : finishedBefore(recordIn(ended.item), attempt)
  }

  async endLease(id: string, attempt: number): Promise<void> {
    const values = { running: 'running', attempt, zero: 0 }
    await this.#change('endLease', id, { update: letGo, condition: isOurs, values })
  }

  async endWaiting(id: string, ending: Ending): Promise<FinishOutcome> {
    const own = { condition: isWaiting, values: { waiting: 'waiting' } }
    const ended = await this.#endOpen('endWaiting', id, ending, own)
    if (ended.done) return { kind: 'finished', record: ended.record }
    const found = recordIn(ended.item)
    return found?.attempt === 0 ? endedBefore(found, ending) : { kind: 'refused', record: found }
  }

  async extendHold(id: string, leaseUntil: number): Promise<OperationRecord | undefined> {
    const changed = await this.#change('extendHold', id, {
      update: moveLeaseAhead,
      condition: isHeldForLess,
      values: { until: leaseUntil, hold: holdKind, running: 'running' },
    })
    if (changed.done) return changed.record
    const found = recordIn(changed.item)
    return found?.kind === holdKind && found.status === 'running' ? found : undefined
  }

  async endHold(
    id: string,
    ending: Ending,
    { ifExpired = false, stayOpen = false }: { ifExpired?: boolean; stayOpen?: boolean } = {},
  ): Promise<FinishOutcome> {
    const own = {
      condition: ifExpired ? isHeldNoLonger : isHeld,
      values: { hold: holdKind, running: 'running' },
    }
    const ended = stayOpen
      ? await this.#endOpen('endHold', id, ending, own)
      : await this.#end('endHold', id, ending, own)
    return ended.done ? { kind: 'finished', record: ended.record } : endedBefore(recordIn(ended.item), ending)
  }

  async requestCancel(id: string, now: number): Promise<OperationRecord | undefined> {
    const change = { update: askToStop, condition: isRunning, values: { running: 'running', now } }
    const changed = await this.#change('requestCancel', id, change)
    return changed.done ? changed.record : undefined
  }

  async settle(record: OperationRecord): Promise<void> {
    const finishedAt = record.finishedAt ?? record.submittedAt
    await this.#change('settle', record.id, {
      update: becomeSettled,
      condition: isFinalStatus,
      values: {
        succeeded: 'succeeded',
        failed: 'failed',
        cancelled: 'cancelled',
        done: doneShard(record.id),
        finishedAt,
        ttl: ttlOf(finishedAt + limits.resultLifeMs),
      },
    })
  }

  async schedule(
    shard: string,
    options: { from?: number; to?: number; newestFirst?: boolean; limit: number; cursor?: string },
  ): Promise<SchedulePage> {
    const { from = 0, to = Number.MAX_SAFE_INTEGER, newestFirst = false, limit, cursor } = options
    if (!Number.isInteger(limit) || limit < 1) {
      throw new RangeError(`schedule: got limit ${limit}, expected at least 1`)
    }
    if (from > to) return { ids: [] }
    const inTime = '#shard = :shard AND #at BETWEEN :from AND :to'
    const command = new QueryCommand({
      TableName: this.#table,
      IndexName: scheduleIndex,
      KeyConditionExpression: inTime,
      ExpressionAttributeNames: namesIn(inTime),
      ExpressionAttributeValues: valuesOf({ shard, from, to }),
      ScanIndexForward: !newestFirst,
      // One more than asked for tells whether there is a next page: DynamoDB gives a cursor also at the very
      // end.
      Limit: limit + 1,
      ...(cursor !== undefined && { ExclusiveStartKey: startOf(shard, cursor) }),
    })
    const { Items = [], LastEvaluatedKey } = await this.#ask('schedule', () =>
      this.#clients.dynamo.send(command),
    )
    const places = Items.map((item) => fromWire(item) as unknown as SchedulePlace)
    const page = places.slice(0, limit)
    const last = page.at(-1)
    const ids = page.map(({ id }) => id)
    const isMore = places.length > limit || LastEvaluatedKey !== undefined
    return last !== undefined && isMore ? { ids, cursor: cursorOf(last) } : { ids }
  }

  async #put(record: OperationRecord): Promise<CreateOutcome> {
    try {
      await this.#clients.dynamo.send(new PutItemCommand(putOfRecord(this.#table, record)))
      return { kind: 'created' }
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException) || error.Item === undefined) throw error
      return { kind: 'exists', record: recordOfItem(error.Item) }
    }
  }

  /**
   * Makes it final while `own` holds. Whether it is `late` decides where it goes, and that may change until this very
   * update: so it is a condition, tried for the usual case first. Once late, it stays late.
   */
  async #end(
    call: string,
    id: string,
    ending: Ending,
    own: Required<Omit<Change, 'update'>>,
  ): Promise<Changed> {
    const punctual = await this.#change(call, id, {
      update: `${becomeFinal(ending)}, ${moveToDone}`,
      condition: `${own.condition} AND ${isPunctual}`,
      values: {
        ...own.values,
        ...finalValues(ending),
        done: doneShard(id),
        ttl: ttlOf(ending.now + limits.resultLifeMs),
      },
    })
    if (punctual.done || recordIn(punctual.item)?.late !== true) return punctual
    return this.#change(call, id, {
      update: `${becomeFinal(ending)}, ${stayOpen}`,
      condition: `${own.condition} AND ${isLate}`,
      values: { ...own.values, ...finalValues(ending), true: true, gone: limits.submitterGoneMs },
    })
  }

  /** Makes it final while `own` holds, and leaves it in the open index, whatever it was. */
  #endOpen(
    call: string,
    id: string,
    ending: Ending,
    own: Required<Omit<Change, 'update'>>,
  ): Promise<Changed> {
    return this.#change(call, id, {
      update: `${becomeFinal(ending)}, ${becomeLate}, ${stayOpen}`,
      condition: own.condition,
      values: { ...own.values, ...finalValues(ending), true: true, gone: limits.submitterGoneMs },
    })
  }

  /** One conditional update; `item` is what is there if the condition does not hold. */
  async #change(call: string, id: string, { update, condition, values }: Change): Promise<Changed> {
    const command = new UpdateItemCommand({
      TableName: this.#table,
      Key: { id: { S: id } },
      ...(update && { UpdateExpression: update }),
      ConditionExpression: condition,
      ExpressionAttributeNames: namesIn(update ?? '', condition),
      ExpressionAttributeValues: valuesOf(values),
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    })
    return this.#ask(call, async () => {
      try {
        const { Attributes } = await this.#clients.dynamo.send(command)
        return { done: true, record: recordOfItem(Attributes ?? {}) }
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        return { done: false, item: error.Item }
      }
    })
  }
}

const recordIn = (item: WireItem | undefined): OperationRecord | undefined =>
  item === undefined ? undefined : recordOfItem(item)

const becomeFinal = ({ result, error }: Ending): string =>
  [
    'SET #status = :status, #finishedAt = :now',
    result !== undefined && '#result = :result',
    error !== undefined && '#error = :error',
  ]
    .filter((part) => part !== false)
    .join(', ')

const finalValues = ({ status, result, error, now }: Ending): Item => ({ status, result, error, now })

/** Final under this very attempt: an earlier try of the same call did it, and its answer was lost. */
const finishedBefore = (record: OperationRecord | undefined, attempt: number): FinishOutcome =>
  record !== undefined && isFinal(record.status) && record.attempt === attempt
    ? { kind: 'finished', record }
    : { kind: 'refused', record }

/** Ended in this very way: an earlier try of the same call did it. */
const endedBefore = (record: OperationRecord | undefined, ending: Ending): FinishOutcome =>
  record?.status === ending.status && record.finishedAt === ending.now
    ? { kind: 'finished', record }
    : { kind: 'refused', record }
