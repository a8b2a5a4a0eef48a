import { beforeAll, describe, expect, it } from 'vitest'
import { lineOfPath } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'
import type { Ending, OperationStore } from '#ports/operation-store.ts'
import { describeClaims } from './claims.suite.ts'
import { describeHolds } from './holds.suite.ts'
import { describeOperationInvariants } from './operation-model.suite.ts'
import { describeSchedule } from './schedule.suite.ts'
import { type OperationStoreSetup, once, type Setup } from './setups.ts'
import { bytesOf, claimOf, newId, numbersTo, oddNames, recordOf, start, succeeded } from './support.ts'

/** The laws of {@link OperationStore}. `modelRuns`: how many random sequences to try. */
export const describeOperationStoreContract = (
  name: string,
  setup: Setup<OperationStoreSetup>,
  options: { modelRuns?: number } = {},
): void => {
  describe(`operation store: ${name}`, () => {
    const shared = once(setup)
    describe('records', () => {
      describeRecords(shared)
    })
    describe('claims', () => {
      describeClaims(shared)
    })
    describe('amendments', () => {
      describeAmendments(shared)
    })
    describe('ends', () => {
      describeEnds(shared)
    })
    describe('holds', () => {
      describeHolds(shared)
    })
    describe('schedule', () => {
      describeSchedule(shared)
    })
    describeOperationInvariants(shared, options.modelRuns ?? 100)
  })
}

const describeRecords = (setup: Setup<OperationStoreSetup>): void => {
  let operations: OperationStore
  beforeAll(async () => {
    ;({ operations } = await setup())
  })

  it('a created record reads as it was put, whatever is in it', async () => {
    const paths = oddNames.map((name) => `odd/${name}`)
    const record = recordOf({
      args: {
        text: 'ünïcode 🎈',
        empty: '',
        zero: 0,
        float: 0.1,
        big: 2 ** 53 - 1,
        yes: true,
        none: null,
        list: [1, []],
      },
      uses: paths.map((path) => ({ line: lineOfPath(path), mode: 'read' as const })),
      content: { kind: 'inline', bytes: new Uint8Array([0, 1, 255]), size: 3 },
      base: Object.fromEntries(paths.map((path, n) => [path, n % 2 === 0 ? null : { etag: '"e"', size: n }])),
      hops: 3,
    })
    expect(await operations.create(record)).toEqual({ kind: 'created' })
    expect(await operations.get(record.id)).toEqual(record)
  })

  it('empty content, arguments and uses are kept as such', async () => {
    const content = { kind: 'inline', bytes: new Uint8Array(), size: 0 } as const
    const record = recordOf({ args: {}, uses: [], base: {}, content })
    await operations.create(record)
    expect(await operations.get(record.id)).toEqual(record)
  })

  it('a second create with the same id changes nothing and shows what is there', async () => {
    const record = recordOf()
    await operations.create(record)
    expect(await operations.create({ ...record, digest: 'digest-2' })).toEqual({ kind: 'exists', record })
    expect(await operations.create(record)).toEqual({ kind: 'exists', record })
    expect(await operations.get(record.id)).toEqual(record)
  })

  it('a create shows a record as it has become', async () => {
    const record = recordOf()
    await operations.create(record)
    const claimed = await operations.claim(record.id, claimOf())
    expect(await operations.create(record)).toEqual({ kind: 'exists', record: claimed.record })
  })

  it('of concurrent creates of one id exactly one creates', async () => {
    const record = recordOf()
    const creates = numbersTo(10).map((n) => operations.create({ ...record, digest: `digest-${n}` }))
    const outcomes = await Promise.all(creates)
    const winner = outcomes.findIndex(({ kind }) => kind === 'created')
    expect(outcomes.filter(({ kind }) => kind === 'created')).toHaveLength(1)
    expect((await operations.get(record.id))?.digest).toBe(`digest-${winner}`)
  })

  it('a record that does not exist reads as undefined', async () => {
    expect(await operations.get(newId())).toBeUndefined()
    expect(await operations.body(recordOf())).toBeUndefined()
  })

  it('a body is kept beside its record', async () => {
    const record = recordOf({ content: { kind: 'item', size: 16_384 } })
    const body = Uint8Array.from(numbersTo(16_384), (n) => n % 256)
    await operations.create(record, body)
    expect(await operations.body(record)).toEqual(body)
    expect(await operations.get(record.id)).toEqual(record)
  })

  it('a record put without a body has none', async () => {
    const record = recordOf({ content: { kind: 'item', size: 5 } })
    await operations.create(record)
    expect(await operations.body(record)).toBeUndefined()
  })

  it('a repeated create brings a body that never arrived', async () => {
    const record = recordOf({ content: { kind: 'item', size: 5 } })
    await operations.create(record)
    expect(await operations.create(record, bytesOf('first'))).toEqual({ kind: 'exists', record })
    expect(await operations.body(record)).toEqual(bytesOf('first'))
  })

  it('a conflicting request under the same id never replaces the body', async () => {
    const record = recordOf({ content: { kind: 'item', size: 5 } })
    await operations.create(record, bytesOf('first'))
    await operations.create({ ...record, digest: 'digest-2' }, bytesOf('other'))
    expect(await operations.body(record)).toEqual(bytesOf('first'))
  })

  it('many are read at once: those that exist, each once', async () => {
    const records = numbersTo(60).map(() => recordOf())
    for (const record of records) await operations.create(record)
    const ids = records.map(({ id }) => id)
    const found = await operations.getMany([...ids, ...numbersTo(40).map(newId)])
    const byId = (a: OperationRecord, b: OperationRecord): number => (a.id < b.id ? -1 : 1)
    expect(found.toSorted(byId)).toEqual(records.toSorted(byId))
    expect(await operations.getMany([ids[0] ?? '', ids[0] ?? ''])).toEqual([records[0]])
    expect(await operations.getMany([])).toEqual([])
  })

  it('what was handed in or out can be changed without changing what is stored', async () => {
    const content = { kind: 'inline', bytes: bytesOf('abc'), size: 3 } as const
    const record = recordOf({ args: { list: ['kept'] }, content })
    const expected = structuredClone(record)
    await operations.create(record)
    const spoil = (one: OperationRecord | undefined): void => {
      ;((one?.args['list'] ?? []) as string[]).push('spoilt')
      if (one?.content?.kind === 'inline') one.content.bytes.fill(0)
    }
    spoil(record)
    expect(await operations.get(record.id)).toEqual(expected)
    spoil(await operations.get(record.id))
    expect(await operations.get(record.id)).toEqual(expected)
  })
}

const describeAmendments = (setup: Setup<OperationStoreSetup>): void => {
  let operations: OperationStore
  beforeAll(async () => {
    ;({ operations } = await setup())
  })
  const running = async (): Promise<OperationRecord> => {
    const record = recordOf()
    await operations.create(record)
    const outcome = await operations.claim(
      record.id,
      claimOf({ base: { 'a/b.txt': null }, leaseUntil: start }),
    )
    if (outcome.record === undefined) throw new Error('not claimed')
    return outcome.record
  }

  it('what is given replaces the old, what is not given stays', async () => {
    const record = await running()
    const work = { large: true, upload: { path: 'a/b.txt', uploadId: 'u', plan: 'p' } }
    expect(await operations.amend(record.id, 1, { work })).toEqual({ ...record, work })
    const progress = { done: 1, total: 2, unit: 'parts' } as const
    expect(await operations.amend(record.id, 1, { progress })).toEqual({ ...record, work, progress })
    const base = { 'a/b.txt': { etag: '"two"', size: 0 } }
    const other = { large: true }
    const after = await operations.amend(record.id, 1, { base, work: other })
    expect(after).toEqual({ ...record, base, work: other, progress })
    expect(await operations.get(record.id)).toEqual(after)
  })

  it('work can be removed, and removed again', async () => {
    const record = await running()
    await operations.amend(record.id, 1, { work: { large: true } })
    expect(await operations.amend(record.id, 1, { work: null })).toEqual(record)
    expect(await operations.amend(record.id, 1, { work: null })).toEqual(record)
    expect(await operations.get(record.id)).toEqual(record)
  })

  it('recorded progress starts the tries anew, and nothing else does', async () => {
    const { id } = await running()
    await operations.claim(id, claimOf({ seenAttempt: 1, leaseUntil: start }))
    await operations.claim(id, claimOf({ seenAttempt: 2, leaseUntil: start }))
    expect((await operations.amend(id, 3, { work: { large: true } }))?.tries).toBe(3)
    expect(await operations.amend(id, 3, { progressed: true })).toMatchObject({ attempt: 3, tries: 1 })
    const next = await operations.claim(id, claimOf({ seenAttempt: 3 }))
    expect(next.record).toMatchObject({ attempt: 4, tries: 2 })
  })

  it('an empty amendment only asks whether the attempt still holds', async () => {
    const record = await running()
    expect(await operations.amend(record.id, 1, {})).toEqual(record)
    expect(await operations.amend(record.id, 2, {})).toBeUndefined()
  })

  it('an amend under an old attempt is refused', async () => {
    const { id } = await running()
    const { record } = await operations.claim(id, claimOf({ seenAttempt: 1 }))
    expect(await operations.amend(id, 1, { base: {}, work: { large: true } })).toBeUndefined()
    expect(await operations.get(id)).toEqual(record)
  })

  it('an amend of what waits, has ended, or does not exist is refused', async () => {
    const waiting = recordOf()
    await operations.create(waiting)
    expect(await operations.amend(waiting.id, 0, { work: { large: true } })).toBeUndefined()
    expect(await operations.get(waiting.id)).toEqual(waiting)
    const { id } = await running()
    const { record } = await operations.finish(id, 1, succeeded)
    expect(await operations.amend(id, 1, { work: { large: true } })).toBeUndefined()
    expect(await operations.get(id)).toEqual(record)
    const nobody = newId()
    expect(await operations.amend(nobody, 0, { work: { large: true } })).toBeUndefined()
    expect(await operations.get(nobody)).toBeUndefined()
  })

  it('work, base and progress outlive a takeover', async () => {
    const { id } = await running()
    const amendment = {
      base: {},
      work: { large: true },
      progress: { done: 1, total: 9, unit: 'bytes' },
    } as const
    await operations.amend(id, 1, amendment)
    expect((await operations.claim(id, claimOf({ seenAttempt: 1 }))).record).toMatchObject(amendment)
  })

  it('a running attempt is asked to stop, and the request outlives a takeover', async () => {
    const record = await running()
    const asked = { ...record, cancelRequestedAt: start + 7 }
    expect(await operations.requestCancel(record.id, start + 7)).toEqual(asked)
    expect(await operations.amend(record.id, 1, {})).toEqual(asked)
    expect((await operations.requestCancel(record.id, start + 9))?.cancelRequestedAt).toBeDefined()
    const next = await operations.claim(record.id, claimOf({ seenAttempt: 1 }))
    expect(next.record?.cancelRequestedAt).toBeDefined()
  })

  it('only what runs can be asked to stop', async () => {
    const waiting = recordOf()
    await operations.create(waiting)
    expect(await operations.requestCancel(waiting.id, start)).toBeUndefined()
    expect(await operations.get(waiting.id)).toEqual(waiting)
    const { id } = await running()
    const { record } = await operations.finish(id, 1, succeeded)
    expect(await operations.requestCancel(id, start)).toBeUndefined()
    expect(await operations.get(id)).toEqual(record)
    const nobody = newId()
    expect(await operations.requestCancel(nobody, start)).toBeUndefined()
    expect(await operations.get(nobody)).toBeUndefined()
  })
}

const describeEnds = (setup: Setup<OperationStoreSetup>): void => {
  let operations: OperationStore
  beforeAll(async () => {
    ;({ operations } = await setup())
  })
  const failed: Ending = {
    status: 'failed',
    error: { code: 'NotFound', message: 'gone', retryable: false, details: { path: 'a' } },
    now: start + 200,
  }
  const cancelled: Ending = { status: 'cancelled', now: start + 300 }
  const created = async (): Promise<string> => {
    const record = recordOf()
    await operations.create(record)
    return record.id
  }

  it('an attempt ends its operation, with a result or an error', async () => {
    for (const ending of [succeeded, failed, cancelled]) {
      const id = await created()
      await operations.claim(id, claimOf())
      const outcome = await operations.finish(id, 1, ending)
      const { now, ...rest } = ending
      expect(outcome).toMatchObject({ kind: 'finished', record: { ...rest, finishedAt: now, attempt: 1 } })
      expect(await operations.get(id)).toEqual(outcome.record)
    }
  })

  it('a repeated finish of the same attempt is finished and changes nothing', async () => {
    const id = await created()
    await operations.claim(id, claimOf())
    const first = await operations.finish(id, 1, succeeded)
    expect(await operations.finish(id, 1, { ...failed, now: start + 9000 })).toEqual(first)
    expect(await operations.get(id)).toEqual(first.record)
  })

  it('a finish under an old attempt is refused', async () => {
    const id = await created()
    await operations.claim(id, claimOf({ leaseUntil: start }))
    const { record } = await operations.claim(id, claimOf({ seenAttempt: 1 }))
    expect(await operations.finish(id, 1, succeeded)).toEqual({ kind: 'refused', record })
    const { record: final } = await operations.finish(id, 2, failed)
    expect(await operations.finish(id, 1, succeeded)).toEqual({ kind: 'refused', record: final })
    expect(await operations.get(id)).toEqual(final)
  })

  it('an attempt may finish after its lease, as long as nobody took over', async () => {
    const id = await created()
    await operations.claim(id, claimOf({ leaseUntil: start }))
    expect((await operations.finish(id, 1, { ...succeeded, now: start + 60_000 })).kind).toBe('finished')
  })

  it('a finish of what waits, or does not exist, is refused', async () => {
    const id = await created()
    const record = await operations.get(id)
    expect(await operations.finish(id, 0, succeeded)).toEqual({ kind: 'refused', record })
    expect(await operations.finish(id, 1, succeeded)).toEqual({ kind: 'refused', record })
    const nobody = newId()
    expect(await operations.finish(nobody, 1, succeeded)).toEqual({ kind: 'refused', record: undefined })
    expect(await operations.get(nobody)).toBeUndefined()
  })

  it('ending a waiting operation marks it late', async () => {
    const id = await created()
    const before = await operations.get(id)
    const outcome = await operations.endWaiting(id, failed)
    const { now, ...rest } = failed
    expect(outcome).toEqual({ kind: 'finished', record: { ...before, ...rest, finishedAt: now, late: true } })
    expect(await operations.get(id)).toEqual(outcome.record)
  })

  it('a repeated endWaiting is finished if that ending is there, and refused by any other', async () => {
    const id = await created()
    const first = await operations.endWaiting(id, cancelled)
    expect(await operations.endWaiting(id, cancelled)).toEqual(first)
    expect(await operations.endWaiting(id, failed)).toEqual({ kind: 'refused', record: first.record })
    const later = { ...cancelled, now: start + 900 }
    expect(await operations.endWaiting(id, later)).toEqual({ kind: 'refused', record: first.record })
  })

  it('endWaiting of what runs, was run, or does not exist is refused', async () => {
    const id = await created()
    const { record } = await operations.claim(id, claimOf())
    expect(await operations.endWaiting(id, cancelled)).toEqual({ kind: 'refused', record })
    const { record: final } = await operations.finish(id, 1, cancelled)
    expect(await operations.endWaiting(id, cancelled)).toEqual({ kind: 'refused', record: final })
    const nobody = newId()
    expect(await operations.endWaiting(nobody, cancelled)).toEqual({ kind: 'refused', record: undefined })
    expect(await operations.get(nobody)).toBeUndefined()
  })

  it('of a concurrent claim and endWaiting exactly one wins', async () => {
    for (const _ of numbersTo(10)) {
      const id = await created()
      const [claim, end] = await Promise.all([
        operations.claim(id, claimOf()),
        operations.endWaiting(id, cancelled),
      ])
      expect([claim.kind, end.kind].toSorted()).toEqual(
        claim.kind === 'claimed' ? ['claimed', 'refused'] : ['finished', 'refused'],
      )
      expect((await operations.get(id))?.status).toBe(claim.kind === 'claimed' ? 'running' : 'cancelled')
    }
  })

  it('of a concurrent takeover and finish exactly one wins', async () => {
    for (const _ of numbersTo(10)) {
      const id = await created()
      await operations.claim(id, claimOf({ leaseUntil: start }))
      const [claim, end] = await Promise.all([
        operations.claim(id, claimOf({ seenAttempt: 1 })),
        operations.finish(id, 1, succeeded),
      ])
      expect([claim.kind, end.kind]).toEqual(
        claim.kind === 'claimed' ? ['claimed', 'refused'] : ['refused', 'finished'],
      )
    }
  })
}
