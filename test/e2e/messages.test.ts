import { afterEach, describe, expect, inject, test } from 'vitest'
import { messageOf } from '#domain/message.ts'
import { prepare } from '#engine/request.ts'
import { invoke, pauseFeeding } from '../../bench/measure/deployed-functions.ts'
import { connectTo, contentAt, finalRecords, ownPrefix, until } from '../support/deployed.ts'
import { rejectedMessages, sendRaw } from '../support/queues.ts'

const waiting = { timeoutMs: 60_000 }

describe('messages that are lost, repeated, reordered or corrupt', () => {
  const deployment = inject('deployment')
  const deployed = connectTo(deployment)
  const { lockstep, ports } = deployed
  const { endpoint, operationsQueueUrl, shardsQueueUrl, uploadsQueueUrl } = deployment
  const prefix = ownPrefix('messages')
  let resume: (() => Promise<void>) | undefined

  afterEach(async () => {
    await resume?.()
    resume = undefined
  })

  test('a message that comes many times, early and late, takes effect once', async () => {
    const path = `${prefix}/often.log`
    resume = await pauseFeeding(endpoint, 'Worker')
    const operations = []
    for (let number = 0; number < 10; number += 1) operations.push(await lockstep.append(path, `${number}\n`))
    const backwards = operations.map(({ id }) => id).reverse()
    for (const id of [...backwards, ...backwards, ...backwards])
      await sendRaw(deployed, operationsQueueUrl, messageOf(id))
    await resume()
    await finalRecords(ports, backwards)
    for (const id of backwards) await sendRaw(deployed, operationsQueueUrl, messageOf(id))
    const marker = await lockstep.append(path, 'end\n')
    await marker.result(waiting)
    expect((await contentAt(deployed, path))?.toString()).toBe('0\n1\n2\n3\n4\n5\n6\n7\n8\n9\nend\n')
    expect(await lockstep.line(path)).toMatchObject({ holders: [], waiters: [] })
  })

  test('a message in the queue of the other function is no harm', async () => {
    const path = `${prefix}/elsewhere.log`
    resume = await pauseFeeding(endpoint, 'Worker')
    const operation = await lockstep.append(path, 'here\n')
    await sendRaw(deployed, shardsQueueUrl, messageOf(operation.id))
    expect(await operation.result(waiting)).toMatchObject({ offset: 0, size: 5 })
    await resume()
    await (await lockstep.append(path, 'there\n')).result(waiting)
    expect((await contentAt(deployed, path))?.toString()).toBe('here\nthere\n')
  })

  const unknown = ports.ids.operationId()
  test.for([
    ['no JSON', `{"v":1,"id" ${prefix}`],
    ['no object', JSON.stringify(prefix)],
    ['another version', JSON.stringify({ v: 2, id: unknown, prefix })],
    ['no id', JSON.stringify({ v: 1, id: prefix })],
    ['more than a message has', JSON.stringify({ v: 1, id: unknown, prefix })],
    ['an operation that is not known', messageOf(unknown)],
  ] as const)('%s: the message ends in `rejected` with the reason, and others go on', async ([, body]) => {
    const before = await lockstep.append(`${prefix}/others.log`, '.')
    await sendRaw(deployed, operationsQueueUrl, body)
    const after = await lockstep.append(`${prefix}/others.log`, '.')
    const [rejected] = await rejectedMessages(deployed, (found) => found === body, 1)
    expect(rejected?.reason).toMatch(/\w{3,}/)
    await before.result(waiting)
    await after.result(waiting)
  })

  test.for([
    ['shards', shardsQueueUrl],
    ['uploads', uploadsQueueUrl],
  ] as const)('a corrupt message in %s ends in `rejected` with the reason', async ([name, queueUrl]) => {
    const body = `corrupt ${name} ${prefix}`
    await sendRaw(deployed, queueUrl, body)
    const [rejected] = await rejectedMessages(deployed, (found) => found === body, 1)
    expect(rejected?.reason).toContain('not JSON')
  })

  test('the sweeper completes a submit that stopped half-way, and sends what lost its message', async () => {
    const path = `${prefix}/stopped.log`
    // Long enough ago that its submitter must have given up.
    const options = { now: Date.now() - 10 * 60_000, newId: () => ports.ids.operationId() }
    const halfway = prepare({ kind: 'append', path, body: 'first\n' }, options).record
    await ports.operations.create(halfway)
    const lost = prepare({ kind: 'append', path: `${path}2`, body: 'second\n' }, options).record
    await ports.operations.create(lost)
    const [use] = lost.uses
    if (use === undefined) throw new Error('an append stands in a line')
    await ports.lines.enter(use, lost.id, Date.now())
    await until('the index to show both', async () => {
      await invoke(endpoint, 'Sweeper')
      const records = await ports.operations.getMany([halfway.id, lost.id])
      return records.every(({ status }) => status === 'succeeded') ? true : undefined
    })
    expect((await contentAt(deployed, path))?.toString()).toBe('first\n')
    expect((await contentAt(deployed, `${path}2`))?.toString()).toBe('second\n')
  })
})
