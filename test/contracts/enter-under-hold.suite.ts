import { beforeAll, describe, expect, it } from 'vitest'
import { grantedIds, type LineUse, type Mode } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'
import type { LineStore } from '#ports/line-store.ts'
import type { OperationStore } from '#ports/operation-store.ts'
import type { LineStoreSetup, Setup } from './setups.ts'
import { insisting, newId, recordOf, start, uniqueLine } from './support.ts'

/** The laws of entering a line under a hold, alone and together with other lines. */
export const describeEnterUnderHold = (setup: Setup<LineStoreSetup>): void => {
  describe('under a hold', () => {
    describeAlone(setup)
    describeTogether(setup)
  })
}

const describeAlone = (setup: Setup<LineStoreSetup>): void => {
  let lines: LineStore
  beforeAll(async () => {
    ;({ lines } = await setup())
  })
  const held = async (mode: Mode = 'write'): Promise<{ line: string; hold: string }> => {
    const [line, hold] = [uniqueLine('held'), newId()]
    await lines.enter({ line, mode }, hold, start)
    return { line, hold }
  }

  it("an entry has its own ticket and the hold's place, before all that came in between", async () => {
    const { line, hold } = await held()
    const [between, id] = [newId(), newId()]
    await lines.enter({ line, mode: 'write' }, between, start)
    const outcome = await lines.enter({ line, mode: 'write' }, id, start, hold)
    const entries = [
      { id: hold, mode: 'write', ticket: start * 1000 },
      { id, mode: 'write', ticket: start * 1000 + 2, under: start * 1000 },
      { id: between, mode: 'write', ticket: start * 1000 + 1 },
    ]
    expect(outcome).toEqual({ kind: 'entered', line: { key: line, entries } })
    expect(await lines.read([line])).toEqual([outcome.line])
  })

  it('its like stand behind the hold in the order of their own tickets', async () => {
    const { line, hold } = await held()
    const [a, b] = [newId(), newId()]
    await lines.enter({ line, mode: 'read' }, a, start, hold)
    const { line: after } = await lines.enter({ line, mode: 'write' }, b, start, hold)
    expect(after.entries.map(({ id }) => id)).toEqual([hold, a, b])
  })

  it('its place stays when the hold leaves, and whoever is behind goes on waiting', async () => {
    const { line, hold } = await held()
    const [behind, id] = [newId(), newId()]
    await lines.enter({ line, mode: 'write' }, behind, start)
    await lines.enter({ line, mode: 'write' }, id, start, hold)
    const { before } = await lines.leave({ line, mode: 'write' }, hold, start)
    expect(grantedIds(before)).toEqual([hold, id])
    const [after] = await lines.read([line])
    expect(after?.entries.map((entry) => entry.id)).toEqual([id, behind])
    expect(after === undefined ? [] : grantedIds(after)).toEqual([id])
  })

  it('nothing enters once the hold has left, and no ticket is drawn', async () => {
    const { line, hold } = await held()
    const [id, next] = [newId(), newId()]
    await lines.leave({ line, mode: 'write' }, hold, start)
    const empty = { key: line, entries: [] }
    expect(await lines.enter({ line, mode: 'write' }, id, start, hold)).toEqual({
      kind: 'hold-gone',
      line: empty,
    })
    const after = await lines.enter({ line, mode: 'write' }, next, start)
    expect(after.line.entries).toEqual([{ id: next, mode: 'write', ticket: start * 1000 + 1 }])
  })

  it('nothing enters a line that never existed, and none is made', async () => {
    const line = uniqueLine('held')
    const outcome = await lines.enter({ line, mode: 'read' }, newId(), start, newId())
    expect(outcome).toEqual({ kind: 'hold-gone', line: { key: line, entries: [] } })
    const first = await lines.enter({ line, mode: 'read' }, newId(), start + 5000)
    expect(first.line.entries[0]?.ticket).toBe((start + 5000) * 1000)
  })

  it.each([
    ['write', 'write', 'entered'],
    ['write', 'read', 'entered'],
    ['read', 'read', 'entered'],
    ['read', 'write', 'hold-gone'],
  ] as const)('under a hold that %ss, one that %ss is %s', async (holdMode, mode, kind) => {
    const { line, hold } = await held(holdMode)
    expect((await lines.enter({ line, mode }, newId(), start, hold)).kind).toBe(kind)
  })

  it('a second enqueue changes nothing, also when the hold has left meanwhile', async () => {
    const { line, hold } = await held()
    const id = newId()
    const first = await lines.enter({ line, mode: 'write' }, id, start, hold)
    const second = await lines.enter({ line, mode: 'write' }, id, start, hold)
    expect(second).toEqual({ kind: 'present', line: first.line })
    await lines.leave({ line, mode: 'write' }, hold, start)
    expect((await lines.enter({ line, mode: 'write' }, id, start, hold)).kind).toBe('present')
  })

  it('who leaves and enters again without a hold stands at the end, like anybody', async () => {
    const { line, hold } = await held()
    const [id, other] = [newId(), newId()]
    await lines.enter({ line, mode: 'write' }, id, start, hold)
    await lines.leave({ line, mode: 'write' }, id, start)
    await lines.enter({ line, mode: 'write' }, other, start)
    const { line: after } = await lines.enter({ line, mode: 'write' }, id, start)
    expect(after.entries.map((entry) => entry.id)).toEqual([hold, other, id])
    expect(after.entries.at(-1)).not.toHaveProperty('under')
  })
}

const describeTogether = (setup: Setup<LineStoreSetup>): void => {
  let lines: LineStore
  let operations: OperationStore
  beforeAll(async () => {
    ;({ lines, operations } = await setup())
  })
  const usesOf = (keys: readonly string[], mode: Mode = 'write'): LineUse[] =>
    keys.map((line) => ({ line, mode }))
  const create = (record: OperationRecord, hold: string) =>
    insisting(() => lines.enterTogether(record.uses, record.id, { kind: 'create', record }, start, hold))
  const idsIn = async (keys: readonly string[]): Promise<string[][]> =>
    (await lines.read(keys)).map(({ entries }) => entries.map(({ id }) => id))

  it('several lines are entered together, under the hold in each', async () => {
    const [keys, hold] = [[uniqueLine('a'), uniqueLine('b')], newId()]
    for (const line of keys) await lines.enter({ line, mode: 'write' }, hold, start)
    await lines.enter({ line: keys[1] ?? '', mode: 'write' }, newId(), start)
    const record = recordOf({ uses: usesOf(keys), hold })
    expect(await create(record, hold)).toEqual({ kind: 'entered' })
    const read = await lines.read(keys)
    expect(read.map(({ entries }) => entries[1])).toEqual([
      { id: record.id, mode: 'write', ticket: start * 1000 + 1, under: start * 1000 },
      { id: record.id, mode: 'write', ticket: start * 1000 + 2, under: start * 1000 },
    ])
    expect(await operations.get(record.id)).toEqual(record)
  })

  it('if the hold is gone from one of them, nothing is entered, and no record is put', async () => {
    const [keys, hold] = [[uniqueLine('a'), uniqueLine('b')], newId()]
    await lines.enter({ line: keys[0] ?? '', mode: 'write' }, hold, start)
    const record = recordOf({ uses: usesOf(keys), hold })
    expect(await create(record, hold)).toEqual({ kind: 'hold-gone' })
    expect(await idsIn(keys)).toEqual([[hold], []])
    expect(await operations.get(record.id)).toBeUndefined()
  })

  it('a retry is told of the guard first, then of its presence, then of the hold', async () => {
    const [keys, hold] = [[uniqueLine('a'), uniqueLine('b')], newId()]
    const record = recordOf({ uses: usesOf(keys), hold })
    const retry = () =>
      insisting(() =>
        lines.enterTogether(record.uses, record.id, { kind: 'waiting', id: record.id }, start, hold),
      )
    expect(await retry()).toEqual({ kind: 'refused', record: undefined })
    await operations.create(record)
    expect(await retry()).toEqual({ kind: 'hold-gone' })
    expect(await operations.get(record.id)).toEqual(record)
    await lines.enter({ line: keys[1] ?? '', mode: 'write' }, record.id, start)
    expect(await retry()).toEqual({ kind: 'present' })
  })
}
