import { beforeAll, expect, it } from 'vitest'
import { limits } from '#domain/limits.ts'
import type { OperationRecord } from '#domain/operation.ts'
import { doneShard, openShard } from '#domain/schedule.ts'
import type { Ending, OperationStore } from '#ports/operation-store.ts'
import type { OperationStoreSetup, Setup } from './setups.ts'
import { claimOf, newId, numbersTo, recordOf, start, uniqueTime } from './support.ts'

const leaseUntil = start + 10_000
const tokens = { tokens: { 'a/b.txt': 7 } }
const released: Ending = { status: 'succeeded', now: start + 50 }
const lost: Ending = {
  status: 'failed',
  error: { code: 'LeaseLost', message: 'gone', retryable: false },
  now: leaseUntil,
}

/** The laws of {@link OperationStore.extendHold} and {@link OperationStore.endHold}. */
export const describeHolds = (setup: Setup<OperationStoreSetup>): void => {
  let operations: OperationStore
  beforeAll(async () => {
    ;({ operations } = await setup())
  })
  const held = async (overrides: Partial<OperationRecord> = {}): Promise<OperationRecord> => {
    const record = recordOf({ kind: 'hold', args: { paths: ['a/b.txt'], mode: 'write' }, ...overrides })
    await operations.create(record)
    const outcome = await operations.claim(record.id, claimOf({ leaseUntil, result: tokens }))
    if (outcome.record === undefined) throw new Error('not claimed')
    return outcome.record
  }

  it('a claim may give what it has from then on, and the end keeps it', async () => {
    const record = await held()
    expect(record.result).toEqual(tokens)
    const outcome = await operations.endHold(record.id, released)
    expect(outcome.record).toMatchObject({ status: 'succeeded', result: tokens, finishedAt: released.now })
    expect(await operations.get(record.id)).toEqual(outcome.record)
  })

  it('an extension moves the end of the lease, and nothing else', async () => {
    const record = await held()
    const extended = await operations.extendHold(record.id, leaseUntil + 5)
    expect(extended).toEqual({ ...record, leaseUntil: leaseUntil + 5 })
    expect(await operations.get(record.id)).toEqual(extended)
  })

  it('an extension that arrives late takes nothing from a later one', async () => {
    const record = await held()
    await operations.extendHold(record.id, leaseUntil + 9)
    const late = await operations.extendHold(record.id, leaseUntil + 3)
    expect(late).toEqual({ ...record, leaseUntil: leaseUntil + 9 })
    expect(await operations.extendHold(record.id, leaseUntil + 9)).toEqual(late)
  })

  it('a hold whose lease has ended may still be extended, until somebody ends it', async () => {
    const { id } = await held()
    expect(await operations.extendHold(id, leaseUntil + 60_000)).toBeDefined()
    expect((await operations.endHold(id, lost, { ifExpired: true })).kind).toBe('refused')
    const ending = { ...lost, now: leaseUntil + 60_000 }
    expect((await operations.endHold(id, ending, { ifExpired: true })).kind).toBe('finished')
    expect(await operations.extendHold(id, leaseUntil + 90_000)).toBeUndefined()
  })

  it('a lease is over from its end on, and not before', async () => {
    const { id } = await held()
    const early = await operations.endHold(id, { ...lost, now: leaseUntil - 1 }, { ifExpired: true })
    expect(early).toMatchObject({ kind: 'refused', record: { status: 'running' } })
    const ended = await operations.endHold(id, lost, { ifExpired: true })
    expect(ended).toMatchObject({ kind: 'finished', record: { status: 'failed', error: lost.error } })
  })

  it('of a release and an end of the lease at once, exactly one counts', async () => {
    for (const _ of numbersTo(5)) {
      const { id } = await held()
      const outcomes = await Promise.all([
        operations.endHold(id, lost, { ifExpired: true }),
        operations.endHold(id, released),
      ])
      expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(['finished', 'refused'])
      const record = await operations.get(id)
      for (const outcome of outcomes) expect(outcome.record).toEqual(record)
    }
  })

  it('an ending recognises its own earlier try, and no other', async () => {
    const { id } = await held()
    const first = await operations.endHold(id, released)
    expect(await operations.endHold(id, released)).toEqual(first)
    const other = await operations.endHold(id, { ...released, now: released.now + 1 })
    expect(other).toEqual({ kind: 'refused', record: first.record })
    expect(await operations.endHold(id, lost, { ifExpired: true })).toEqual({
      kind: 'refused',
      record: first.record,
    })
  })

  it('what waits, is no hold, or does not exist is neither extended nor ended', async () => {
    const waiting = recordOf({ kind: 'hold' })
    await operations.create(waiting)
    const other = recordOf()
    await operations.create(other)
    const { record: running } = await operations.claim(other.id, claimOf({ leaseUntil }))
    const nobody = newId()
    for (const [id, record] of [
      [waiting.id, waiting],
      [other.id, running],
      [nobody, undefined],
    ] as const) {
      expect(await operations.extendHold(id, leaseUntil + 1000)).toBeUndefined()
      expect(await operations.endHold(id, released)).toEqual({ kind: 'refused', record })
      expect(await operations.endHold(id, released, { stayOpen: true })).toEqual({ kind: 'refused', record })
      expect(await operations.get(id)).toEqual(record)
    }
  })

  const placesOf = async (id: string, from: number): Promise<string[]> => {
    const shards = [openShard(id), doneShard(id)]
    const range = { from, to: from + limits.submitterGoneMs + 60_000, limit: 100 }
    const pages = await Promise.all(shards.map((shard) => operations.schedule(shard, range)))
    return shards.filter((_, index) => pages[index]?.ids.includes(id))
  }

  it('a hold that ends leaves the open index, unless it is late, or is to stay', async () => {
    for (const [late, stayOpen, expected] of [
      [false, false, doneShard],
      [false, true, openShard],
      [true, false, openShard],
    ] as const) {
      const submittedAt = uniqueTime()
      const { id } = await held({ submittedAt, ...(late && { late }) })
      const ending = { ...released, now: submittedAt + 50 }
      const { record } = await operations.endHold(id, ending, { stayOpen })
      expect(record?.late).toBe(late || stayOpen ? true : undefined)
      expect(await placesOf(id, submittedAt)).toEqual([expected(id)])
      if (record !== undefined) await operations.settle(record)
      expect(await placesOf(id, submittedAt)).toEqual([doneShard(id)])
    }
  })
}
