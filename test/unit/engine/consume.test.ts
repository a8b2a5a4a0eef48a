import { describe, expect, test } from 'vitest'
import { consume } from '#engine/consume.ts'
import { run } from '#engine/run.ts'
import { refusing } from '#memory/intercept.ts'
import type { Ports } from '#ports/ports.ts'
import { Stage, timeoutMs } from '#test/support/stage.ts'

const consumeAll = (stage: Stage, bodies: readonly string[], ports: Ports = stage.process()) => {
  const postponed: [string, number][] = []
  const messages = bodies.map((body, index) => ({
    receipt: `r${index}`,
    body,
    delivery: { postpone: async (ms: number) => void postponed.push([`r${index}`, ms]) },
  }))
  const invocation = {
    lane: 'operations',
    deadline: stage.now + timeoutMs,
    signal: new AbortController().signal,
  } as const
  return stage.until(consume(ports, messages, invocation, run)).then((result) => ({ ...result, postponed }))
}

describe('consume', () => {
  test.each([
    ['', 'not JSON'],
    ['null', 'not an operation message'],
    ['[]', 'not an operation message'],
    ['{"v":1}', 'not an operation message: id'],
    ['{"v":1,"id":"x"}', 'not an operation message: id'],
    ['{"v":2,"id":"01KBRW9V00AAAAAAAAAAAAAAAA"}', 'not an operation message: v'],
    ['{"v":1,"id":"01KBRW9V00AAAAAAAAAAAAAAAA","x":1}', 'not an operation message'],
    ['{"Records":[]}', 'not an operation message'],
    ['{"v":1,"id":"01KBRW9V00AAAAAAAAAAAAAAAA"}', 'no operation 01KBRW9V00AAAAAAAAAAAAAAAA is known'],
  ])('parks %j with the reason, and does not give it back', async (body, reason) => {
    const stage = new Stage()
    const { giveBack } = await consumeAll(stage, [body])
    expect(giveBack).toEqual([])
    expect(stage.world.queue.rejected).toEqual([{ body, reason: expect.stringContaining(reason) as string }])
  })

  test('one message that fails stops no other', async () => {
    const stage = new Stage()
    const ids = [await stage.submit({ kind: 'write', path: 'a', body: 'A' })]
    ids.push(await stage.submit({ kind: 'write', path: 'b', body: 'B' }))
    const bodies = ['?', ...ids.map((id) => JSON.stringify({ v: 1, id }))]
    const { giveBack } = await consumeAll(stage, bodies, stage.process(refusing('objects.head', 'denied')))
    expect(giveBack).toHaveLength(1)
    expect(stage.world.queue.rejected).toHaveLength(1)
    expect([await stage.text('a'), await stage.text('b')].filter((text) => text !== null)).toHaveLength(1)
  })

  test('a message that cannot be parked is given back', async () => {
    const stage = new Stage()
    const { giveBack } = await consumeAll(stage, ['?'], stage.process(refusing('queue.reject', 'busy')))
    expect(giveBack).toEqual(['r0'])
  })

  test('a message given back is hidden for as long as its outcome says', async () => {
    const stage = new Stage()
    const id = await stage.submit({ kind: 'write', path: 'a', body: 'A' })
    const ports = stage.process(refusing('objects.put', 'busy'))
    const { giveBack, postponed } = await consumeAll(stage, [JSON.stringify({ v: 1, id })], ports)
    expect(giveBack).toEqual(['r0'])
    expect(postponed).toEqual([['r0', 500]])
  })
})
