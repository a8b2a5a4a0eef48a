import { beforeAll, describe, expect, it } from 'vitest'
import { lineOfName, lineOfPath } from '#domain/line.ts'
import type { EnterOutcome, LineStore } from '#ports/line-store.ts'
import { describeEnterTogether } from './enter-together.suite.ts'
import { describeEnterUnderHold } from './enter-under-hold.suite.ts'
import { describeLineModel } from './line-model.suite.ts'
import { type LineStoreSetup, once, type Setup } from './setups.ts'
import { filledTo, inParallel, newId, numbersTo, oddNames, start, uniqueLine, uniquePath } from './support.ts'

const ticketIn = ({ line }: EnterOutcome, id: string): number | undefined =>
  line.entries.find((entry) => entry.id === id)?.ticket

/** The laws of {@link LineStore}. `modelRuns`: how many random sequences to try. */
export const describeLineStoreContract = (
  name: string,
  setup: Setup<LineStoreSetup>,
  options: { modelRuns?: number } = {},
): void => {
  describe(`line store: ${name}`, () => {
    const shared = once(setup)
    describeEntering(shared)
    describeLeaving(shared)
    describeReading(shared)
    describeNudging(shared)
    describeEnterTogether(shared)
    describeEnterUnderHold(shared)
    describeLineModel(shared, options.modelRuns ?? 100)
  })
}

const describeEntering = (setup: Setup<LineStoreSetup>): void => {
  let lines: LineStore
  beforeAll(async () => {
    ;({ lines } = await setup())
  })

  it('the first ticket of a line is the time in microseconds', async () => {
    const [line, id] = [uniqueLine('enter'), newId()]
    const outcome = await lines.enter({ line, mode: 'write' }, id, start)
    const entries = [{ id, mode: 'write', ticket: start * 1000 }]
    expect(outcome).toEqual({ kind: 'entered', line: { key: line, entries } })
  })

  it('an enter answers with the line as it left it, in ticket order', async () => {
    const [line, a, b, c] = [uniqueLine('enter'), newId(), newId(), newId()]
    await lines.enter({ line, mode: 'read' }, c, start)
    await lines.enter({ line, mode: 'write' }, a, start + 5)
    const { line: after } = await lines.enter({ line, mode: 'read' }, b, start)
    expect(after.entries.map(({ id, mode }) => `${id} ${mode}`)).toEqual([
      `${c} read`,
      `${a} write`,
      `${b} read`,
    ])
    expect(after.entries.map(({ ticket }) => ticket)).toEqual([0, 1, 2].map((n) => start * 1000 + n))
    expect(await lines.read([line])).toEqual([after])
  })

  it('a second enqueue of the same operation changes nothing', async () => {
    const [line, id, next] = [uniqueLine('enter'), newId(), newId()]
    const first = await lines.enter({ line, mode: 'write' }, id, start)
    const second = await lines.enter({ line, mode: 'write' }, id, start + 60_000)
    expect(second).toEqual({ kind: 'present', line: first.line })
    const after = await lines.enter({ line, mode: 'write' }, next, start + 60_000)
    expect(ticketIn(after, next)).toBe(start * 1000 + 1)
  })

  it('an operation that left may enter again, with a new ticket', async () => {
    const [line, id] = [uniqueLine('enter'), newId()]
    await lines.enter({ line, mode: 'write' }, id, start)
    await lines.leave({ line, mode: 'write' }, id, start)
    const again = await lines.enter({ line, mode: 'write' }, id, start)
    expect(again.kind).toBe('entered')
    expect(ticketIn(again, id)).toBe(start * 1000 + 1)
  })

  it('concurrent enters draw distinct tickets, and each sees its own entry', async () => {
    const line = uniqueLine('crowd')
    const ids = numbersTo(50).map(newId)
    const outcomes = await Promise.all(ids.map((id) => lines.enter({ line, mode: 'write' }, id, start)))
    const tickets = outcomes.map((outcome, index) => ticketIn(outcome, ids[index] ?? ''))
    expect(tickets.toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual(
      numbersTo(50).map((n) => start * 1000 + n),
    )
    const sizes = outcomes.map((outcome) => outcome.line.entries.length).toSorted((a, b) => a - b)
    expect(sizes).toEqual(numbersTo(50).map((n) => n + 1))
  })

  it('of concurrent enters of one operation exactly one enters', async () => {
    const [line, id] = [uniqueLine('enter'), newId()]
    const outcomes = await Promise.all(
      numbersTo(20).map(() => lines.enter({ line, mode: 'write' }, id, start)),
    )
    expect(outcomes.filter(({ kind }) => kind === 'entered')).toHaveLength(1)
    expect(new Set(outcomes.map((outcome) => ticketIn(outcome, id))).size).toBe(1)
    expect((await lines.read([line]))[0]?.entries).toHaveLength(1)
  })

  it('tickets only grow, also after the line was collected and made anew', async () => {
    const [line, id] = [uniqueLine('enter'), newId()]
    const tickets: number[] = []
    for (const now of [start, start + 1, start + 2, start + 10, start + 11]) {
      const outcome = await lines.enter({ line, mode: 'write' }, id, now)
      tickets.push(ticketIn(outcome, id) ?? 0)
      await lines.leave({ line, mode: 'write' }, id, now)
      if (now === start + 2) await (await setup()).collectLine(line)
    }
    expect(tickets).toEqual(tickets.toSorted((a, b) => a - b))
    expect(new Set(tickets).size).toBe(tickets.length)
    expect(tickets[3]).toBe((start + 10) * 1000)
  })

  it('a line holds many waiters, all of them told', async () => {
    const line = uniqueLine('many')
    const ids = numbersTo(300).map(newId)
    await inParallel(
      10,
      ids.map((id) => () => lines.enter({ line, mode: 'read' }, id, start)),
    )
    const [after] = await lines.read([line])
    expect(after?.entries.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
  })
}

const describeLeaving = (setup: Setup<LineStoreSetup>): void => {
  let lines: LineStore
  beforeAll(async () => {
    ;({ lines } = await setup())
  })

  it('leave tells the line just before, with the entry in it', async () => {
    const [line, a, b] = [uniqueLine('leave'), newId(), newId()]
    await lines.enter({ line, mode: 'write' }, a, start)
    const { line: both } = await lines.enter({ line, mode: 'read' }, b, start)
    expect(await lines.leave({ line, mode: 'write' }, a, start)).toEqual({ was: true, before: both })
    const [after] = await lines.read([line])
    expect(after?.entries).toEqual(both.entries.slice(1))
  })

  it('a repeated leave changes nothing and tells the line as it is', async () => {
    const [line, a, b] = [uniqueLine('leave'), newId(), newId()]
    await lines.enter({ line, mode: 'write' }, a, start)
    await lines.enter({ line, mode: 'read' }, b, start)
    await lines.leave({ line, mode: 'write' }, a, start)
    const [now] = await lines.read([line])
    expect(await lines.leave({ line, mode: 'write' }, a, start)).toEqual({ was: false, before: now })
    expect(await lines.read([line])).toEqual([now])
  })

  it('leave on a line that never existed creates nothing', async () => {
    const [line, id] = [uniqueLine('leave'), newId()]
    const outcome = await lines.leave({ line, mode: 'write' }, id, start)
    expect(outcome).toEqual({ was: false, before: { key: line, entries: [] } })
    const entered = await lines.enter({ line, mode: 'write' }, id, start + 7000)
    expect(ticketIn(entered, id)).toBe((start + 7000) * 1000)
  })

  it('leave of another mode, or of another operation, removes nothing', async () => {
    const [line, id] = [uniqueLine('leave'), newId()]
    const { line: entered } = await lines.enter({ line, mode: 'read' }, id, start)
    expect((await lines.leave({ line, mode: 'write' }, id, start)).was).toBe(false)
    expect((await lines.leave({ line, mode: 'read' }, newId(), start)).was).toBe(false)
    expect(await lines.read([line])).toEqual([entered])
  })

  it('an emptied line keeps counting', async () => {
    const [line, a, b] = [uniqueLine('leave'), newId(), newId()]
    await lines.enter({ line, mode: 'write' }, a, start)
    await lines.leave({ line, mode: 'write' }, a, start)
    expect(await lines.read([line])).toEqual([{ key: line, entries: [] }])
    expect(ticketIn(await lines.enter({ line, mode: 'write' }, b, start + 9000), b)).toBe(start * 1000 + 1)
  })

  it('concurrent leaves each see the line without those before them', async () => {
    const line = uniqueLine('leave')
    const ids = numbersTo(20).map(newId)
    for (const id of ids) await lines.enter({ line, mode: 'read' }, id, start)
    const outcomes = await Promise.all(ids.map((id) => lines.leave({ line, mode: 'read' }, id, start)))
    const sawItself = outcomes.map(
      ({ was, before }, index) => was && before.entries.some(({ id }) => id === ids[index]),
    )
    expect(sawItself).not.toContain(false)
    const sizes = outcomes.map(({ before }) => before.entries.length).toSorted((a, b) => a - b)
    expect(sizes).toEqual(numbersTo(20).map((n) => n + 1))
  })

  it('of concurrent leaves of one entry exactly one finds it', async () => {
    const [line, id] = [uniqueLine('leave'), newId()]
    await lines.enter({ line, mode: 'write' }, id, start)
    const leaves = numbersTo(10).map(() => lines.leave({ line, mode: 'write' }, id, start))
    expect((await Promise.all(leaves)).filter(({ was }) => was)).toHaveLength(1)
  })
}

const describeReading = (setup: Setup<LineStoreSetup>): void => {
  let lines: LineStore
  beforeAll(async () => {
    ;({ lines } = await setup())
  })

  it('a line that does not exist reads as empty', async () => {
    const line = uniqueLine('read')
    expect(await lines.read([line])).toEqual([{ key: line, entries: [] }])
    expect(await lines.read([])).toEqual([])
  })

  it('many lines are read in the order asked for', async () => {
    const keys = numbersTo(120).map((n) => uniqueLine(`read-${n}`))
    const id = newId()
    const some = keys.filter((_, index) => index % 3 === 0)
    await inParallel(
      10,
      some.map((line) => () => lines.enter({ line, mode: 'write' }, id, start)),
    )
    const read = await lines.read(keys.toReversed())
    expect(read.map(({ key }) => key)).toEqual(keys.toReversed())
    expect(read.filter(({ entries }) => entries.length === 1).map(({ key }) => key)).toEqual(
      some.toReversed(),
    )
  })

  it('a line is known by any path and any name, up to 1,024 bytes, and they are never confused', async () => {
    const odd = oddNames.map((text) => `${uniquePath('odd')} ${text}`)
    const names = [...odd, filledTo(uniquePath('long'), 1024)]
    const keys = names.flatMap((text) => [lineOfPath(text), lineOfName(text)])
    const ids = keys.map(newId)
    for (const [index, line] of keys.entries()) {
      await lines.enter({ line, mode: 'write' }, ids[index] ?? '', start)
    }
    const read = await lines.read(keys)
    expect(read.map(({ key }) => key)).toEqual(keys)
    expect(read.map(({ entries }) => entries.map(({ id }) => id))).toEqual(ids.map((id) => [id]))
  })
}

const describeNudging = (setup: Setup<LineStoreSetup>): void => {
  let lines: LineStore
  beforeAll(async () => {
    ;({ lines } = await setup())
  })
  const everyMs = 30_000

  it('a line is nudged at most once in the time given', async () => {
    const [line, id] = [uniqueLine('nudge'), newId()]
    await lines.enter({ line, mode: 'write' }, id, start)
    expect(await lines.markNudged(line, start, everyMs)).toBe(true)
    expect(await lines.markNudged(line, start, everyMs)).toBe(false)
    expect(await lines.markNudged(line, start + everyMs - 1, everyMs)).toBe(false)
    expect((await lines.read([line]))[0]?.nudgedAt).toBe(start)
    expect(await lines.markNudged(line, start + everyMs, everyMs)).toBe(true)
    expect((await lines.read([line]))[0]?.nudgedAt).toBe(start + everyMs)
  })

  it('of concurrent nudges exactly one marks', async () => {
    const [line, id] = [uniqueLine('nudge'), newId()]
    await lines.enter({ line, mode: 'write' }, id, start)
    const marks = await Promise.all(numbersTo(20).map((n) => lines.markNudged(line, start + n, everyMs)))
    expect(marks.filter((mark) => mark)).toHaveLength(1)
  })

  it('a nudge changes no entry, and enters and leaves keep it', async () => {
    const [line, a, b] = [uniqueLine('nudge'), newId(), newId()]
    const { line: before } = await lines.enter({ line, mode: 'write' }, a, start)
    await lines.markNudged(line, start, everyMs)
    expect(await lines.read([line])).toEqual([{ ...before, nudgedAt: start }])
    expect((await lines.enter({ line, mode: 'write' }, b, start)).line.nudgedAt).toBe(start)
    expect((await lines.leave({ line, mode: 'write' }, a, start)).before.nudgedAt).toBe(start)
    expect((await lines.read([line]))[0]?.nudgedAt).toBe(start)
  })

  it('a nudge of a line that does not exist marks nothing and creates nothing', async () => {
    const [line, id] = [uniqueLine('nudge'), newId()]
    expect(await lines.markNudged(line, start, everyMs)).toBe(false)
    const { line: after } = await lines.enter({ line, mode: 'write' }, id, start + 7000)
    expect(after.nudgedAt).toBeUndefined()
    expect(after.entries[0]?.ticket).toBe((start + 7000) * 1000)
  })
}
