import { describe, expect, test } from 'vitest'
import { Stage } from '#test/support/stage.ts'
import { spendTries } from './scenarios/run-scenarios.ts'

const append = { kind: 'append', path: 'a', body: 'X' }

describe('a dead letter', () => {
  test('of an unknown operation is foreign', async () => {
    const stage = new Stage()
    expect(await stage.deadLetter(stage.newId())).toMatchObject({ kind: 'foreign' })
  })

  test('of what waits, or is not exhausted, is sent again', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    await stage.loseMessages()
    expect(await stage.deadLetter(id)).toEqual({ kind: 'done' })
    expect(stage.messages()).toEqual([id])
    await stage.loseMessages()
    await spendTries(stage, id, 2)
    expect(await stage.deadLetter(id)).toEqual({ kind: 'done' })
    await stage.pass(1_000)
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({ status: 'succeeded', attempt: 3 })
  })

  test('of what is exhausted without an effect fails it, and frees its line', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    const next = await stage.submit({ ...append, body: 'Y' })
    await spendTries(stage, id)
    await stage.loseMessages()
    await stage.deadLetter(id)
    expect(stage.record(id)).toMatchObject({ status: 'failed', error: { code: 'Exhausted' } })
    expect(stage.messages()).toEqual([next])
    expect(await stage.text('a')).toBeNull()
  })

  test('of what is final leaves its lines once more', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    await stage.deliverAll()
    const next = await stage.submit({ ...append, body: 'Y' })
    await stage.loseMessages()
    await stage.deadLetter(id)
    expect(stage.messages()).toEqual([next])
  })
})
