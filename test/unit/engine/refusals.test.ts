import { describe, expect, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import type { Rule } from '#domain/rule.ts'
import { receiveArrivals } from '#engine/arrive.ts'
import { type Intercept, refusing } from '#memory/intercept.ts'
import { Stage, timeoutMs, visibilityMs } from '#test/support/stage.ts'

/** What services refuse, for a while or for good: nothing is claimed that did not happen, and nothing hangs for ever. */

/** Delivers with these faults, again and again, as the queue would. */
const deliverOften = async (stage: Stage, intercept: Intercept, times: number): Promise<void> => {
  for (let time = 0; time < times; time += 1) {
    await stage.until(stage.deliver({ ports: stage.process(intercept) }))
    await stage.pass(visibilityMs + timeoutMs)
  }
}

describe('an effect that was cleanly refused', () => {
  test('is not taken for done because an outsider wrote before the next attempt', async () => {
    const stage = new Stage()
    const id = await stage.submit({ kind: 'append', path: 'a', body: 'X' })
    await deliverOften(stage, refusing('objects.put', 'busy'), 1)
    await stage.outsider('a', 'OUT')
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({ status: 'succeeded', result: { offset: 3, size: 4 } })
    expect(await stage.text('a')).toBe('OUTX')
  })

  test('is done after all when the service has recovered', async () => {
    const stage = new Stage()
    const id = await stage.submit({ kind: 'append', path: 'a', body: 'X' })
    await deliverOften(stage, refusing('objects.put', 'busy', 3), 3)
    await stage.deliverAll()
    expect(stage.record(id).status).toBe('succeeded')
    expect(await stage.text('a')).toBe('X')
  })

  test('by denial is tried a few times (grants spread slowly), then fails as AccessDenied', async () => {
    const stage = new Stage()
    const id = await stage.submit({ kind: 'append', path: 'a', body: 'X' })
    await deliverOften(stage, refusing('objects.put', 'denied', 1_000), 3)
    expect(stage.record(id)).toMatchObject({ status: 'failed', error: { code: 'AccessDenied' } })
    expect(await stage.line('a')).toEqual([])
  })
})

describe('a move whose source may not be deleted', () => {
  test('fails, says exactly what it did, and lets others have the files', async () => {
    const stage = new Stage()
    await stage.outsider('a', 'A')
    const id = await stage.submit({ kind: 'move', from: 'a', to: 'b' })
    await deliverOften(stage, refusing('objects.delete', 'denied', 1_000), 3)
    expect(stage.record(id)).toMatchObject({
      status: 'failed',
      error: { code: 'AccessDenied', details: { target: 'b', notDeleted: 'a', size: 1 } },
    })
    expect([await stage.text('a'), await stage.text('b')]).toEqual(['A', 'A'])
    expect([await stage.line('a'), await stage.line('b')]).toEqual([[], []])
  })

  test('is completed if the right comes in time', async () => {
    const stage = new Stage()
    await stage.outsider('a', 'A')
    const id = await stage.submit({ kind: 'move', from: 'a', to: 'b' })
    await deliverOften(stage, refusing('objects.delete', 'denied', 1_000), 2)
    await stage.deliverAll()
    expect(stage.record(id).status).toBe('succeeded')
    expect([await stage.text('a'), await stage.text('b')]).toEqual([null, 'A'])
  })
})

test('what cannot be tidied keeps nobody waiting', async () => {
  const stage = new Stage()
  const upload = stage.newId()
  await stage.world.objects.write(`.lockstep/staging/${upload}`, Buffer.from('X'))
  const first = await stage.submit({ kind: 'append', path: 'a', upload, size: 1 })
  const second = await stage.submit({ kind: 'append', path: 'a', body: 'Y' })
  await deliverOften(stage, refusing('objects.discard', 'denied', 1_000), 1)
  await stage.deliverAll()
  expect([stage.record(first).status, stage.record(second).status]).toEqual(['succeeded', 'succeeded'])
  expect(await stage.text('a')).toBe('XY')
})

test('a file that arrives while the line is full is seen to when there is room', async () => {
  const stage = new Stage()
  const rules: Rule[] = [{ prefix: 'in/', operations: [{ kind: 'copy', from: '{path}', to: 'out' }] }]
  await stage.outsider('in/a', 'A')
  for (let count = 0; count <= limits.waiters; count += 1) {
    await stage.submit({ kind: 'delete', path: 'out' })
  }
  const body = JSON.stringify({
    Records: [
      {
        eventName: 'ObjectCreated:Put',
        eventTime: '2026-01-01T00:00:00Z',
        s3: { object: { key: 'in/a', sequencer: '01' } },
      },
    ],
  })
  const arrive = () => stage.until(receiveArrivals(stage.process(), rules, body))
  await expect(arrive()).rejects.toMatchObject({ code: 'LineFull' })
  await stage.deliver()
  expect(await arrive()).toMatchObject([{ kind: 'submitted' }])
})
