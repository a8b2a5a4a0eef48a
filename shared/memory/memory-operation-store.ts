import { limits } from '#domain/limits.ts'
import { isFinal, isHeld, type OperationRecord } from '#domain/operation.ts'
import { doneShard, firstDueAt, lateDueAt, openShard } from '#domain/schedule.ts'
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
import { bodyKey, type MemoryTables, type RecordItem } from './memory-tables.ts'
import { pageOfSchedule } from './schedule-page.ts'

/** Records in memory. See {@link MemoryTables} for the state and for the hooks that delete it as TTL does. */
export class MemoryOperationStore implements OperationStore {
  readonly #tables: MemoryTables

  constructor(tables: MemoryTables) {
    this.#tables = tables
  }

  async create(record: OperationRecord, body?: Uint8Array): Promise<CreateOutcome> {
    const own = structuredClone(record)
    const ownBody = body === undefined ? undefined : new Uint8Array(body)
    await this.#tables.turn()
    const item = this.#tables.records.get(own.id)
    if (item === undefined) {
      insertRecord(this.#tables, own, ownBody)
      return { kind: 'created' }
    }
    if (ownBody !== undefined) this.#tables.bodies.set(bodyKey(own), ownBody)
    return { kind: 'exists', record: structuredClone(item.record) }
  }

  async get(id: string): Promise<OperationRecord | undefined> {
    await this.#tables.turn()
    return structuredClone(this.#tables.records.get(id)?.record)
  }

  /** One step per record, not one for all: DynamoDB's batch reads are no snapshot either. */
  async getMany(ids: readonly string[]): Promise<OperationRecord[]> {
    const distinct = new Set(ids)
    if (distinct.size > 100) throw new RangeError(`getMany: got ${distinct.size} ids, expected at most 100`)
    const records: OperationRecord[] = []
    for (const id of distinct) {
      await this.#tables.turn()
      const item = this.#tables.records.get(id)
      if (item !== undefined) records.push(structuredClone(item.record))
    }
    return records
  }

  async body(record: OperationRecord): Promise<Uint8Array | undefined> {
    const key = bodyKey(record)
    await this.#tables.turn()
    const bytes = this.#tables.bodies.get(key)
    return bytes === undefined ? undefined : new Uint8Array(bytes)
  }

  async claim(id: string, claim: Claim): Promise<ClaimOutcome> {
    const own = structuredClone(claim)
    await this.#tables.turn()
    const item = this.#tables.records.get(id)
    if (item === undefined) return { kind: 'refused', record: undefined }
    if (isOwnClaim(item.record, own)) return { kind: 'claimed', record: structuredClone(item.record) }
    if (!isClaimable(item.record, own)) return { kind: 'refused', record: structuredClone(item.record) }
    item.record = claimed(item.record, own)
    return { kind: 'claimed', record: structuredClone(item.record) }
  }

  async amend(id: string, attempt: number, amendment: Amendment): Promise<OperationRecord | undefined> {
    const own = structuredClone(amendment)
    await this.#tables.turn()
    const item = this.#running(id, attempt)
    if (item === undefined) return undefined
    item.record = amended(item.record, own)
    return structuredClone(item.record)
  }

  async finish(id: string, attempt: number, ending: Ending): Promise<FinishOutcome> {
    const own = structuredClone(ending)
    await this.#tables.turn()
    const item = this.#running(id, attempt)
    if (item === undefined) {
      return this.#ended(id, (record) => isFinal(record.status) && record.attempt === attempt)
    }
    return { kind: 'finished', record: finishItem(item, own) }
  }

  async endLease(id: string, attempt: number): Promise<void> {
    await this.#tables.turn()
    const item = this.#running(id, attempt)
    if (item !== undefined) item.record = { ...item.record, leaseUntil: 0 }
  }

  async endWaiting(id: string, ending: Ending): Promise<FinishOutcome> {
    const own = structuredClone(ending)
    await this.#tables.turn()
    const item = this.#tables.records.get(id)
    if (item?.record.status !== 'waiting') return this.#ended(id, (record) => isOwnEnding(record, own))
    item.record = { ...ended(item.record, own), late: true }
    item.ttl = own.now + limits.resultLifeMs
    keepOpen(item)
    return { kind: 'finished', record: structuredClone(item.record) }
  }

  async extendHold(id: string, leaseUntil: number): Promise<OperationRecord | undefined> {
    await this.#tables.turn()
    const item = this.#tables.records.get(id)
    if (item === undefined || !isHeld(item.record)) return undefined
    item.record = { ...item.record, leaseUntil: Math.max(item.record.leaseUntil, leaseUntil) }
    return structuredClone(item.record)
  }

  async endHold(
    id: string,
    ending: Ending,
    { ifExpired = false, stayOpen = false }: { ifExpired?: boolean; stayOpen?: boolean } = {},
  ): Promise<FinishOutcome> {
    const own = structuredClone(ending)
    await this.#tables.turn()
    const item = this.#tables.records.get(id)
    if (item === undefined || !isHeld(item.record)) {
      return this.#ended(id, (record) => record.status === own.status && record.finishedAt === own.now)
    }
    if (ifExpired && item.record.leaseUntil > own.now) {
      return { kind: 'refused', record: structuredClone(item.record) }
    }
    if (stayOpen) item.record = { ...item.record, late: true }
    return { kind: 'finished', record: finishItem(item, own) }
  }

  async requestCancel(id: string, now: number): Promise<OperationRecord | undefined> {
    await this.#tables.turn()
    const item = this.#tables.records.get(id)
    if (item?.record.status !== 'running') return undefined
    item.record = { ...item.record, cancelRequestedAt: item.record.cancelRequestedAt ?? now }
    return structuredClone(item.record)
  }

  async settle(record: OperationRecord): Promise<void> {
    const { id } = record
    await this.#tables.turn()
    const item = this.#tables.records.get(id)
    if (item === undefined || !isFinal(item.record.status)) return
    item.index = { shard: doneShard(id), time: item.record.finishedAt ?? item.record.submittedAt }
  }

  async schedule(
    shard: string,
    options: { from?: number; to?: number; newestFirst?: boolean; limit: number; cursor?: string },
  ): Promise<SchedulePage> {
    const own = { ...options }
    await this.#tables.turn()
    return pageOfSchedule(this.#tables.records, shard, own)
  }

  #running(id: string, attempt: number): RecordItem | undefined {
    const item = this.#tables.records.get(id)
    return item?.record.status === 'running' && item.record.attempt === attempt ? item : undefined
  }

  /** The outcome for one who came too late: fine if the ending found there is its own. */
  #ended(id: string, isOwn: (record: OperationRecord) => boolean): FinishOutcome {
    const record = structuredClone(this.#tables.records.get(id)?.record)
    return record !== undefined && isOwn(record) ? { kind: 'finished', record } : { kind: 'refused', record }
  }
}

/**
 * Puts a new record and its body, due when its submitter must have given up. Part of a step, for both stores.
 */
export const insertRecord = (
  tables: MemoryTables,
  record: OperationRecord,
  body: Uint8Array | undefined,
): void => {
  const index = { shard: openShard(record.id), time: firstDueAt(record.submittedAt) }
  tables.records.set(record.id, { record, index })
  if (body !== undefined) tables.bodies.set(bodyKey(record), body)
}

/** An earlier try of this very claim took effect and its answer was lost. */
const isOwnClaim = (record: OperationRecord, claim: Claim): boolean =>
  record.status === 'running' && record.attempt === claim.seenAttempt + 1 && record.nonce === claim.nonce

const isClaimable = (record: OperationRecord, claim: Claim): boolean =>
  record.attempt === claim.seenAttempt &&
  (record.status === 'waiting' || (record.status === 'running' && record.leaseUntil <= claim.now))

const claimed = (record: OperationRecord, claim: Claim): OperationRecord => ({
  ...record,
  status: 'running',
  attempt: record.attempt + 1,
  tries: record.tries + 1,
  leaseUntil: claim.leaseUntil,
  nonce: claim.nonce,
  base: record.base ?? claim.base,
  ...(claim.result !== undefined && { result: claim.result }),
  startedAt: record.startedAt ?? claim.now,
})

const amended = (record: OperationRecord, amendment: Amendment): OperationRecord => {
  const { base, work, progress, progressed } = amendment
  const { work: oldWork, ...rest } = record
  const newWork = work === undefined ? oldWork : work
  return {
    ...rest,
    ...(newWork !== undefined && newWork !== null && { work: newWork }),
    ...(base !== undefined && { base }),
    ...(progress !== undefined && { progress }),
    ...(progressed === true && { tries: 1 }),
  }
}

const ended = (record: OperationRecord, ending: Ending): OperationRecord => ({
  ...record,
  status: ending.status,
  finishedAt: ending.now,
  ...(ending.result !== undefined && { result: ending.result }),
  ...(ending.error !== undefined && { error: ending.error }),
})

/** Makes it final, and puts it where it then belongs in the index. */
const finishItem = (item: RecordItem, ending: Ending): OperationRecord => {
  item.record = ended(item.record, ending)
  item.ttl = ending.now + limits.resultLifeMs
  if (item.record.late === true) keepOpen(item)
  else item.index = { shard: doneShard(item.record.id), time: ending.now }
  return structuredClone(item.record)
}

/** Ended while waiting (it never had an attempt), the same way at the same time. */
const isOwnEnding = (record: OperationRecord, ending: Ending): boolean =>
  record.attempt === 0 && record.status === ending.status && record.finishedAt === ending.now

/** In the open index until no submitter can be alive, and never earlier than it was. */
const keepOpen = (item: RecordItem): void => {
  const { id, submittedAt } = item.record
  item.index = { shard: openShard(id), time: Math.max(item.index.time, lateDueAt(submittedAt)) }
}
