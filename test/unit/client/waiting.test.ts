import { describe, expect, test } from 'vitest'
import { Lockstep } from '#client/index.ts'
import { recording, refusing } from '#memory/intercept.ts'
import { collect } from '#test/support/collect.ts'
import { Stage } from '#test/support/stage.ts'

const connect = (intercept?: Parameters<Stage['process']>[0]) => {
  const stage = new Stage()
  const ports = stage.process(intercept)
  return { stage, ports, lockstep: new Lockstep({ ports }) }
}

describe('an operation that was submitted', () => {
  test('is durably accepted at once, and gives its result when it is done', async () => {
    const { stage, lockstep } = connect()
    const operation = await lockstep.write('a.txt', 'hello')
    expect(stage.record(operation.id).status).toBe('waiting')
    expect(operation.accepted).toMatchObject({ id: operation.id, kind: 'write', status: 'waiting' })
    await stage.deliverAll()
    expect(await operation.result()).toMatchObject({ size: 5 })
    expect(await stage.text('a.txt')).toBe('hello')
  })

  test('throws what it failed with, with its id', async () => {
    const { stage, lockstep } = connect()
    const operation = await lockstep.stat('nowhere')
    await stage.deliverAll()
    await expect(operation.result()).rejects.toMatchObject({
      name: 'LockstepError',
      code: 'NotFound',
      details: { id: operation.id, path: 'nowhere' },
    })
    expect(await operation.wait()).toMatchObject({ status: 'failed', error: { code: 'NotFound' } })
  })

  test('is found again by its id, from any process', async () => {
    const { stage, lockstep } = connect()
    const { id } = await lockstep.append('a.txt', 'x', { id: 'order-4711' })
    await stage.deliverAll()
    const elsewhere = new Lockstep({ ports: stage.process() })
    expect(await (await elsewhere.operation('order-4711')).result()).toMatchObject({ offset: 0, size: 1 })
    expect(await elsewhere.show(id)).toMatchObject({ id, status: 'succeeded' })
    await expect(elsewhere.show('order-4712')).rejects.toMatchObject({ code: 'NotFound' })
  })

  test('is cancelled while it waits', async () => {
    const { stage, lockstep } = connect()
    await lockstep.write('a.txt', 'first')
    const second = await lockstep.write('a.txt', 'second')
    expect(await second.cancel()).toMatchObject({ status: 'cancelled' })
    await stage.deliverAll()
    await expect(second.result()).rejects.toMatchObject({ code: 'Cancelled' })
    expect(await stage.text('a.txt')).toBe('first')
  })
})

describe('whoever waits', () => {
  test('looks soon at first, and ever less often: a quarter of an hour costs some 450 reads', async () => {
    const { calls, intercept } = recording()
    const { stage, lockstep } = connect(intercept)
    const operation = await lockstep.write('a.txt', 'x')
    calls.length = 0
    const failure = operation.wait({ timeoutMs: 900_000 }).catch((error: unknown) => error)
    await stage.pass(200)
    expect(calls.length).toBeGreaterThanOrEqual(3)
    await stage.pass(900_000 - 200)
    expect(await failure).toMatchObject({ code: 'Timeout' })
    expect(calls.length).toBeLessThan(500)
    expect(new Set(calls.map(({ method }) => method))).toEqual(new Set(['get']))
  })

  test('is told at the deadline, exactly, and the operation goes on', async () => {
    const { stage, lockstep } = connect()
    const operation = await lockstep.write('a.txt', 'x')
    const start = stage.now
    await expect(stage.until(operation.result({ timeoutMs: 1234 }))).rejects.toMatchObject({
      code: 'Timeout',
      retryable: true,
      details: { id: operation.id, status: 'waiting' },
    })
    expect(stage.now - start).toBe(1234)
    await stage.deliverAll()
    expect(await operation.result()).toMatchObject({ size: 1 })
  })

  test('with a timeout of 0 looks once', async () => {
    const { stage, lockstep } = connect()
    const operation = await lockstep.write('a.txt', 'x')
    await expect(operation.wait({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'Timeout' })
    await stage.deliverAll()
    expect(await operation.wait({ timeoutMs: 0 })).toMatchObject({ status: 'succeeded' })
  })

  test('stops when the signal aborts, with its reason', async () => {
    const { stage, lockstep } = connect()
    const operation = await lockstep.write('a.txt', 'x')
    const reason = new Error('enough')
    const stop = new AbortController()
    const waiting = operation.result({ signal: stop.signal })
    await stage.pass(1_000)
    stop.abort(reason)
    await expect(waiting).rejects.toBe(reason)
  })

  test('outlives faults that pass, and is told of those that stay, by their code', async () => {
    const { stage, lockstep } = connect(refusing('operations.get', 'busy', 3))
    const operation = await lockstep.write('a.txt', 'x')
    await stage.deliverAll()
    expect(await stage.until(operation.wait())).toMatchObject({ status: 'succeeded' })
    const blocked = new Lockstep({ ports: stage.process(refusing('operations.get', 'denied', 1)) })
    await expect(blocked.wait(operation.id)).rejects.toMatchObject({ code: 'AccessDenied' })
  })

  test('sees its place in line as it changes', async () => {
    const { stage, lockstep } = connect()
    const first = await lockstep.write('a.txt', '1')
    const second = await lockstep.append('a.txt', '2')
    const seen: unknown[] = []
    const watching = (async () => {
      for await (const { status, waiting } of second.watch()) seen.push([status, waiting?.holder])
    })()
    await stage.pass(500)
    await stage.deliver()
    await stage.pass(500)
    await stage.deliverAll()
    await stage.until(watching)
    expect(seen).toEqual([
      ['waiting', first.id],
      ['waiting', undefined],
      ['succeeded', undefined],
    ])
  })
})

describe('lists', () => {
  test('of operations, lines and files show what is there, and nothing of Lockstep itself', async () => {
    const { stage, lockstep } = connect()
    await lockstep.write('dir/a.txt', 'a')
    const second = await lockstep.append('dir/a.txt', 'b')
    expect(await lockstep.line('dir/a.txt')).toMatchObject({ holders: [{}], waiters: [{ id: second.id }] })
    expect(await lockstep.lines()).toMatchObject([{ path: 'dir/a.txt', waiters: [{ id: second.id }] }])
    await stage.deliverAll()
    await stage.outsider('.lockstep/capabilities.json', '{}')
    await stage.outsider('top.txt', 'x')
    expect(await collect(lockstep.ls())).toMatchObject([{ path: 'dir/a.txt', size: 2 }, { path: 'top.txt' }])
    expect(await collect(lockstep.ls('', { delimiter: '/' }))).toMatchObject([
      { prefix: 'dir/' },
      { path: 'top.txt' },
    ])
    expect(await collect(lockstep.ls('', { limit: 1 }))).toHaveLength(1)
    expect(await lockstep.lines()).toEqual([])
    const listed = await collect(lockstep.list({ path: 'dir/a.txt' }))
    expect(listed.map(({ status }) => status)).toEqual(['succeeded', 'succeeded'])
  })

  test('refuse a prefix or a path that can be none', async () => {
    const { lockstep } = connect()
    await expect(collect(lockstep.ls('/a'))).rejects.toMatchObject({ code: 'InvalidArgument' })
    await expect(lockstep.line('a//b')).rejects.toMatchObject({ code: 'InvalidArgument' })
    await expect(lockstep.link('nowhere')).rejects.toMatchObject({ code: 'NotFound' })
  })
})
