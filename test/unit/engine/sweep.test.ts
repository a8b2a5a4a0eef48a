import { describe, expect, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import { openShard } from '#domain/schedule.ts'
import { sweep } from '#engine/sweep.ts'
import { crashing, refusing } from '#memory/intercept.ts'
import { Stage } from '#test/support/stage.ts'

const append = { kind: 'append', path: 'a', body: 'X' }

describe('sweep', () => {
  test('leaves alone what its submitter may still be busy with', async () => {
    const stage = new Stage()
    const dying = stage.process(crashing('before', 'lines.enter'))
    await expect(stage.submit(append, dying)).rejects.toThrow('before lines.enter')
    await stage.pass(limits.submitMs)
    expect(await stage.until(stage.sweep())).toMatchObject({ looked: 0 })
    await stage.pass(limits.submitStalledMs - limits.submitMs)
    expect(await stage.until(stage.sweep())).toMatchObject({ looked: 1, completed: 1, sent: 1 })
  })

  test('sends what is granted and lost its message', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    await stage.loseMessages()
    await stage.pass(limits.submitStalledMs)
    expect(await stage.until(stage.sweep())).toMatchObject({ sent: 1 })
    expect(stage.messages()).toEqual([id])
  })

  test('sends a head once, however many wait for it', async () => {
    const stage = new Stage()
    const head = await stage.submit(append)
    for (let count = 0; count < 5; count += 1) await stage.submit(append)
    await stage.loseMessages()
    await stage.pass(limits.submitStalledMs)
    await stage.until(stage.sweep())
    expect(stage.messages()).toEqual([head])
  })

  test('fails what waited longer than it may live', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    await stage.loseMessages()
    await stage.pass(limits.operationLifeMs + 1_000)
    expect(await stage.until(stage.sweep())).toMatchObject({ expired: 1 })
    expect(stage.record(id)).toMatchObject({ status: 'failed', error: { code: 'Expired' } })
    expect(await stage.line('a')).toEqual([])
  })

  test('settles what ended while waiting, once nothing of it can arrive any more', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    await stage.loseMessages()
    await stage.pass(limits.operationLifeMs + 1_000)
    await stage.until(stage.sweep())
    await stage.pass(limits.submitterGoneMs)
    expect(await stage.until(stage.sweep())).toMatchObject({ settled: 1 })
    expect(stage.world.tables.records.get(id)?.index.shard).not.toBe(openShard(id))
  })

  test('goes on when one operation cannot be healed', async () => {
    const stage = new Stage()
    const ids = [await stage.submit(append), await stage.submit({ ...append, path: 'b' })]
    await stage.loseMessages()
    await stage.pass(limits.submitStalledMs)
    const report = await stage.until(stage.sweep(stage.process(refusing('lines.read', 'denied'))))
    expect(report).toMatchObject({ looked: 2, failures: 1, sent: 1, finished: true })
    expect(ids).toEqual(expect.arrayContaining(stage.messages()))
  })

  test('says when it ran out of time', async () => {
    const stage = new Stage()
    const report = await stage.until(sweep(stage.process(), { deadline: stage.now }))
    expect(report.finished).toBe(false)
  })

  test('looks at more than one page', async () => {
    const stage = new Stage()
    const count = 16 * 100 + 40
    for (let number = 0; number < count; number += 1) await stage.submit({ ...append, path: `f${number}` })
    await stage.pass(limits.submitStalledMs)
    expect(await stage.until(stage.sweep())).toMatchObject({ looked: count, sent: count })
  })
})
