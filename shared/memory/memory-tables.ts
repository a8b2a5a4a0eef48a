import { limits } from '#domain/limits.ts'
import { inTurn, type Line, type LineEntry } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'

/** Awaited before every atomic step. The default yields once; a simulation may decide here who goes next. */
export type Turn = () => Promise<void>

export const yieldOnce: Turn = () => Promise.resolve()

/** A line as DynamoDB holds it: one item. */
export interface LineItem {
  /** The next ticket. */
  next: number
  /** By mode and operation id, as the attribute names of the item are. */
  readonly entries: Map<string, LineEntry>
  nudgedAt?: number
  /** When it is garbage, epoch ms. */
  ttl: number
}

/** A record as DynamoDB holds it, with its place in the index, which the record itself does not show. */
export interface RecordItem {
  record: OperationRecord
  index: { readonly shard: string; readonly time: number }
  /** When it is garbage, epoch ms; never while the operation is open. */
  ttl?: number
}

/**
 * The state behind {@link MemoryLineStore} and {@link MemoryOperationStore}. They share it because one
 * DynamoDB transaction covers both (`enterTogether`). Whatever runs between two `turn()`s is one atomic step.
 */
export class MemoryTables {
  readonly lines = new Map<string, LineItem>()
  readonly records = new Map<string, RecordItem>()
  /** Body items, by {@link bodyKey}. */
  readonly bodies = new Map<string, Uint8Array>()
  readonly turn: Turn

  constructor(options: { turn?: Turn } = {}) {
    this.turn = options.turn ?? yieldOnce
  }

  /** Deletes a line, as TTL does. */
  collectLine(key: string): void {
    this.lines.delete(key)
  }

  /** Deletes a record with its body, as TTL does. */
  collectRecord(id: string): void {
    this.records.delete(id)
    for (const key of this.bodies.keys()) if (key.startsWith(`${id}/`)) this.bodies.delete(key)
  }

  /**
   * Loses the body items of an operation, as if its submitter had died after the record and before the body.
   */
  loseBody(id: string): void {
    for (const key of this.bodies.keys()) if (key.startsWith(`${id}/`)) this.bodies.delete(key)
  }

  /**
   * Deletes everything whose time to live is over, as TTL does within days (or never: nothing may rely on
   * it).
   */
  collectExpired(now: number): void {
    for (const [key, item] of this.lines) if (item.ttl <= now) this.collectLine(key)
    for (const [id, item] of this.records)
      if (item.ttl !== undefined && item.ttl <= now) this.collectRecord(id)
  }
}

/** With the digest, so that another request under the same id cannot replace the first one's body. */
export const bodyKey = (record: OperationRecord): string => `${record.id}/${record.digest}`

export const entryName = (mode: string, id: string): string => `${mode}:${id}`

/** A snapshot. */
export const lineOf = (key: string, item: LineItem | undefined): Line => {
  const entries = inTurn([...(item?.entries.values() ?? [])])
  const line: Line = { key, entries: entries.map((entry) => ({ ...entry })) }
  return item?.nudgedAt === undefined ? line : { ...line, nudgedAt: item.nudgedAt }
}

/**
 * The line to add an entry to. A new one draws its first ticket from the time, so that tickets outlive their
 * line.
 */
export const openLine = (tables: MemoryTables, key: string, now: number): LineItem => {
  const item = tables.lines.get(key) ?? { next: now * 1000, entries: new Map<string, LineEntry>(), ttl: 0 }
  item.ttl = now + limits.lineLifeMs
  tables.lines.set(key, item)
  return item
}
