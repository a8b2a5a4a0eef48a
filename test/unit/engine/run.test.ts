import { describe, expect, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import { losingAnswers, refusing } from '#memory/intercept.ts'
import { Mortal } from '#test/support/gates.ts'
import { Stage, visibilityMs } from '#test/support/stage.ts'

const append = { kind: 'append', path: 'a', body: 'X' }

describe('run', () => {
  test('operations on one path take effect in the order of their submits', async () => {
    const stage = new Stage()
    for (const body of ['1', '2', '3', '4']) await stage.submit({ ...append, body })
    await stage.deliverAll()
    expect(await stage.text('a')).toBe('1234')
    expect(await stage.line('a')).toEqual([])
  })

  test('a message of an unknown operation is foreign', async () => {
    const stage = new Stage()
    expect(await stage.run(stage.newId())).toMatchObject({ kind: 'foreign' })
  })

  test('a record of a newer version is given back for a newer function', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    const item = stage.world.tables.records.get(id)
    if (item !== undefined) item.record = { ...item.record, v: 2 as 1 }
    expect(await stage.run(id)).toMatchObject({ kind: 'again', afterMs: 60_000 })
  })

  test.each([
    'operations.get',
    'lines.read',
    'objects.head',
    'operations.claim',
    'objects.put',
    'operations.finish',
    'lines.leave',
  ])('a worker may die before or after %s', async (call) => {
    for (const moment of ['before', 'after'] as const) {
      const stage = new Stage()
      const ids = [await stage.submit(append), await stage.submit({ ...append, body: 'Y' })]
      const mortal = new Mortal(moment, call)
      await stage.deliver({ ports: stage.process(mortal.intercept), mortal })
      expect(mortal.isDead).toBe(true)
      await stage.pass(visibilityMs)
      await stage.deliverAll()
      expect(await stage.text('a')).toBe('XY')
      expect(ids.map((id) => stage.record(id).status)).toEqual(['succeeded', 'succeeded'])
    }
  })

  test.each(['operations.claim', 'objects.put', 'operations.finish', 'lines.leave', 'queue.send'])(
    'a lost answer of %s changes nothing',
    async (call) => {
      const stage = new Stage()
      await stage.submit(append)
      await stage.submit({ ...append, body: 'Y' })
      await stage.until(stage.deliver({ ports: stage.process(losingAnswers(call)) }))
      await stage.deliverAll()
      await stage.pass(visibilityMs)
      await stage.deliverAll()
      expect(await stage.text('a')).toBe('XY')
    },
  )

  test('an attempt that fails in good order ends its lease, and the next one comes soon', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    const handled = await stage.deliver({ ports: stage.process(refusing('objects.put', 'busy')) })
    expect(handled?.outcome).toMatchObject({ kind: 'again', afterMs: 500 })
    expect(stage.record(id)).toMatchObject({ status: 'running', leaseUntil: 0, tries: 1 })
    await stage.pass(500)
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({ status: 'succeeded', attempt: 2 })
  })

  test('a store that does not answer ends the attempt, and never the operation', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    const deaf = refusing('objects.put', 'unanswered', Number.POSITIVE_INFINITY)
    const handled = await stage.deliver({ ports: stage.process(deaf) })
    expect(handled?.outcome).toMatchObject({
      kind: 'again',
      why: expect.stringContaining('unanswered') as string,
    })
    expect(stage.record(id).status).toBe('running')
    await stage.pass(visibilityMs)
    await stage.deliverAll()
    expect(stage.record(id).status).toBe('succeeded')
    expect(await stage.text('a')).toBe('X')
  })

  test('an operation whose every attempt fails is Exhausted, and nothing is left of it', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    const next = await stage.submit({ ...append, body: 'Y' })
    for (let tries = 0; tries < limits.tries; tries += 1) {
      await stage.deliver({ ports: stage.process(refusing('objects.put', 'busy')) })
      await stage.pass(30_000)
    }
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({
      status: 'failed',
      error: { code: 'Exhausted', retryable: true },
    })
    expect(stage.record(next).status).toBe('succeeded')
    expect(await stage.text('a')).toBe('Y')
  })

  test('an operation older than a week is Expired, not run', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    await stage.pass(limits.operationLifeMs + 1_000)
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({ status: 'failed', error: { code: 'Expired' } })
    expect(await stage.text('a')).toBeNull()
  })

  test('content that never arrived fails the operation, and holds up nobody', async () => {
    const stage = new Stage()
    const id = await stage.submit({ ...append, body: 'x'.repeat(limits.inlineBodyBytes + 1) })
    stage.world.tables.loseBody(id)
    const next = await stage.submit(append)
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({ status: 'failed', error: { code: 'Internal' } })
    expect(stage.record(next).status).toBe('succeeded')
  })

  test('readers run side by side, and a writer waits for all of them', async () => {
    const stage = new Stage()
    await stage.outsider('a', 'A')
    const readers = [
      await stage.submit({ kind: 'read', path: 'a' }),
      await stage.submit({ kind: 'read', path: 'a' }),
    ]
    const writer = await stage.submit(append)
    expect(stage.messages()).toEqual(readers)
    await stage.deliver()
    expect(stage.messages()).not.toContain(writer)
    await stage.deliver()
    expect(stage.messages()).toContain(writer)
  })
})
