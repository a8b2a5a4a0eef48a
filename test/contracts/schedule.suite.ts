import { beforeAll, expect, it } from 'vitest'
import { limits } from '#domain/limits.ts'
import type { LineUse } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'
import { doneShard, firstDueAt, lateDueAt, openShard } from '#domain/schedule.ts'
import type { LineStore } from '#ports/line-store.ts'
import type { OperationStore } from '#ports/operation-store.ts'
import type { OperationStoreSetup, Setup } from './setups.ts'
import { claimOf, idsInShardOf, insisting, newId, recordOf, uniqueLine, uniqueTime } from './support.ts'

type Range = { from?: number; to?: number; newestFirst?: boolean }

/** Every id of a shard in a span of time, page by page. */
const pagesOf = async (
  operations: OperationStore,
  shard: string,
  options: Range & { limit: number },
): Promise<string[][]> => {
  const pages: string[][] = []
  let cursor: string | undefined
  do {
    const page = await operations.schedule(shard, { ...options, ...(cursor !== undefined && { cursor }) })
    pages.push([...page.ids])
    cursor = page.cursor
  } while (cursor !== undefined)
  return pages
}

/** The laws of the index: where an operation stands in it, from its submit to its end. */
export const describeSchedule = (setup: Setup<OperationStoreSetup>): void => {
  let operations: OperationStore
  let lines: LineStore
  beforeAll(async () => {
    ;({ operations, lines } = await setup())
  })

  /** Puts a record at a time that no other test uses. */
  const created = async (overrides: Partial<OperationRecord> = {}): Promise<OperationRecord> => {
    const record = recordOf({ submittedAt: uniqueTime(), ...overrides })
    await operations.create(record)
    return record
  }
  /** Where the record stands: `[shard kind, time]` of every place in which it is found around its time. */
  const placesOf = async ({ id, submittedAt }: OperationRecord): Promise<[string, number][]> => {
    const places: [string, number][] = []
    const times = [submittedAt, submittedAt + 100, firstDueAt(submittedAt), lateDueAt(submittedAt)]
    for (const [kind, shard] of Object.entries({ open: openShard(id), done: doneShard(id) })) {
      for (const time of [...times, firstDueAt(submittedAt) + limits.operationLifeMs]) {
        const ids = (await pagesOf(operations, shard, { from: time, to: time, limit: 10 })).flat()
        if (ids.includes(id)) places.push([kind, time])
      }
    }
    return places
  }
  const running = async (): Promise<OperationRecord> => {
    const record = await created()
    await operations.claim(record.id, claimOf({ now: record.submittedAt, leaseUntil: record.submittedAt }))
    return record
  }

  it('a new record is due when its submitter must have given up', async () => {
    const record = await created()
    expect(await placesOf(record)).toEqual([['open', firstDueAt(record.submittedAt)]])
  })

  it('claims, amendments, requests and leases do not touch the index', async () => {
    const record = await running()
    const { id, submittedAt: now } = record
    await operations.amend(id, 1, { work: { large: true }, progressed: true })
    await operations.requestCancel(id, now + 100)
    await operations.endLease(id, 1)
    await operations.claim(id, claimOf({ seenAttempt: 1, now: now + 100, leaseUntil: now + 200 }))
    expect(await placesOf(record)).toEqual([['open', firstDueAt(now)]])
  })

  it('a finished record is among the finished, at its end', async () => {
    const record = await running()
    const { id, submittedAt } = record
    await operations.finish(id, 1, { status: 'failed', now: submittedAt + 100 })
    expect(await placesOf(record)).toEqual([['done', submittedAt + 100]])
    await operations.finish(id, 1, { status: 'failed', now: lateDueAt(submittedAt) })
    expect(await placesOf(record)).toEqual([['done', submittedAt + 100]])
  })

  it('what was ended while it waited stays open until no submitter can be alive', async () => {
    const record = await created()
    const { id, submittedAt } = record
    await operations.endWaiting(id, { status: 'cancelled', now: submittedAt + 100 })
    expect(await placesOf(record)).toEqual([['open', lateDueAt(submittedAt)]])
  })

  it('a late record stays in the open index until settled', async () => {
    const uses: LineUse[] = [{ line: uniqueLine('late'), mode: 'write' }]
    const record = await created({ uses })
    const { id, submittedAt: now } = record
    await insisting(() => lines.enterTogether(uses, id, { kind: 'waiting', id }, now))
    expect(await placesOf(record)).toEqual([['open', firstDueAt(now)]])
    await operations.claim(id, claimOf({ now, leaseUntil: now }))
    const { record: final } = await operations.finish(id, 1, { status: 'succeeded', now: now + 100 })
    expect(final?.late).toBe(true)
    expect(await placesOf(record)).toEqual([['open', lateDueAt(now)]])
    await operations.finish(id, 1, { status: 'succeeded', now: now + 100 })
    expect(await placesOf(record)).toEqual([['open', lateDueAt(now)]])
    await operations.settle(final ?? record)
    expect(await placesOf(record)).toEqual([['done', now + 100]])
  })

  it('settling twice is settling once', async () => {
    const record = await created()
    const { id, submittedAt } = record
    const { record: final } = await operations.endWaiting(id, { status: 'cancelled', now: submittedAt + 100 })
    await operations.settle(final ?? record)
    await operations.settle(final ?? record)
    expect(await placesOf(record)).toEqual([['done', submittedAt + 100]])
    expect(await operations.get(id)).toEqual(final)
  })

  it('settling what is still open, or gone, has no effect', async () => {
    const record = await running()
    const now = record.submittedAt
    const before = await operations.get(record.id)
    await operations.settle({ ...record, status: 'succeeded', finishedAt: now + 100 })
    expect(await placesOf(record)).toEqual([['open', firstDueAt(now)]])
    expect(await operations.get(record.id)).toEqual(before)
    const gone = recordOf({ submittedAt: now, status: 'succeeded', finishedAt: now + 100 })
    await operations.settle(gone)
    expect(await operations.get(gone.id)).toBeUndefined()
    expect(await placesOf(gone)).toEqual([])
  })

  it('schedule pages through everything exactly once, in the order of time', async () => {
    const time = uniqueTime()
    const ids = idsInShardOf(newId(), 25)
    // Some at the same time, which a cursor that is only a time would lose or repeat.
    for (const [index, id] of ids.entries()) await created({ id, submittedAt: time + Math.floor(index / 4) })
    const shard = openShard(ids[0] ?? '')
    const range = { from: firstDueAt(time), to: firstDueAt(time) + 10 }
    for (const limit of [1, 4, 7, 25, 100]) {
      const pages = await pagesOf(operations, shard, { ...range, limit })
      expect(pages.every((page) => page.length <= limit)).toBe(true)
      expect(pages.flat().toSorted()).toEqual(ids.toSorted())
      const places = pages.flat().map((id) => Math.floor(ids.indexOf(id) / 4))
      expect(places).toEqual(places.toSorted((a, b) => a - b))
    }
  })

  it('newest first is the same, backwards', async () => {
    const time = uniqueTime()
    const ids = idsInShardOf(newId(), 9)
    for (const [index, id] of ids.entries()) await created({ id, submittedAt: time + index })
    const shard = openShard(ids[0] ?? '')
    const options = { from: firstDueAt(time), to: firstDueAt(time) + 10, newestFirst: true }
    for (const limit of [2, 3, 100]) {
      expect((await pagesOf(operations, shard, { ...options, limit })).flat()).toEqual(ids.toReversed())
    }
  })

  it('both ends of the span are in it', async () => {
    const time = uniqueTime()
    const ids = idsInShardOf(newId(), 5)
    for (const [index, id] of ids.entries()) await created({ id, submittedAt: time + index })
    const shard = openShard(ids[0] ?? '')
    const due = firstDueAt(time)
    const within = async (from: number, to: number): Promise<string[]> =>
      (await pagesOf(operations, shard, { from, to, limit: 10 })).flat()
    expect(await within(due + 1, due + 3)).toEqual(ids.slice(1, 4))
    expect(await within(due + 2, due + 2)).toEqual([ids[2]])
    expect(await within(due + 5, due + 9)).toEqual([])
  })

  it('an open end reaches to the first and to the last', async () => {
    const time = uniqueTime()
    const [id = ''] = idsInShardOf(newId(), 1)
    await created({ id, submittedAt: time })
    const due = firstDueAt(time)
    const shard = openShard(id)
    for (const [range, isIn] of [
      [{}, true],
      [{ to: due }, true],
      [{ from: due }, true],
      [{ to: due - 1 }, false],
      [{ from: due + 1 }, false],
    ] as const) {
      expect((await pagesOf(operations, shard, { ...range, limit: 100 })).flat().includes(id)).toBe(isIn)
    }
  })

  it('what leaves the index between two pages hides and repeats nothing else', async () => {
    const time = uniqueTime()
    const ids = idsInShardOf(newId(), 6)
    for (const [index, id] of ids.entries()) await created({ id, submittedAt: time + index })
    const shard = openShard(ids[0] ?? '')
    const range = { from: firstDueAt(time), to: firstDueAt(time) + 10, limit: 2 }
    const first = await operations.schedule(shard, range)
    for (const id of ids.slice(0, 3)) {
      await operations.claim(id, claimOf({ now: time, leaseUntil: time }))
      await operations.finish(id, 1, { status: 'succeeded', now: time })
    }
    expect(first.ids).toEqual(ids.slice(0, 2))
    const rest: string[] = []
    for (let cursor = first.cursor; cursor !== undefined; ) {
      const page = await operations.schedule(shard, { ...range, cursor })
      rest.push(...page.ids)
      cursor = page.cursor
    }
    expect(rest).toEqual(ids.slice(3))
  })
}
