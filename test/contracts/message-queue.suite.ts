import { beforeAll, describe, expect, it } from 'vitest'
import { parseMessage } from '#domain/message.ts'
import type { QueueName } from '#ports/message-queue.ts'
import { type MessageQueueSetup, once, type Setup, type TakenMessage } from './setups.ts'
import { newId, numbersTo } from './support.ts'

/**
 * How often to ask again for what was sent: an SQS receive asks only some of the servers, and may find
 * nothing.
 */
const patience = 40

const idOf = (body: string): string | undefined => {
  const parsed = parseMessage(body)
  return 'message' in parsed ? parsed.message.id : undefined
}

/**
 * The laws of `MessageQueue` and `Delivery`. A message that must not come is waited for by a later one that
 * must.
 */
export const describeMessageQueueContract = (name: string, setup: Setup<MessageQueueSetup>): void => {
  describe(`message queue: ${name}`, () => {
    const shared = once(setup)
    let all: MessageQueueSetup
    beforeAll(async () => {
      all = await shared()
    })

    /** Takes until all of these have come. Deletes what else comes, and tells of whom it was. */
    const takeAll = async (queue: QueueName, ids: readonly string[]) => {
      const taken = new Map<string, TakenMessage>()
      const others: (string | undefined)[] = []
      for (let tries = 0; tries < patience && taken.size < ids.length; tries += 1) {
        for (const message of await all.take(queue)) {
          const id = idOf(message.body)
          if (id !== undefined && ids.includes(id)) taken.set(id, message)
          else others.push(id)
        }
      }
      return { taken, others }
    }
    const takeOne = async (queue: QueueName, id: string): Promise<TakenMessage> => {
      const { taken } = await takeAll(queue, [id])
      const message = taken.get(id)
      if (message === undefined) throw new Error(`${id} never came`)
      return message
    }

    it.each(['operations', 'shards'] as const)(
      'what is sent is delivered, as a message of that id: %s',
      async (queue) => {
        const id = newId()
        await all.queue.send(queue, id)
        const message = await takeOne(queue, id)
        expect(parseMessage(message.body)).toEqual({ message: { v: 1, id } })
        await message.delete()
      },
    )

    it('every message is delivered, also of many sent at once', async () => {
      const ids = numbersTo(30).map(newId)
      await Promise.all(ids.map((id) => all.queue.send('operations', id)))
      const { taken } = await takeAll('operations', ids)
      expect([...taken.keys()].toSorted()).toEqual(ids.toSorted())
      for (const message of taken.values()) await message.delete()
    })

    it('one id may be sent twice, and is delivered at least twice', async () => {
      const id = newId()
      await all.queue.send('operations', id)
      await all.queue.send('operations', id)
      const taken: TakenMessage[] = []
      for (let tries = 0; tries < patience && taken.length < 2; tries += 1)
        taken.push(...(await all.take('operations')))
      expect(taken.map(({ body }) => idOf(body))).toEqual([id, id])
      for (const message of taken) await message.delete()
    })

    it('the queues are apart', async () => {
      const [inShards, inOperations] = [newId(), newId()]
      await all.queue.send('shards', inShards)
      await all.queue.send('operations', inOperations)
      const { taken, others } = await takeAll('operations', [inOperations])
      expect(others).not.toContain(inShards)
      await taken.get(inOperations)?.delete()
      await (await takeOne('shards', inShards)).delete()
    })

    it('a delayed message is not delivered before its time', async () => {
      const [delayed, prompt] = [newId(), newId()]
      await all.queue.send('operations', delayed, { delayMs: 900_000 })
      await all.queue.send('operations', prompt, { delayMs: 0 })
      const { taken, others } = await takeAll('operations', [prompt])
      expect(others).not.toContain(delayed)
      await taken.get(prompt)?.delete()
    })

    it.each([-1, 900_001, Number.NaN])('a delay that SQS cannot keep is an error: %d ms', async (delayMs) => {
      await expect(all.queue.send('operations', newId(), { delayMs })).rejects.toBeInstanceOf(Error)
    })

    it('a message that is postponed stays hidden', async () => {
      const [id, later] = [newId(), newId()]
      await all.queue.send('operations', id)
      const message = await takeOne('operations', id)
      await message.postpone(600_000)
      await all.queue.send('operations', later)
      const { taken, others } = await takeAll('operations', [later])
      expect(others).not.toContain(id)
      await taken.get(later)?.delete()
      await message.delete()
    })

    it('a message postponed by nothing is given back at once', async () => {
      const id = newId()
      await all.queue.send('operations', id)
      const first = await takeOne('operations', id)
      await first.postpone(0)
      const second = await takeOne('operations', id)
      expect(second.body).toBe(first.body)
      await second.delete()
    })

    it('to postpone a message that is gone has no effect', async () => {
      const [id, later] = [newId(), newId()]
      await all.queue.send('operations', id)
      const message = await takeOne('operations', id)
      await message.delete()
      await message.postpone(0)
      await all.queue.send('operations', later)
      const { taken, others } = await takeAll('operations', [later])
      expect(others).not.toContain(id)
      await taken.get(later)?.delete()
    })

    it('a rejected message is parked as it is, with the reason', async () => {
      const body = `{"foreign": "<ünïcode> & 🎈 \\" ${newId()}"}`
      await all.queue.reject(body, 'not an operation message: id: "quoted" & <odd> ünïcode')
      expect(await parked(body)).toMatchObject({
        body,
        reason: 'not an operation message: id: "quoted" & <odd> ünïcode',
      })
    })

    it('a reason that a queue cannot carry is carried as far as it can', async () => {
      for (const reason of ['', 'control \u0001 character', 'lone \ud800 surrogate', 'x'.repeat(5000)]) {
        const body = `parked ${newId()}`
        await all.queue.reject(body, reason)
        const found = await parked(body)
        expect(found?.body).toBe(body)
        expect(found?.reason.length).toBeGreaterThan(0)
        expect(found?.reason.length).toBeLessThanOrEqual(256)
      }
    })

    const parked = async (body: string): Promise<{ body: string; reason: string } | undefined> => {
      for (let tries = 0; tries < patience; tries += 1) {
        const found = (await all.takeRejected()).find((message) => message.body === body)
        if (found !== undefined) return found
      }
      return undefined
    }
  })
}
