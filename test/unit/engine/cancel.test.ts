import { describe, expect, test } from 'vitest'
import { cancel } from '#engine/cancel.ts'
import { pausing } from '#test/support/gates.ts'
import { Stage, visibilityMs } from '#test/support/stage.ts'

const append = { kind: 'append', path: 'a', body: 'X' }

describe('cancel', () => {
  test('ends at once what waits, and wakes whom that grants', async () => {
    const stage = new Stage()
    const first = await stage.submit(append)
    const second = await stage.submit({ ...append, body: 'Y' })
    await stage.loseMessages()
    const record = await stage.until(cancel(stage.process(), first))
    expect(record).toMatchObject({ status: 'cancelled', error: { code: 'Cancelled' } })
    expect(stage.messages()).toEqual([second])
    await stage.deliverAll()
    expect(await stage.text('a')).toBe('Y')
  })

  test('of a writer between readers wakes the readers behind it', async () => {
    const stage = new Stage()
    await stage.outsider('a', 'A')
    const ids = [await stage.submit({ kind: 'read', path: 'a' }), await stage.submit(append)]
    ids.push(await stage.submit({ kind: 'read', path: 'a' }))
    await stage.until(cancel(stage.process(), ids[1] ?? ''))
    expect(stage.messages()).toEqual([ids[0], ids[2]])
  })

  test('asks what runs to stop: the next attempt ends it, unless the effect is there', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    const slow = pausing('before', 'objects.put')
    const running = stage.deliver({ ports: stage.process(slow.intercept) })
    await slow.reached
    const record = await stage.until(cancel(stage.process(), id))
    expect(record.status).toBe('running')
    slow.open()
    await stage.until(running)
    expect(stage.record(id)).toMatchObject({ status: 'succeeded' })
  })

  test('of one whose worker died before its effect says that nothing was changed', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    const stuck = pausing('before', 'objects.put')
    void stage.deliver({ ports: stage.process(stuck.intercept) })
    await stuck.reached
    await stage.until(cancel(stage.process(), id))
    await stage.pass(visibilityMs)
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({ status: 'cancelled', error: { code: 'Cancelled' } })
    expect(await stage.text('a')).toBeNull()
  })

  test('leaves what is final as it is', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    await stage.deliverAll()
    expect(await stage.until(cancel(stage.process(), id))).toMatchObject({ status: 'succeeded' })
  })

  test('of an unknown id is NotFound', async () => {
    const stage = new Stage()
    await expect(cancel(stage.process(), stage.newId())).rejects.toMatchObject({ code: 'NotFound' })
  })
})
