import { describe, expect, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import { lineOfName, lineOfPath } from '#domain/line.ts'
import { breakLine } from '#engine/break.ts'
import { cancel } from '#engine/cancel.ts'
import { acquireHold, extendHold, type HoldState, lookAtHold, releaseHold } from '#engine/hold.ts'
import { type OperationRequest, prepare } from '#engine/request.ts'
import type { Ports } from '#ports/ports.ts'
import { Mortal } from '#test/support/gates.ts'
import { Stage, visibilityMs } from '#test/support/stage.ts'

const append = { kind: 'append', path: 'a', body: 'X' }
const leaseMs = limits.holdLeaseMs

const acquire = (
  stage: Stage,
  request: OperationRequest = {},
  ports: Ports = stage.process(),
): Promise<HoldState> => {
  const options = { now: stage.now, newId: () => ports.ids.operationId() }
  return stage.until(acquireHold(ports, prepare({ kind: 'hold', paths: ['a'], ...request }, options)))
}

const look = (stage: Stage, id: string): Promise<HoldState> =>
  stage.until(lookAtHold(stage.process(), stage.record(id)))

const release = (stage: Stage, id: string) => stage.until(releaseHold(stage.process(), id, { armed: true }))

/** A hold that is held. */
const held = async (stage: Stage, request: OperationRequest = {}): Promise<string> => {
  const state = await acquire(stage, request)
  expect(state.kind).toBe('held')
  return state.record.id
}

describe('a hold', () => {
  test('that is granted at once is claimed by its client, with a token per path and name', async () => {
    const stage = new Stage()
    const state = await acquire(stage, { paths: ['a', 'b'], names: ['orders'] })
    const tokens = { a: stage.now * 1000, b: stage.now * 1000, orders: stage.now * 1000 }
    expect(state).toMatchObject({
      kind: 'held',
      claimed: true,
      record: { status: 'running', result: { tokens } },
    })
    expect(state.record.leaseUntil).toBe(stage.now + leaseMs)
  })

  test('costs its client four calls, and none while it is held', async () => {
    const stage = new Stage()
    const calls: string[] = []
    const ports = stage.process(({ port, method }, proceed) => {
      calls.push(`${port}.${method}`)
      return proceed()
    })
    await acquire(stage, {}, ports)
    expect(calls).toEqual(['operations.create', 'lines.enter', 'operations.claim', 'queue.send'])
  })

  test('waits for what came before it, and operations and holds behind it wait for it', async () => {
    const stage = new Stage()
    const before = await stage.submit(append)
    const { record: first, kind } = await acquire(stage)
    const between = await stage.submit({ ...append, body: 'Y' })
    const { record: second } = await acquire(stage)
    expect(kind).toBe('waiting')
    await stage.deliverAll()
    expect([before, between].map((id) => stage.record(id).status)).toEqual(['succeeded', 'waiting'])
    expect((await look(stage, first.id)).kind).toBe('held')
    expect((await look(stage, second.id)).kind).toBe('waiting')
    await release(stage, first.id)
    await stage.deliverAll()
    expect(stage.record(between).status).toBe('succeeded')
    expect((await look(stage, second.id)).kind).toBe('held')
  })

  test('that reads shares its path with reads and other reading holds, and keeps writers out', async () => {
    const stage = new Stage()
    await stage.outsider('a', 'A')
    const ids = [await held(stage, { mode: 'read' }), await held(stage, { mode: 'read' })]
    const read = await stage.submit({ kind: 'read', path: 'a' })
    const writer = await stage.submit(append)
    await stage.deliverAll()
    expect([read, writer].map((id) => stage.record(id).status)).toEqual(['succeeded', 'waiting'])
    for (const id of ids) await release(stage, id)
    await stage.deliverAll()
    expect(stage.record(writer).status).toBe('succeeded')
  })

  test('of a waiting client is claimed for it when its message comes; the client finds it', async () => {
    const stage = new Stage()
    const first = await held(stage)
    const { record } = await acquire(stage)
    await release(stage, first)
    await stage.deliver()
    expect(stage.record(record.id)).toMatchObject({ status: 'running', leaseUntil: stage.now + leaseMs })
    expect(await look(stage, record.id)).toMatchObject({ kind: 'held', claimed: false })
  })

  test('tokens only grow, from holder to holder', async () => {
    const stage = new Stage()
    const tokens: number[] = []
    for (let turn = 0; turn < 4; turn += 1) {
      const { record } = await acquire(stage)
      const { a = 0 } = (record.result?.['tokens'] ?? {}) as Record<string, number>
      tokens.push(a)
      await release(stage, record.id)
      await stage.submit(append)
      await stage.deliverAll()
    }
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b))
    expect(new Set(tokens).size).toBe(tokens.length)
  })

  test('several at once in crossing orders never wait for each other', async () => {
    const stage = new Stage()
    const first = await held(stage, { paths: ['a', 'b'] })
    const { record } = await acquire(stage, { paths: ['b', 'a'] })
    expect((await look(stage, record.id)).kind).toBe('waiting')
    await release(stage, first)
    expect((await look(stage, record.id)).kind).toBe('held')
  })

  test('submitted as any operation is claimed by the worker', async () => {
    const stage = new Stage()
    const id = await stage.submit({ kind: 'hold', names: ['orders'] })
    await stage.deliver()
    expect(stage.record(id)).toMatchObject({ status: 'running', attempt: 1 })
  })
})

describe('the end of a lease', () => {
  test('frees the line although nobody comes by, within a second', async () => {
    const stage = new Stage()
    const id = await held(stage)
    const next = await stage.submit(append)
    await stage.pass(leaseMs - 1)
    await stage.deliverAll()
    expect(stage.record(next).status).toBe('waiting')
    await stage.pass(1_001)
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({ status: 'failed', error: { code: 'LeaseLost' } })
    expect(stage.record(next).status).toBe('succeeded')
  })

  test('is put off by extending, for as long as that goes on', async () => {
    const stage = new Stage()
    const id = await held(stage)
    for (let beat = 0; beat < 20; beat += 1) {
      await stage.pass(leaseMs / 2)
      await stage.until(extendHold(stage.process(), stage.record(id), leaseMs))
      await stage.deliverAll()
    }
    expect(stage.record(id).status).toBe('running')
    expect(stage.messages()).toHaveLength(1)
    await stage.pass(leaseMs + 1_000)
    await stage.deliverAll()
    expect(stage.record(id).status).toBe('failed')
    expect(stage.messages()).toEqual([])
  })

  test('of more than SQS can delay is looked at in between', async () => {
    const stage = new Stage()
    const id = await held(stage, { leaseMs: 40 * 60_000 })
    for (let minutes = 0; minutes < 45; minutes += 15) {
      await stage.pass(15 * 60_000 - (minutes === 30 ? 5 * 60_000 : 0))
      expect(stage.record(id).status).toBe('running')
      await stage.deliverAll()
    }
    expect(stage.record(id).status).toBe('failed')
  })

  test('is that of the extension that was sent last, whatever arrives late', async () => {
    const stage = new Stage()
    const id = await held(stage)
    await stage.pass(1_000)
    await stage.until(extendHold(stage.process(), stage.record(id), leaseMs))
    await stage.world.operations.extendHold(id, stage.now + 5)
    expect(stage.record(id).leaseUntil).toBe(stage.now + leaseMs)
  })

  test('refuses its holder from then on, with the reason', async () => {
    const stage = new Stage()
    const id = await held(stage)
    await stage.pass(leaseMs + 1_000)
    await stage.deliverAll()
    await expect(extendHold(stage.process(), stage.record(id), leaseMs)).rejects.toMatchObject({
      code: 'LeaseLost',
    })
    expect(await release(stage, id)).toMatchObject({ status: 'failed', error: { code: 'LeaseLost' } })
  })

  test('comes after a week at the latest, however often it is extended', async () => {
    const stage = new Stage()
    const id = await held(stage, { leaseMs: limits.holdLeaseMaxMs })
    const end = stage.record(id).submittedAt + limits.operationLifeMs
    await stage.pass(limits.operationLifeMs - 1_000)
    expect(
      (await stage.until(extendHold(stage.process(), stage.record(id), limits.holdLeaseMaxMs))).leaseUntil,
    ).toBe(end)
    await stage.pass(2_000)
    await stage.deliverAll()
    expect(stage.record(id).status).toBe('failed')
  })

  test.each(['operations.create', 'lines.enter', 'operations.claim', 'queue.send'])(
    'is certain although its client dies before or after %s',
    async (call) => {
      for (const moment of ['before', 'after'] as const) {
        const stage = new Stage()
        const mortal = new Mortal(moment, call)
        await acquire(stage, {}, stage.process(mortal.intercept)).catch(() => undefined)
        await stage.settle()
        expect(mortal.isDead).toBe(true)
        const next = await stage.submit(append)
        await stage.live(5)
        expect(stage.record(next).status).toBe('succeeded')
        expect(await stage.line('a')).toEqual([])
      }
    },
  )

  test.each(['operations.get', 'lines.read', 'operations.claim', 'queue.send'])(
    'is certain although the worker that claims it dies before or after %s',
    async (call) => {
      for (const moment of ['before', 'after'] as const) {
        const stage = new Stage()
        const first = await held(stage)
        await acquire(stage)
        const next = await stage.submit(append)
        await release(stage, first)
        const mortal = new Mortal(moment, call)
        await stage.deliver({ ports: stage.process(mortal.intercept), mortal })
        expect(mortal.isDead).toBe(true)
        for (let round = 0; round < 4; round += 1) {
          await stage.pass(visibilityMs)
          await stage.deliverAll()
        }
        expect(stage.record(next).status).toBe('succeeded')
      }
    },
  )
})

describe('a release', () => {
  test('wakes whom it grants, and leaves the open index at once', async () => {
    const stage = new Stage()
    const id = await held(stage)
    const next = await stage.submit(append)
    expect(await release(stage, id)).toMatchObject({ status: 'succeeded', result: { tokens: {} } })
    expect(stage.messages()).toContain(next)
    expect(stage.world.tables.records.get(id)?.index.shard).toMatch(/^done/)
  })

  test('that stops half-way is repeated by the message at the end of the lease', async () => {
    const stage = new Stage()
    const id = await held(stage)
    const next = await stage.submit(append)
    const mortal = new Mortal('before', 'lines.leave')
    await expect(releaseHold(stage.process(mortal.intercept), id, { armed: true })).rejects.toThrow(
      'before lines.leave',
    )
    expect(await stage.line('a')).toEqual([id, next])
    await stage.pass(leaseMs)
    await stage.deliverAll()
    expect(stage.record(next).status).toBe('succeeded')
  })

  test('by its id alone stays in the index, so that the sweeper repeats it', async () => {
    const stage = new Stage()
    const id = await held(stage)
    await stage.loseMessages()
    const mortal = new Mortal('before', 'lines.leave')
    await expect(releaseHold(stage.process(mortal.intercept), id)).rejects.toThrow('before lines.leave')
    await stage.live(6)
    expect(await stage.line('a')).toEqual([])
  })

  test('of what waits gives up its place', async () => {
    const stage = new Stage()
    await held(stage)
    const { record } = await acquire(stage)
    expect(await release(stage, record.id)).toMatchObject({ status: 'cancelled' })
    expect(await stage.line('a')).not.toContain(record.id)
  })

  test('may be repeated, and a cancel is one', async () => {
    const stage = new Stage()
    const id = await held(stage)
    const first = await stage.until(cancel(stage.process(), id))
    expect(first.status).toBe('succeeded')
    expect(await release(stage, id)).toEqual(first)
  })

  test('of what is no hold, or of nothing, is refused', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    await expect(releaseHold(stage.process(), id)).rejects.toMatchObject({ code: 'InvalidArgument' })
    await expect(releaseHold(stage.process(), stage.newId())).rejects.toMatchObject({ code: 'NotFound' })
    expect(stage.record(id).status).toBe('waiting')
  })
})

describe('a hold that would wait only so long', () => {
  const timeoutMs = 5_000

  test('is not granted late to a client that is gone', async () => {
    const stage = new Stage()
    const first = await held(stage)
    const { record } = await acquire(stage, { timeoutMs })
    const next = await stage.submit(append)
    await stage.pass(timeoutMs)
    await release(stage, first)
    await stage.deliverAll()
    expect(stage.record(record.id)).toMatchObject({ status: 'failed', error: { code: 'Timeout' } })
    expect(stage.record(next).status).toBe('succeeded')
  })

  test('leaves its line by the sweeper, if nobody sends it', async () => {
    const stage = new Stage()
    await held(stage, { leaseMs: limits.holdLeaseMaxMs })
    const { record } = await acquire(stage, { timeoutMs })
    await stage.live(3)
    expect(stage.record(record.id).error?.code).toBe('Timeout')
    expect(await stage.line('a')).not.toContain(record.id)
  })

  test('once held, is held as long as any', async () => {
    const stage = new Stage()
    const id = await held(stage, { timeoutMs })
    await stage.pass(timeoutMs + 1_000)
    await stage.deliverAll()
    expect(stage.record(id).status).toBe('running')
  })
})

describe('breaking a line', () => {
  test('ends the holds that are granted there, and writes down by whom and why', async () => {
    const stage = new Stage()
    const id = await held(stage, { paths: [], names: ['orders'] })
    const { record: next } = await acquire(stage, { paths: [], names: ['orders'] })
    const breaking = { by: 'ada@example', reason: 'stuck' }
    const broken = await stage.until(breakLine(stage.process(), lineOfName('orders'), breaking))
    expect(broken.map((record) => record.id)).toEqual([id])
    const details = { brokenBy: 'ada@example', reason: 'stuck' }
    expect(stage.record(id)).toMatchObject({ status: 'cancelled', error: { code: 'Cancelled', details } })
    expect((await look(stage, next.id)).kind).toBe('held')
    await expect(extendHold(stage.process(), stage.record(id), leaseMs)).rejects.toMatchObject({
      code: 'LeaseLost',
      details,
    })
  })

  test('ends a hold that is granted and that nobody has claimed', async () => {
    const stage = new Stage()
    const mortal = new Mortal('before', 'operations.claim')
    await acquire(stage, {}, stage.process(mortal.intercept)).catch(() => undefined)
    const broken = await stage.until(breakLine(stage.process(), lineOfPath('a'), { by: 'ada' }))
    expect(broken).toMatchObject([{ status: 'cancelled' }])
  })

  test('leaves operations alone', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    expect(await stage.until(breakLine(stage.process(), lineOfPath('a'), { by: 'ada' }))).toEqual([])
    expect(stage.record(id).status).toBe('waiting')
  })

  test('is finished by the sweeper if whoever breaks it dies half-way', async () => {
    const stage = new Stage()
    await held(stage)
    await stage.loseMessages()
    const mortal = new Mortal('before', 'lines.leave')
    const breaking = breakLine(stage.process(mortal.intercept), lineOfPath('a'), { by: 'ada' })
    await expect(breaking).rejects.toThrow('before lines.leave')
    await stage.live(6)
    expect(await stage.line('a')).toEqual([])
  })
})
