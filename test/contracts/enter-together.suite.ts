import { beforeAll, describe, expect, it } from 'vitest'
import type { LineUse, Mode } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'
import { firstDueAt, openShard } from '#domain/schedule.ts'
import type { EnterTogetherOutcome, LineStore } from '#ports/line-store.ts'
import type { OperationStore } from '#ports/operation-store.ts'
import type { LineStoreSetup, Setup } from './setups.ts'
import {
  bytesOf,
  inParallel,
  insisting,
  newId,
  numbersTo,
  recordOf,
  start,
  uniqueLine,
  uniqueTime,
} from './support.ts'

const usesOf = (lines: readonly string[], mode: Mode = 'write'): LineUse[] =>
  lines.map((line) => ({ line, mode }))

/** The laws of {@link LineStore.enterTogether}: one transaction over lines and record. */
export const describeEnterTogether = (setup: Setup<LineStoreSetup>): void => {
  describe('enterTogether', () => {
    describeGuards(setup)
    describeOrder(setup)
  })
}

const describeGuards = (setup: Setup<LineStoreSetup>): void => {
  let lines: LineStore
  let operations: OperationStore
  beforeAll(async () => {
    ;({ lines, operations } = await setup())
  })

  const idsIn = async (keys: readonly string[]): Promise<string[][]> =>
    (await lines.read(keys)).map(({ entries }) => entries.map(({ id }) => id))
  const create = (record: OperationRecord, body?: Uint8Array): Promise<EnterTogetherOutcome> => {
    const guard = { kind: 'create', record, ...(body !== undefined && { body }) } as const
    return insisting(() => lines.enterTogether(record.uses, record.id, guard, start))
  }
  const retry = ({ uses, id }: OperationRecord): Promise<EnterTogetherOutcome> =>
    insisting(() => lines.enterTogether(uses, id, { kind: 'waiting', id }, start))

  it('a first submit puts record, body and every entry at once', async () => {
    const [a, b] = [uniqueLine('a'), uniqueLine('b')]
    const uses: LineUse[] = [...usesOf([a], 'read'), ...usesOf([b])]
    const record = recordOf({ uses, content: { kind: 'item', size: 4 } })
    expect(await create(record, bytesOf('body'))).toEqual({ kind: 'entered' })
    const { id } = record
    expect(await operations.get(id)).toEqual(record)
    expect(await operations.body(record)).toEqual(bytesOf('body'))
    expect(await lines.read([a, b])).toEqual([
      { key: a, entries: [{ id, mode: 'read', ticket: start * 1000 }] },
      { key: b, entries: [{ id, mode: 'write', ticket: start * 1000 }] },
    ])
  })

  it('a first submit is refused if the record exists, and enters nothing', async () => {
    const keys = [uniqueLine('a'), uniqueLine('b')]
    const record = recordOf({ uses: usesOf(keys) })
    await operations.create(record)
    const other = { ...record, digest: 'digest-2' }
    expect(await create(other)).toEqual({ kind: 'refused', record })
    expect(await idsIn(keys)).toEqual([[], []])
    expect(await operations.get(record.id)).toEqual(record)
  })

  it('a repeated first submit is refused with its own record, and changes nothing', async () => {
    const keys = [uniqueLine('a'), uniqueLine('b')]
    const record = recordOf({ uses: usesOf(keys) })
    await create(record)
    const before = await lines.read(keys)
    expect(await create(record)).toEqual({ kind: 'refused', record })
    expect(await lines.read(keys)).toEqual(before)
  })

  it('a first submit gives the record its place in the open index', async () => {
    const submittedAt = uniqueTime()
    const record = recordOf({ submittedAt, uses: usesOf([uniqueLine('a'), uniqueLine('b')]) })
    await create(record)
    const due = { from: firstDueAt(submittedAt), to: firstDueAt(submittedAt), limit: 10 }
    expect((await operations.schedule(openShard(record.id), due)).ids).toEqual([record.id])
  })

  it('a retry enters a waiting operation and marks its record late', async () => {
    const keys = [uniqueLine('a'), uniqueLine('b')]
    const record = recordOf({ uses: usesOf(keys) })
    await operations.create(record)
    expect(await retry(record)).toEqual({ kind: 'entered' })
    expect(await idsIn(keys)).toEqual([[record.id], [record.id]])
    expect(await operations.get(record.id)).toEqual({ ...record, late: true })
  })

  it('a retry of an operation whose entries are there changes nothing, its record neither', async () => {
    const keys = [uniqueLine('a'), uniqueLine('b')]
    const record = recordOf({ uses: usesOf(keys) })
    await create(record)
    const before = await lines.read(keys)
    expect(await retry(record)).toEqual({ kind: 'present' })
    expect(await lines.read(keys)).toEqual(before)
    expect(await operations.get(record.id)).toEqual(record)
  })

  it('a retry that finds one entry there adds none of the others', async () => {
    const [a, b] = [uniqueLine('a'), uniqueLine('b')]
    const record = recordOf({ uses: usesOf([a, b]) })
    await operations.create(record)
    await lines.enter({ line: b, mode: 'write' }, record.id, start)
    expect(await retry(record)).toEqual({ kind: 'present' })
    expect(await idsIn([a, b])).toEqual([[], [record.id]])
    expect(await operations.get(record.id)).toEqual(record)
  })

  it('a retry is refused without a record, and enters nothing', async () => {
    const keys = [uniqueLine('a'), uniqueLine('b')]
    expect(await retry(recordOf({ uses: usesOf(keys) }))).toEqual({ kind: 'refused', record: undefined })
    expect(await idsIn(keys)).toEqual([[], []])
  })

  it('a retry is refused once the operation runs or has ended: refusal is told before presence', async () => {
    const [a, b] = [uniqueLine('a'), uniqueLine('b')]
    const record = recordOf({ uses: usesOf([a, b]) })
    await create(record)
    const claim = { seenAttempt: 0, leaseUntil: start + 1000, nonce: 'n', base: {}, now: start }
    const { record: running } = await operations.claim(record.id, claim)
    expect(await retry(record)).toEqual({ kind: 'refused', record: running })
    await lines.leave({ line: a, mode: 'write' }, record.id, start)
    const { record: final } = await operations.finish(record.id, 1, { status: 'succeeded', now: start })
    expect(await retry(record)).toEqual({ kind: 'refused', record: final })
    expect(await operations.get(record.id)).toEqual(final)
    expect(await idsIn([a, b])).toEqual([[], [record.id]])
  })

  it('works on a single line as on many, up to 99', async () => {
    const one = recordOf({ uses: usesOf([uniqueLine('one')]) })
    await operations.create(one)
    expect(await retry(one)).toEqual({ kind: 'entered' })
    const keys = numbersTo(99).map((n) => uniqueLine(`of-99-${n}`))
    const most = recordOf({ uses: usesOf(keys) })
    expect(await create(most)).toEqual({ kind: 'entered' })
    expect(await idsIn(keys)).toEqual(keys.map(() => [most.id]))
  })

  it('more than 99 lines, none, or one line twice: thrown out before anything is written', async () => {
    const line = uniqueLine('twice')
    for (const keys of [numbersTo(100).map((n) => uniqueLine(`${n}`)), [], [line, line]]) {
      const record = recordOf({ uses: usesOf(keys) })
      await expect(create(record)).rejects.toBeInstanceOf(Error)
      expect(await operations.get(record.id)).toBeUndefined()
    }
    expect(await idsIn([line])).toEqual([[]])
  })

  it('ending an operation and entering it exclude each other', async () => {
    const race = async (): Promise<void> => {
      const keys = [uniqueLine('a'), uniqueLine('b')]
      const record = recordOf({ uses: usesOf(keys) })
      await operations.create(record)
      const end = () => operations.endWaiting(record.id, { status: 'cancelled', now: start })
      const [entered, ended] = await Promise.all([retry(record), insisting(end)])
      expect(ended.kind).toBe('finished')
      const entries = await idsIn(keys)
      expect(entries).toEqual(entered.kind === 'entered' ? [[record.id], [record.id]] : [[], []])
      expect((await operations.get(record.id))?.late).toBe(true)
    }
    await inParallel(
      5,
      numbersTo(20).map(() => race),
    )
  })
}

const describeOrder = (setup: Setup<LineStoreSetup>): void => {
  let lines: LineStore
  let operations: OperationStore
  beforeAll(async () => {
    ;({ lines, operations } = await setup())
  })

  const create = (uses: readonly LineUse[]): Promise<EnterTogetherOutcome> => {
    const record = recordOf({ uses })
    return insisting(() => lines.enterTogether(uses, record.id, { kind: 'create', record }, start))
  }

  it('a joint enter continues the tickets of each line', async () => {
    const [a, b] = [uniqueLine('a'), uniqueLine('b')]
    await lines.enter({ line: a, mode: 'read' }, newId(), start)
    await lines.enter({ line: a, mode: 'read' }, newId(), start)
    await create(usesOf([a, b]))
    const [inA, inB] = await lines.read([a, b])
    expect(inA?.entries.map(({ ticket }) => ticket)).toEqual([0, 1, 2].map((n) => start * 1000 + n))
    expect(inB?.entries.map(({ ticket }) => ticket)).toEqual([start * 1000])
  })

  it('two transactions on the same lines get the same order in both', async () => {
    const [a, b, c] = [uniqueLine('a'), uniqueLine('b'), uniqueLine('c')]
    const orders = [
      [a, b, c],
      [c, b, a],
      [b, a, c],
      [c, a, b],
    ]
    const outcomes = await Promise.all(
      numbersTo(20).map((n) => create(usesOf(orders[n % orders.length] ?? []))),
    )
    expect(outcomes.every(({ kind }) => kind === 'entered')).toBe(true)
    const [inA, inB, inC] = (await lines.read([a, b, c])).map(({ entries }) => entries.map(({ id }) => id))
    expect(inA).toHaveLength(20)
    expect(inB).toEqual(inA)
    expect(inC).toEqual(inA)
  })

  it('those who share only some lines stand in one order that fits every line', async () => {
    const keys = numbersTo(4).map((n) => uniqueLine(`ring-${n}`))
    const pair = (n: number): string[] => [keys[n % 4] ?? '', keys[(n + 1) % 4] ?? '']
    await Promise.all(numbersTo(24).map((n) => create(usesOf(n % 2 === 0 ? pair(n) : pair(n).toReversed()))))
    const follows = new Map<string, Set<string>>()
    for (const { entries } of await lines.read(keys)) {
      for (const [index, { id }] of entries.entries()) {
        const later = follows.get(id) ?? new Set<string>()
        for (const entry of entries.slice(index + 1)) later.add(entry.id)
        follows.set(id, later)
      }
    }
    expect(hasCycle(follows)).toBe(false)
  })

  it('single and joint enters together draw distinct tickets', async () => {
    const [a, b] = [uniqueLine('a'), uniqueLine('b')]
    const single = () => insisting(() => lines.enter({ line: a, mode: 'read' }, newId(), start))
    await Promise.all(numbersTo(20).map((n) => (n % 2 === 0 ? create(usesOf([a, b])) : single())))
    const [inA, inB] = await lines.read([a, b])
    expect(inA?.entries.map(({ ticket }) => ticket)).toEqual(numbersTo(20).map((n) => start * 1000 + n))
    expect(inB?.entries).toHaveLength(10)
  })

  it('of concurrent first submits of one operation exactly one enters', async () => {
    const uses = usesOf([uniqueLine('a'), uniqueLine('b')])
    const record = recordOf({ uses })
    const submit = () => lines.enterTogether(uses, record.id, { kind: 'create', record }, start)
    const outcomes = await Promise.all(numbersTo(10).map(() => insisting(submit)))
    expect(outcomes.filter(({ kind }) => kind === 'entered')).toHaveLength(1)
    expect(outcomes.filter(({ kind }) => kind === 'refused')).toHaveLength(9)
    expect(await operations.get(record.id)).toEqual(record)
  })

  it('of concurrent retries of one operation exactly one enters', async () => {
    const uses = usesOf([uniqueLine('a'), uniqueLine('b')])
    const record = recordOf({ uses })
    await operations.create(record)
    const retry = () => lines.enterTogether(uses, record.id, { kind: 'waiting', id: record.id }, start)
    const outcomes = await Promise.all(numbersTo(10).map(() => insisting(retry)))
    expect(outcomes.filter(({ kind }) => kind === 'entered')).toHaveLength(1)
    expect(outcomes.filter(({ kind }) => kind === 'present')).toHaveLength(9)
  })
}

const hasCycle = (follows: ReadonlyMap<string, ReadonlySet<string>>): boolean => {
  const done = new Set<string>()
  const under = new Set<string>()
  const visit = (id: string): boolean => {
    if (under.has(id)) return true
    if (done.has(id)) return false
    under.add(id)
    const found = [...(follows.get(id) ?? [])].some(visit)
    under.delete(id)
    done.add(id)
    return found
  }
  return [...follows.keys()].some(visit)
}
