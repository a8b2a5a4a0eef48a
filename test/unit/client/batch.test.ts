import { describe, expect, test } from 'vitest'
import { checkRequest, Lockstep, type OperationRequest, type SubmitOutcome } from '#client/index.ts'
import { type Intercept, refusing } from '#memory/intercept.ts'
import { Stage } from '#test/support/stage.ts'

const connect = (intercept?: Intercept) => {
  const stage = new Stage()
  return { stage, lockstep: new Lockstep({ ports: stage.process(intercept) }) }
}

const codes = (outcomes: readonly SubmitOutcome[]): string[] =>
  outcomes.map((outcome) => (outcome.kind === 'accepted' ? 'accepted' : outcome.error.code))

describe('a batch', () => {
  test('takes effect on each path in its own order, with an outcome for each, in order', async () => {
    const { stage, lockstep } = connect()
    const requests = Array.from({ length: 60 }, (_, index) => ({
      kind: 'append',
      path: `${index % 3}.txt`,
      body: `${index} `,
    }))
    const outcomes = await lockstep.submitAll(requests)
    expect(codes(outcomes)).toEqual(requests.map(() => 'accepted'))
    await stage.deliverAll()
    for (const path of [0, 1, 2]) {
      const expected = Array.from({ length: 20 }, (_, index) => `${3 * index + path} `).join('')
      expect(await stage.text(`${path}.txt`)).toBe(expected)
    }
  })

  test('orders operations that share any of their paths', async () => {
    const { stage, lockstep } = connect()
    await lockstep.submitAll([
      { kind: 'write', path: 'a', body: 'one' },
      { kind: 'copy', from: 'a', to: 'b' },
      { kind: 'append', path: 'b', body: ' two' },
      { kind: 'move', from: 'b', to: 'c' },
      { kind: 'write', path: 'a', body: 'three' },
    ])
    await stage.deliverAll()
    expect([await stage.text('a'), await stage.text('b'), await stage.text('c')]).toEqual([
      'three',
      null,
      'one two',
    ])
  })

  test('goes on after one that is refused', async () => {
    const { stage, lockstep } = connect()
    const outcomes = await lockstep.submitAll([
      { kind: 'write', path: 'a', body: '1' },
      { kind: 'write', path: '/bad', body: '2' },
      { kind: 'unheard-of', path: 'a' },
      { kind: 'append', path: 'a', body: '3', id: 'key' },
      { kind: 'append', path: 'a', body: '4', id: 'key' },
      { kind: 'append', path: 'a', body: '5' },
    ])
    expect(codes(outcomes)).toEqual([
      'accepted',
      'InvalidArgument',
      'InvalidArgument',
      'accepted',
      'Conflict',
      'accepted',
    ])
    await stage.deliverAll()
    expect(await stage.text('a')).toBe('135')
  })

  test('never lets an operation overtake one on its path whose fate is not known', async () => {
    const { lockstep } = connect(refusing('lines.enter', 'denied'))
    const outcomes = await lockstep.submitAll([
      { kind: 'write', path: 'a', body: '1' },
      { kind: 'append', path: 'a', body: '2' },
      { kind: 'append', path: 'a', body: '3' },
      { kind: 'write', path: 'b', body: '4' },
    ])
    expect(codes(outcomes)).toEqual(['AccessDenied', 'Unreachable', 'Unreachable', 'accepted'])
  })

  test('has a bounded number of submits on their way', async () => {
    let now = 0
    let most = 0
    const counting: Intercept = async (call, proceed) => {
      if (call.method !== 'create') return proceed()
      now += 1
      most = Math.max(most, now)
      await new Promise((resolve) => setImmediate(resolve))
      now -= 1
      return proceed()
    }
    const { lockstep } = connect(counting)
    const requests = Array.from({ length: 200 }, (_, index) => ({ kind: 'delete', path: `${index}` }))
    await lockstep.submitAll(requests)
    expect(most).toBeGreaterThan(8)
    expect(most).toBeLessThanOrEqual(16)
  })

  test('takes content that is too large for a record', async () => {
    const { stage, lockstep } = connect()
    const bytes = Buffer.alloc(50_000, 'x')
    await lockstep.submitAll([
      { kind: 'write', path: 'a', bodyBase64: bytes.toString('base64') },
      { kind: 'append', path: 'a', body: 'y'.repeat(50_000) },
    ])
    await stage.deliverAll()
    expect(await stage.text('a')).toBe('x'.repeat(50_000) + 'y'.repeat(50_000))
  })

  test('stops when the signal aborts', async () => {
    const { stage, lockstep } = connect()
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(lockstep.submitAll([{ kind: 'delete', path: 'a' }], { signal })).rejects.toThrow('enough')
    expect(stage.world.tables.records.size).toBe(0)
  })
})

describe('a request', () => {
  test.each<[string, OperationRequest]>([
    ['path', { kind: 'write', path: '', body: '' }],
    ['kind', { path: 'a' }],
    ['too', { kind: 'copy', from: 'a', too: 'b' }],
    ['content', { kind: 'append', path: 'a' }],
    ['id', { kind: 'delete', path: 'a', id: '' }],
    ['bodyBase64', { kind: 'write', path: 'a', bodyBase64: `${'A'.repeat(30_000)}!` }],
  ])('is checked without a deployment: %s', (field, request) => {
    expect(() => checkRequest(request)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ field }) as object }),
    )
  })
})
