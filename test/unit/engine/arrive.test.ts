import { describe, expect, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import type { Rule } from '#domain/rule.ts'
import { receiveArrivals } from '#engine/arrive.ts'
import { refusing } from '#memory/intercept.ts'
import { Stage } from '#test/support/stage.ts'

const rules: readonly Rule[] = [
  { prefix: 'in/', suffix: '.csv', operations: [{ kind: 'copy', from: '{path}', to: 'out/{stem}.{ext}' }] },
]

const event = (key: string, sequencer = '01', eventName = 'ObjectCreated:Put') =>
  JSON.stringify({
    Records: [
      {
        eventSource: 'aws:s3',
        eventName,
        eventTime: '2026-01-01T00:00:00Z',
        s3: { object: { key, sequencer } },
      },
    ],
  })

const arrive = (stage: Stage, body: string, own = rules) =>
  stage.until(receiveArrivals(stage.process(), own, body))

describe('a file that arrives', () => {
  test('submits what the rules say, with its name filled in', async () => {
    const stage = new Stage()
    await stage.outsider('in/a b.csv', 'A')
    expect(await arrive(stage, event('in/a+b.csv'))).toMatchObject([{ kind: 'submitted' }])
    await stage.deliverAll()
    expect(await stage.text('out/a b.csv')).toBe('A')
  })

  test('submits once, however often the event comes', async () => {
    const stage = new Stage()
    await stage.outsider('in/a.csv', 'A')
    const outcomes = [await arrive(stage, event('in/a.csv')), await arrive(stage, event('in/a.csv'))]
    expect(outcomes[0]).toEqual(outcomes[1])
    expect(stage.world.tables.records.size).toBe(1)
  })

  test('is ignored if a newer event of it was seen, or no rule matches, or it was deleted', async () => {
    const stage = new Stage()
    await stage.outsider('in/a.csv', 'A')
    await arrive(stage, event('in/a.csv', '0A'))
    const older = await arrive(stage, event('in/a.csv', '09'))
    expect(older).toMatchObject([{ kind: 'ignored', reason: expect.stringContaining('older') as string }])
    expect(await arrive(stage, event('in/a.txt'))).toMatchObject([
      { kind: 'ignored', reason: 'no rule matches' },
    ])
    expect(await arrive(stage, event('in/a.csv', '0B', 'ObjectRemoved:Delete'))).toEqual([])
    expect(await arrive(stage, '{"Event":"s3:TestEvent"}')).toEqual([])
    expect(stage.world.tables.records.size).toBe(1)
  })

  test.each([
    ['?', 'not JSON'],
    ['{}', 'no Records'],
    ['{"Records":[null]}', 'without s3.object.key'],
    [event('in/%zz.csv'), 'not URL-encoded'],
    [event('in/a.csv', 'xyz'), 'sequencer'],
    [event('in//a.csv'), 'the key is not a path of ours'],
  ])('is parked with the reason if the event is corrupt: %s', async (body, reason) => {
    const stage = new Stage()
    expect(await arrive(stage, body)).toMatchObject([{ kind: 'rejected' }])
    expect(stage.world.queue.rejected).toMatchObject([{ reason: expect.stringContaining(reason) as string }])
  })

  test('is parked if a rule makes no valid operation of it', async () => {
    const stage = new Stage()
    const own = [{ prefix: 'in/', operations: [{ kind: 'copy', from: '{path}', to: '{path}' }] }]
    expect(await arrive(stage, event('in/a.csv'), own)).toMatchObject([{ kind: 'rejected' }])
  })

  test('comes back if the service is busy', async () => {
    const stage = new Stage()
    const ports = stage.process(refusing('arrivals.note', 'busy'))
    await expect(receiveArrivals(ports, rules, event('in/a.csv'))).rejects.toMatchObject({ fault: 'busy' })
  })

  test('rules that trigger rules end after some hops', async () => {
    const stage = new Stage()
    const own = [{ prefix: 'in/', operations: [{ kind: 'append', path: '{path}', body: '.' }] }]
    await stage.outsider('in/a', 'A')
    for (let hop = 1; hop <= limits.hops; hop += 1) {
      const outcomes = await arrive(stage, event('in/a', hop.toString(16)), own)
      expect(outcomes).toMatchObject([{ kind: 'submitted' }])
      await stage.deliverAll()
    }
    const last = await arrive(stage, event('in/a', 'ff'), own)
    expect(last).toMatchObject([{ kind: 'rejected', reason: expect.stringContaining('a cycle?') as string }])
    expect(await stage.text('in/a')).toBe(`A${'.'.repeat(limits.hops)}`)
  })
})
