import type { WireItem } from './dynamo-items.ts'

/** A row of the index. */
export interface SchedulePlace {
  readonly id: string
  readonly at: number
}

/**
 * A position, not a count, so that rows which come or go between two pages neither hide nor repeat others.
 */
export const cursorOf = ({ id, at }: SchedulePlace): string =>
  Buffer.from(JSON.stringify([at, id])).toString('base64url')

/** Throws a RangeError for a text that is no cursor: it may have come from a user. */
export const startOf = (shard: string, cursor: string): WireItem => {
  const [at, id] = parse(cursor)
  if (typeof at !== 'number' || typeof id !== 'string') {
    throw new RangeError(`schedule: got cursor "${cursor}", expected one of an earlier page`)
  }
  return { shard: { S: shard }, at: { N: String(at) }, id: { S: id } }
}

const parse = (cursor: string): unknown[] => {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}
