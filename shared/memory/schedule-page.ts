import type { SchedulePage } from '#ports/operation-store.ts'
import type { RecordItem } from './memory-tables.ts'

interface Place {
  readonly time: number
  readonly id: string
}

const compare = (a: Place, b: Place): number => a.time - b.time || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/**
 * A page of the index. The cursor is a position, not a count, so that entries which come or go between two
 * pages neither hide nor repeat others.
 */
export const pageOfSchedule = (
  records: ReadonlyMap<string, RecordItem>,
  shard: string,
  options: { from?: number; to?: number; newestFirst?: boolean; limit: number; cursor?: string },
): SchedulePage => {
  const {
    from = Number.NEGATIVE_INFINITY,
    to = Number.POSITIVE_INFINITY,
    newestFirst = false,
    limit,
    cursor,
  } = options
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`schedule: got limit ${limit}, expected at least 1`)
  const sign = newestFirst ? -1 : 1
  const after = cursor === undefined ? undefined : (JSON.parse(cursor) as Place)
  const places = [...records]
    .filter(([, { index }]) => index.shard === shard && index.time >= from && index.time <= to)
    .map(([id, { index }]): Place => ({ time: index.time, id }))
    .filter((place) => after === undefined || sign * compare(place, after) > 0)
    .sort((a, b) => sign * compare(a, b))
  const page = places.slice(0, limit)
  const last = page.at(-1)
  const ids = page.map(({ id }) => id)
  return last !== undefined && places.length > limit ? { ids, cursor: JSON.stringify(last) } : { ids }
}
