import { describe, expect, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import { acquireHold, releaseHold } from '#engine/hold.ts'
import { type OperationRequest, prepare } from '#engine/request.ts'
import { arrivingLate, pausing } from '#test/support/gates.ts'
import { Stage, visibilityMs } from '#test/support/stage.ts'

const append = (body: string, more: OperationRequest = {}) => ({ kind: 'append', path: 'a', body, ...more })

const held = async (stage: Stage, request: OperationRequest = {}): Promise<string> => {
  const ports = stage.process()
  const options = { now: stage.now, newId: () => ports.ids.operationId() }
  const prepared = prepare({ kind: 'hold', paths: ['a'], ...request }, options)
  return (await stage.until(acquireHold(ports, prepared))).record.id
}

const release = (stage: Stage, id: string) => stage.until(releaseHold(stage.process(), id, { armed: true }))

/** Its lease ends, and is noticed. */
const lose = async (stage: Stage): Promise<void> => {
  await stage.pass(limits.holdLeaseMs + 1_000)
  await stage.deliverAll()
}

describe('an operation under a hold', () => {
  test('never waits behind its own holder, nor behind those who wait for it', async () => {
    const stage = new Stage()
    const hold = await held(stage)
    const stranger = await stage.submit(append('S'))
    const ids = [await stage.submit(append('1', { hold })), await stage.submit(append('2', { hold }))]
    await stage.deliverAll()
    expect(ids.map((id) => stage.record(id).status)).toEqual(['succeeded', 'succeeded'])
    expect(stage.record(stranger).status).toBe('waiting')
    await release(stage, hold)
    await stage.deliverAll()
    expect(await stage.text('a')).toBe('12S')
  })

  test('takes its turn among its like', async () => {
    const stage = new Stage()
    const hold = await held(stage)
    for (const body of ['1', '2', '3']) await stage.submit(append(body, { hold }))
    expect(stage.messages()).toHaveLength(2) // the hold's own, and that of the first
    await stage.deliverAll()
    expect(await stage.text('a')).toBe('123')
  })

  test('keeps all others out until it is done, also when its hold has ended meanwhile', async () => {
    const stage = new Stage()
    const hold = await held(stage)
    const stranger = await stage.submit(append('S'))
    const id = await stage.submit(append('H', { hold }))
    const slow = pausing('before', 'objects.put')
    const running = stage.run(id, stage.process(slow.intercept))
    await slow.reached
    await stage.loseMessages()
    await release(stage, hold)
    await stage.deliverAll()
    expect(stage.record(stranger).status).toBe('waiting')
    slow.open()
    await stage.until(running)
    await stage.deliverAll()
    expect(await stage.text('a')).toBe('HS')
  })

  test('that had begun is brought to its end by a takeover, though its hold is gone', async () => {
    const stage = new Stage()
    const hold = await held(stage)
    const id = await stage.submit(append('H', { hold }))
    const stuck = pausing('before', 'objects.put')
    void stage.run(id, stage.process(stuck.intercept))
    await stuck.reached
    await release(stage, hold)
    const stranger = await stage.submit(append('S'))
    await stage.pass(visibilityMs)
    await stage.deliverAll()
    expect([id, stranger].map((one) => stage.record(one).status)).toEqual(['succeeded', 'succeeded'])
    expect(await stage.text('a')).toBe('HS')
  })

  test('is refused once the hold is gone, and nothing is written', async () => {
    const stage = new Stage()
    const hold = await held(stage)
    await lose(stage)
    await expect(stage.accept(append('H', { hold }))).rejects.toMatchObject({ code: 'LeaseLost' })
    expect(stage.world.tables.records.size).toBe(1)
    expect(await stage.text('a')).toBeNull()
  })

  test('that waits when the hold ends fails with LeaseLost, without effect', async () => {
    const stage = new Stage()
    const hold = await held(stage)
    const first = await stage.submit(append('1', { hold }))
    const second = await stage.submit(append('2', { hold }))
    const slow = pausing('before', 'objects.put')
    const running = stage.run(first, stage.process(slow.intercept))
    await slow.reached
    await release(stage, hold)
    slow.open()
    await stage.until(running)
    await stage.deliverAll()
    expect(stage.record(second)).toMatchObject({ status: 'failed', error: { code: 'LeaseLost' } })
    expect(await stage.text('a')).toBe('1')
    expect(await stage.line('a')).toEqual([])
  })

  test('whose message comes after the end of the hold fails with LeaseLost', async () => {
    const stage = new Stage()
    const hold = await held(stage)
    const id = await stage.submit(append('H', { hold }))
    await release(stage, hold)
    await stage.deliverAll()
    expect(stage.record(id).error?.code).toBe('LeaseLost')
    expect(await stage.text('a')).toBeNull()
  })

  test('whose enter arrives after the end of the hold never enters', async () => {
    const stage = new Stage()
    const hold = await held(stage)
    const late = arrivingLate('lines.enter')
    const submitting = stage.until(stage.accept(append('H', { hold }), stage.process(late.intercept)))
    const outcome = submitting.catch((error: unknown) => error)
    await late.reached
    await release(stage, hold)
    await late.arrive()
    await outcome
    await stage.live(6)
    expect(await stage.line('a')).toEqual([])
    const stranger = await stage.submit(append('S'))
    await stage.deliverAll()
    expect(stage.record(stranger).status).toBe('succeeded')
  })

  test('whose hold goes between the look at it and the enter is refused, and its record ended', async () => {
    const stage = new Stage()
    const hold = await held(stage)
    const gate = pausing('before', 'lines.enter')
    const id = stage.newId()
    const submitting = stage.accept(append('H', { hold, id }), stage.process(gate.intercept))
    const outcome = submitting.catch((error: unknown) => error)
    await gate.reached
    await release(stage, hold)
    gate.open()
    expect(await stage.until(outcome)).toMatchObject({ code: 'LeaseLost' })
    expect(stage.record(id)).toMatchObject({ status: 'failed', error: { code: 'LeaseLost' } })
    await expect(stage.until(stage.accept(append('H', { hold, id })))).resolves.toMatchObject({ again: true })
  })

  test('whose submitter died is not completed once the hold is gone', async () => {
    const stage = new Stage()
    const hold = await held(stage)
    const id = stage.newId()
    const stuck = pausing('before', 'lines.enter')
    void stage.accept(append('H', { hold, id }), stage.process(stuck.intercept))
    await stuck.reached
    await release(stage, hold)
    await stage.live(3)
    expect(stage.record(id)).toMatchObject({ status: 'failed', error: { code: 'LeaseLost' } })
  })

  test('submitted again after its hold has ended answers what it answered', async () => {
    const stage = new Stage()
    const hold = await held(stage)
    const request = append('H', { hold, id: stage.newId() })
    const id = await stage.submit(request)
    await stage.deliverAll()
    await lose(stage)
    const again = await stage.until(stage.accept(request))
    expect(again).toMatchObject({ again: true, record: { id, status: 'succeeded' } })
    await expect(stage.accept({ ...request, body: 'other' })).rejects.toMatchObject({ code: 'Conflict' })
  })

  test.each([
    ['another path', { path: 'b' }, /^path: got "b", expected a path that hold \w+ holds for writing\.$/],
    ['a name', { locks: [{ name: 'orders' }] }, /^locks: got "orders", expected a name that hold/],
  ])('on %s than the hold holds is refused before anything is written', async (_what, more, message) => {
    const stage = new Stage()
    const hold = await held(stage)
    await expect(stage.accept(append('H', { hold, ...more }))).rejects.toThrow(message)
    expect(stage.world.tables.records.size).toBe(1)
  })

  test('writes only under a hold that writes', async () => {
    const stage = new Stage()
    await stage.outsider('a', 'A')
    const hold = await held(stage, { mode: 'read' })
    await expect(stage.accept(append('H', { hold }))).rejects.toMatchObject({ code: 'InvalidArgument' })
    const id = await stage.submit({ kind: 'read', path: 'a', hold })
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({ status: 'succeeded', result: { body: 'A' } })
  })

  test('of several paths enters them all at the place of the hold', async () => {
    const stage = new Stage()
    await stage.outsider('a', 'A')
    const hold = await held(stage, { paths: ['a', 'b'] })
    const stranger = await stage.submit({ kind: 'move', from: 'a', to: 'c' })
    const id = await stage.submit({ kind: 'move', from: 'a', to: 'b', hold })
    await stage.deliverAll()
    expect([id, stranger].map((one) => stage.record(one).status)).toEqual(['succeeded', 'waiting'])
    expect(await stage.text('b')).toBe('A')
  })

  test('may be asked for while its hold waits, and runs when that is granted', async () => {
    const stage = new Stage()
    const first = await held(stage)
    const hold = await held(stage)
    const stranger = await stage.submit(append('S'))
    await stage.submit(append('H', { hold }))
    await release(stage, first)
    await stage.deliverAll()
    expect(await stage.text('a')).toBe('H')
    expect(stage.record(stranger).status).toBe('waiting')
  })

  test.each([
    ['no id', 'x', 'InvalidArgument'],
    ['an unknown id', '01JD3K0Z8Q4V0J6S1W9X2Y3Z4A', 'LeaseLost'],
  ])('under %s is refused', async (_what, hold, code) => {
    const stage = new Stage()
    await expect((async () => stage.accept(append('H', { hold })))()).rejects.toMatchObject({ code })
  })

  test('is not under what is no hold, and a hold is under none', async () => {
    const stage = new Stage()
    const other = await stage.submit(append('1'))
    const hold = await held(stage)
    await expect(stage.accept(append('H', { hold: other }))).rejects.toMatchObject({
      code: 'InvalidArgument',
    })
    await expect((async () => stage.accept({ kind: 'hold', paths: ['a'], hold }))()).rejects.toMatchObject({
      code: 'InvalidArgument',
    })
  })
})

describe('named locks of an operation', () => {
  const locks = [{ name: 'all', mode: 'read' }]

  test('are taken together with its paths, and shared or not as they say', async () => {
    const stage = new Stage()
    const shared = [
      await stage.submit(append('1', { locks })),
      await stage.submit(append('2', { path: 'b', locks })),
    ]
    const whole = await held(stage, { paths: [], names: ['all'] })
    const later = await stage.submit(append('3', { path: 'c', locks }))
    expect(stage.messages()).toEqual(shared)
    await stage.deliverAll()
    expect(stage.record(whole).status).toBe('running')
    expect(stage.record(later).status).toBe('waiting')
    await release(stage, whole)
    await stage.deliverAll()
    expect(stage.record(later).status).toBe('succeeded')
  })

  test('are part of the request: the same id with other locks is another one', async () => {
    const stage = new Stage()
    const id = stage.newId()
    await stage.submit(append('1', { id, locks }))
    await expect(stage.accept(append('1', { id }))).rejects.toMatchObject({ code: 'Conflict' })
    await expect(stage.until(stage.accept(append('1', { id, locks })))).resolves.toMatchObject({
      again: true,
    })
  })

  test('count among its 99 lines, and repeats merge to the stronger mode', async () => {
    const stage = new Stage()
    const many = Array.from({ length: 99 }, (_, number) => ({ name: `n${number}` }))
    await expect((async () => stage.accept(append('1', { locks: many })))()).rejects.toThrow('at most 99')
    const id = await stage.submit(append('1', { locks: [...locks, { name: 'all' }] }))
    expect(stage.record(id).uses).toEqual([
      { line: 'f:a', mode: 'write' },
      { line: 'n:all', mode: 'write' },
    ])
  })

  test.each([
    [[{ name: '' }], 'locks[0].name'],
    [[{ name: 'a', mode: 'shared' }], 'locks[0].mode'],
    [[{ nam: 'a' }], 'locks[0].nam'],
    ['all', 'locks'],
  ])('%j is refused, and %s named', async (given, field) => {
    const stage = new Stage()
    const refused = (async () => stage.accept(append('1', { locks: given })))()
    await expect(refused).rejects.toMatchObject({ code: 'InvalidArgument', details: { field } })
  })
})
