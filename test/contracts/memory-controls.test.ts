import { describe, expect, it } from 'vitest'
import { limits } from '#domain/limits.ts'
import { messageOf } from '#domain/message.ts'
import {
  type Call,
  chained,
  crashing,
  type Intercept,
  losingAnswers,
  recording,
  refusing,
} from '#memory/intercept.ts'
import { memoryPorts, memoryWorld } from '#memory/memory-ports.ts'
import { SeededIds, seededRandom } from '#memory/seeded-ids.ts'
import { VirtualClock } from '#memory/virtual-clock.ts'
import { bytesOf, newId, numbersTo, plain, recordOf } from './support.ts'

/** What only the memory twins can do: the controls that tests and the simulation rely on. */

const use = { line: 'f:a', mode: 'write' } as const

describe('intercept', () => {
  it('a lost answer: the call took effect', async () => {
    const ports = memoryPorts({ intercept: losingAnswers('lines.enter') })
    await expect(ports.lines.enter(use, newId(), 1)).rejects.toMatchObject({
      fault: 'unanswered',
      call: 'lines.enter',
    })
    expect((await ports.lines.read([use.line]))[0]?.entries).toHaveLength(1)
    expect((await ports.lines.enter(use, newId(), 1)).kind).toBe('entered')
  })

  it('a refused call took no effect, and only so many are refused', async () => {
    const ports = memoryPorts({ intercept: refusing('lines.enter', 'busy', 2) })
    for (const _ of numbersTo(2)) {
      await expect(ports.lines.enter(use, newId(), 1)).rejects.toMatchObject({ fault: 'busy' })
    }
    expect((await ports.lines.read([use.line]))[0]?.entries).toHaveLength(0)
    expect((await ports.lines.enter(use, newId(), 1)).kind).toBe('entered')
  })

  it('a crash before leaves nothing, a crash after leaves all', async () => {
    const world = memoryWorld()
    const dying = (moment: 'before' | 'after') =>
      memoryPorts({ world, intercept: crashing(moment, ({ method }) => method === 'put') })
    const put = (moment: 'before' | 'after') =>
      dying(moment).objects.put('a', bytesOf('x'), 'absent', plain, { operationId: newId() })
    await expect(put('before')).rejects.toMatchObject({ name: 'Crash' })
    expect(await world.objects.head('a')).toBeNull()
    await expect(put('after')).rejects.toMatchObject({ name: 'Crash' })
    expect(await world.objects.head('a')).not.toBeNull()
  })

  it('a call may be paused, and others overtake it', async () => {
    const gate = Promise.withResolvers<void>()
    const paused: Intercept = async (call, proceed) => {
      if (call.args[1] === 'slow') await gate.promise
      return proceed()
    }
    const { lines } = memoryPorts({ intercept: paused })
    const slow = lines.enter(use, 'slow', 1)
    await lines.enter(use, 'fast', 1)
    gate.resolve()
    expect((await slow).line.entries.map(({ id }) => id)).toEqual(['fast', 'slow'])
  })

  it('a request may arrive twice', async () => {
    const twice: Intercept = async (_call, proceed) => {
      await proceed()
      return proceed()
    }
    const { lines } = memoryPorts({ intercept: twice })
    expect((await lines.enter(use, 'a', 1)).kind).toBe('present')
  })

  it('intercepts nest, the first one outermost, and calls are recorded by name', async () => {
    const record = recording()
    const ports = memoryPorts({ intercept: chained(losingAnswers('queue.send'), record.intercept) })
    await expect(ports.queue.send('operations', newId())).rejects.toMatchObject({ fault: 'unanswered' })
    await ports.arrivals.note('a', '01', 1)
    await ports.operations.get('x')
    await ports.objects.head('a')
    const names = record.calls.map(({ port, method }: Call) => `${port}.${method}`)
    expect(names).toEqual(['queue.send', 'arrivals.note', 'operations.get', 'objects.head'])
  })

  it('processes share a world, each through its own intercept and with its own ids', async () => {
    const world = memoryWorld()
    const [one, two] = [memoryPorts({ world, seed: 1 }), memoryPorts({ world, seed: 2 })]
    await one.lines.enter(use, 'a', 1)
    expect((await two.lines.enter(use, 'b', 1)).line.entries.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(one.ids.operationId()).not.toBe(two.ids.operationId())
  })
})

describe('virtual clock', () => {
  it('each sleeper wakes at its own time, and what follows from it runs then', async () => {
    const clock = new VirtualClock({ start: 1000 })
    const seen: string[] = []
    const sleeper = async (name: string, ...sleeps: number[]): Promise<void> => {
      for (const ms of sleeps) {
        await clock.sleep(ms)
        seen.push(`${name} at ${clock.now()}`)
      }
    }
    void sleeper('a', 10, 10)
    void sleeper('b', 10)
    void sleeper('c', 50)
    await clock.advance(30)
    expect(seen).toEqual(['a at 1010', 'b at 1010', 'a at 1020'])
    expect(clock.now()).toBe(1030)
    expect(clock.nextWakeAt).toBe(1050)
  })

  it('a jump wakes all that are due, at its end', async () => {
    const clock = new VirtualClock({ start: 0 })
    const woken = Promise.all([clock.sleep(5), clock.sleep(7)]).then(() => clock.now())
    clock.jump(100)
    expect(await woken).toBe(100)
  })

  it('time can run as fast as the work sleeps', async () => {
    const clock = new VirtualClock({ start: 0 })
    const work = async (): Promise<number> => {
      for (const _ of numbersTo(10)) await clock.sleep(60_000)
      return clock.now()
    }
    expect(await clock.runUntil(work())).toBe(600_000)
    await expect(clock.runUntil(Promise.withResolvers<never>().promise)).rejects.toThrow(
      'would wait for ever',
    )
  })

  it('an aborted sleeper is no longer waited for', async () => {
    const clock = new VirtualClock()
    const controller = new AbortController()
    const sleep = clock.sleep(10, controller.signal)
    controller.abort(new Error('stop'))
    await expect(sleep).rejects.toThrow('stop')
    expect(clock.nextWakeAt).toBeUndefined()
  })
})

describe('seeded ids', () => {
  it('the same seed makes the same ids, another seed makes others', () => {
    const run = (seed: number): string[] => {
      const ids = new SeededIds(new VirtualClock(), seed)
      return [ids.operationId(), ids.nonce(), String(ids.chance())]
    }
    expect(run(7)).toEqual(run(7))
    expect(run(7)[0]).not.toBe(run(8)[0])
  })

  it('chance is spread evenly', () => {
    const random = seededRandom(3)
    const buckets = Array.from({ length: 10 }, () => 0)
    for (const _ of numbersTo(10_000)) {
      const bucket = Math.floor(random() * 10)
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    expect(Math.min(...buckets)).toBeGreaterThan(850)
    expect(Math.max(...buckets)).toBeLessThan(1150)
  })
})

describe('message queue', () => {
  const worldWith = (options: { maxReceives?: number; visibilityMs?: number } = {}) => {
    const world = memoryWorld(options)
    return { ...world, operations: world.queue.queues.operations }
  }

  it('a received message is hidden for the visibility timeout, then it comes again', async () => {
    const { queue, operations, clock } = worldWith({ visibilityMs: 45_000 })
    await queue.send('operations', newId())
    expect(operations.receive()?.receiveCount).toBe(1)
    expect(operations.visible()).toEqual([])
    expect(operations.nextVisibleAt).toBe(clock.now() + 45_000)
    await clock.advance(45_000)
    expect(operations.receive()?.receiveCount).toBe(2)
  })

  it('a delayed message becomes visible in its time', async () => {
    const { queue, operations, clock } = worldWith()
    const id = newId()
    await queue.send('operations', id, { delayMs: 1500 })
    await clock.advance(1999)
    expect(operations.receive()).toBeUndefined()
    await clock.advance(1)
    expect(operations.receive()?.body).toBe(messageOf(id))
  })

  it('a postponed message comes when it was postponed to', async () => {
    const { queue, operations, clock } = worldWith()
    await queue.send('operations', newId())
    await operations.receive()?.postpone(90_000)
    await clock.advance(89_999)
    expect(operations.visible()).toEqual([])
    await clock.advance(1)
    expect(operations.visible()).toHaveLength(1)
  })

  it('a delivery that is over can neither delete nor postpone the next one', async () => {
    const { queue, operations, clock } = worldWith()
    await queue.send('operations', newId())
    const first = operations.receive()
    await clock.advance(45_000)
    const second = operations.receive()
    await first?.delete()
    await first?.postpone(0)
    expect(operations.all()).toHaveLength(1)
    expect(operations.visible()).toEqual([])
    await second?.delete()
    expect(operations.all()).toEqual([])
  })

  it('a message received too often is dead', async () => {
    const { queue, operations, clock } = worldWith({ maxReceives: 2 })
    const id = newId()
    await queue.send('operations', id)
    for (const _ of numbersTo(2)) {
      expect(operations.receive()).toBeDefined()
      expect(operations.dead).toEqual([])
      await clock.advance(45_000)
    }
    expect(operations.receive()).toBeUndefined()
    expect(operations.dead).toEqual([messageOf(id)])
    expect(operations.takeDead()).toBe(messageOf(id))
    expect(operations.all()).toEqual([])
  })

  it('any visible message may be received, and any delivered twice', async () => {
    const { queue, operations } = worldWith()
    const ids = numbersTo(3).map(newId)
    for (const id of ids) await queue.send('operations', id)
    const [, second] = operations.visible()
    expect(operations.receive(second?.messageId)?.body).toBe(messageOf(ids[1] ?? ''))
    expect(operations.receive(second?.messageId)).toBeUndefined()
    const twin = operations.duplicate(second?.messageId ?? '')
    expect(operations.receive(twin)?.body).toBe(messageOf(ids[1] ?? ''))
  })
})

describe('tables', () => {
  it('TTL takes lines 14 days after their last use, records 7 days after their end', async () => {
    const { lines, operations, tables } = memoryWorld()
    const [open, over] = [recordOf({ submittedAt: 0 }), recordOf({ submittedAt: 0 })]
    await operations.create(open)
    await operations.create(over, bytesOf('body'))
    await operations.endWaiting(over.id, { status: 'cancelled', now: 0 })
    await lines.enter(use, 'a', 0)
    await lines.leave(use, 'a', 1)
    tables.collectExpired(limits.resultLifeMs - 1)
    expect(await operations.get(over.id)).toBeDefined()
    tables.collectExpired(limits.resultLifeMs)
    expect(await operations.get(over.id)).toBeUndefined()
    expect(await operations.body(over)).toBeUndefined()
    tables.collectExpired(limits.lineLifeMs)
    expect(tables.lines.size).toBe(1)
    tables.collectExpired(limits.lineLifeMs + 1)
    expect(tables.lines.size).toBe(0)
    expect(await operations.get(open.id)).toEqual(open)
  })

  it('a body can be lost, as by a submitter that died between record and body', async () => {
    const { operations, tables } = memoryWorld()
    const record = recordOf({ content: { kind: 'item', size: 4 } })
    await operations.create(record, bytesOf('body'))
    tables.loseBody(record.id)
    expect(await operations.get(record.id)).toEqual(record)
    expect(await operations.body(record)).toBeUndefined()
  })

  it('a read of many lines is no snapshot: others act in between', async () => {
    const { lines } = memoryWorld()
    const reading = lines.read(numbersTo(20).map((n) => `f:${n}`))
    const entering = numbersTo(20).map((n) => lines.enter({ line: `f:${19 - n}`, mode: 'write' }, 'a', 1))
    await Promise.all(entering)
    const entered = (await reading).filter(({ entries }) => entries.length === 1).length
    expect(entered).toBeGreaterThan(0)
    expect(entered).toBeLessThan(20)
  })

  it('whoever decides the turns decides the order', async () => {
    const waiting: (() => void)[] = []
    const turn = (): Promise<void> => new Promise((resolve) => waiting.push(resolve))
    const { lines } = memoryWorld({ turn })
    const calls = ['a', 'b', 'c'].map((id) => lines.enter(use, id, 1))
    for (const release of waiting.toReversed()) release()
    const last = (await Promise.all(calls))[0]
    expect(last?.line.entries.map(({ id }) => id)).toEqual(['c', 'b', 'a'])
  })
})
