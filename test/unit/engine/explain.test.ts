import { describe, expect, test } from 'vitest'
import { lineOfPath } from '#domain/line.ts'
import { describeLine, explain, listOperations } from '#engine/explain.ts'
import { pausing } from '#test/support/gates.ts'
import { Stage } from '#test/support/stage.ts'

const append = { kind: 'append', path: 'a', body: 'X' }

const listed = async (
  stage: Stage,
  options: Parameters<typeof listOperations>[1] = {},
): Promise<string[]> => {
  const ids: string[] = []
  for await (const record of listOperations(stage.process(), options)) ids.push(record.id)
  return ids
}

describe('explain', () => {
  test('says on which path an operation waits, behind how many, for whom and since when', async () => {
    const stage = new Stage()
    const head = await stage.submit(append)
    await stage.submit(append)
    const last = await stage.submit(append)
    const slow = pausing('before', 'objects.put')
    void stage.run(head, stage.process(slow.intercept))
    await slow.reached
    const document = await explain(stage.process(), stage.record(last))
    const heldSince = new Date(stage.now).toISOString()
    expect(document.waiting).toEqual({ path: 'a', position: 2, holder: head, heldSince })
  })

  test('says nothing of waiting once an operation is granted or final', async () => {
    const stage = new Stage()
    const id = await stage.submit(append)
    expect(await explain(stage.process(), stage.record(id))).not.toHaveProperty('waiting')
    await stage.deliverAll()
    expect(await explain(stage.process(), stage.record(id))).toMatchObject({
      status: 'succeeded',
      attempt: 1,
    })
  })

  test('a line shows who is granted and who waits, in order', async () => {
    const stage = new Stage()
    const readers = [
      await stage.submit({ kind: 'read', path: 'a' }),
      await stage.submit({ kind: 'stat', path: 'a' }),
    ]
    const writer = await stage.submit(append)
    const { holders, waiters } = await describeLine(stage.process(), lineOfPath('a'))
    expect(holders.map(({ id, kind }) => [id, kind])).toEqual([
      [readers[0], 'read'],
      [readers[1], 'stat'],
    ])
    expect(waiters).toMatchObject([{ id: writer, mode: 'write', status: 'waiting' }])
    expect(await describeLine(stage.process(), lineOfPath('elsewhere'))).toEqual({
      path: 'elsewhere',
      holders: [],
      waiters: [],
    })
  })

  test('lists open operations, oldest first, then finished ones, newest first', async () => {
    const stage = new Stage()
    const finished: string[] = []
    for (let count = 0; count < 3; count += 1) {
      finished.push(await stage.submit(append))
      await stage.deliverAll()
      await stage.pass(1_000)
    }
    const open = [await stage.submit(append)]
    await stage.pass(1_000)
    open.push(await stage.submit({ ...append, path: 'b' }))
    expect(await listed(stage)).toEqual([...open, ...finished.toReversed()])
    expect(await listed(stage, { limit: 3 })).toEqual([...open, finished[2]])
    expect(await listed(stage, { status: 'succeeded' })).toEqual(finished.toReversed())
    expect(await listed(stage, { path: 'b' })).toEqual([open[1]])
  })
})
