import { describe, expect, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import { losingAnswers, recording, refusing } from '#memory/intercept.ts'
import { Stage } from '#test/support/stage.ts'

const write = { kind: 'write', path: 'a', body: 'X' }

describe('submit', () => {
  test('an uncontended operation costs three calls: put, enqueue, send', async () => {
    const stage = new Stage()
    const { intercept, calls } = recording()
    await stage.submit(write, stage.process(intercept))
    expect(calls.map(({ port, method }) => `${port}.${method}`)).toEqual([
      'operations.create',
      'lines.enter',
      'queue.send',
    ])
  })

  test('one that must wait sends nothing', async () => {
    const stage = new Stage()
    const first = await stage.submit(write)
    await stage.submit(write)
    expect(stage.messages()).toEqual([first])
  })

  test('one on several paths enters all its lines at once', async () => {
    const stage = new Stage()
    const id = await stage.submit({ kind: 'move', from: 'a', to: 'b' })
    expect([await stage.line('a'), await stage.line('b')]).toEqual([[id], [id]])
    expect(stage.messages()).toEqual([id])
  })

  test('the same id with the same request is accepted again, with what has become of it', async () => {
    const stage = new Stage()
    const id = await stage.submit(write)
    const waiting = await stage.until(stage.accept({ ...write, id }))
    expect(waiting.again).toBe(true)
    await stage.deliverAll()
    const final = await stage.until(stage.accept({ ...write, id }))
    expect(final).toMatchObject({ again: true, record: { status: 'succeeded' } })
  })

  test.each(['write', 'copy'])('the id of a %s with another request is a Conflict', async (kind) => {
    const stage = new Stage()
    const id = await stage.submit(kind === 'write' ? write : { kind, from: 'a', to: 'b' })
    for (const request of [
      { ...write, body: 'Y', id },
      { kind: 'copy', from: 'b', to: 'a', id },
    ]) {
      await expect(stage.submit(request)).rejects.toMatchObject({ code: 'Conflict', details: { id } })
    }
    await stage.deliverAll()
    expect(await stage.text('a')).toBe(kind === 'write' ? 'X' : null)
  })

  test.each(['operations.create', 'lines.enter', 'queue.send'])(
    'a lost answer of %s changes nothing',
    async (call) => {
      const stage = new Stage()
      const id = await stage.submit(
        { kind: 'append', path: 'a', body: 'X' },
        stage.process(losingAnswers(call)),
      )
      await stage.deliverAll()
      expect(stage.record(id).status).toBe('succeeded')
      expect(await stage.text('a')).toBe('X')
    },
  )

  test.each(['lines.enterTogether', 'lines.read'])('nor one of %s, for several paths', async (call) => {
    const stage = new Stage()
    await stage.outsider('a', 'A')
    const id = await stage.submit({ kind: 'copy', from: 'a', to: 'b' }, stage.process(losingAnswers(call)))
    await stage.deliverAll()
    expect(stage.record(id).status).toBe('succeeded')
  })

  test('a service that is busy for a while is asked again, for a minute', async () => {
    const stage = new Stage()
    await stage.submit(write, stage.process(refusing('lines.enter', 'busy', 5)))
    expect(stage.messages()).toHaveLength(1)
    const forEver = stage.process(refusing('lines.enter', 'busy', Number.POSITIVE_INFINITY))
    const before = stage.now
    await expect(stage.submit(write, forEver)).rejects.toMatchObject({ fault: 'busy' })
    expect(stage.now - before).toBeLessThanOrEqual(limits.submitMs)
  })

  test('credentials that do not suffice are told at once', async () => {
    const stage = new Stage()
    const ports = stage.process(refusing('operations.create', 'denied'))
    await expect(stage.submit(write, ports)).rejects.toMatchObject({ fault: 'denied' })
  })
})
