import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Lockstep } from '#client/index.ts'
import { limits } from '#domain/limits.ts'
import type { Intercept } from '#memory/intercept.ts'
import { PortFault } from '#ports/faults.ts'
import { Mortal } from '#test/support/gates.ts'
import { Stage } from '#test/support/stage.ts'

const leaseMs = limits.holdLeaseMs

describe('locks of the client', () => {
  let stage: Stage
  let lockstep: Lockstep
  /** What makes messages arrive as time goes by, as a deployment does. */
  let isOver: boolean
  let functions: Promise<void>

  const client = (intercept?: Intercept): Lockstep => new Lockstep({ ports: stage.process(intercept) })

  const runFunctions = async (): Promise<void> => {
    const { clock, queue } = stage.world
    while (!isOver) {
      while (queue.queues.operations.visible().length > 0) await stage.deliver()
      await clock.sleep(20)
    }
  }

  beforeEach(() => {
    stage = new Stage()
    lockstep = client()
    isOver = false
    functions = runFunctions()
  })
  afterEach(async () => {
    isOver = true
    await stage.pass(25)
    await functions
  })

  const until = <T>(work: Promise<T>): Promise<T> => stage.until(work)

  test('a lock that is free is had at once, with the tokens of all its paths and names', async () => {
    const lock = await until(lockstep.lock(['a', { path: 'b' }, { name: 'orders' }]))
    expect(Object.keys(lock.tokens)).toEqual(['a', 'b', 'orders'])
    expect(lock.token).toBe(lock.tokens['a'])
    expect(lock.signal.aborted).toBe(false)
    await until(lock.release())
    expect(await stage.line('a')).toEqual([])
  })

  test('contenders have it in the order in which they asked, one at a time, tokens grow', async () => {
    const seen: [number, number][] = []
    let inside = 0
    const work = Array.from({ length: 12 }, async (_, number) => {
      await stage.world.clock.sleep(number * 5)
      await client().withLock({ name: 'orders' }, {}, async ({ token }) => {
        inside += 1
        expect(inside).toBe(1)
        await stage.world.clock.sleep(30)
        seen.push([number, token])
        inside -= 1
      })
    })
    await until(Promise.all(work))
    expect(seen.map(([number]) => number)).toEqual(Array.from({ length: 12 }, (_, number) => number))
    const tokens = seen.map(([, token]) => token)
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b))
  })

  test('readers hold it together, a writer alone', async () => {
    const readers = await until(Promise.all([1, 2, 3].map(() => lockstep.lock('a', { mode: 'read' }))))
    expect(await until(lockstep.tryLock('a'))).toBeNull()
    expect(await until(lockstep.tryLock('a', { mode: 'read' }))).not.toBeNull()
    for (const reader of readers) await until(reader.release())
  })

  test('what the holder does under its hold does not wait for itself', async () => {
    const result = await until(
      lockstep.withLock('a', {}, async ({ hold }) => {
        await (await lockstep.append('a', 'one', { hold })).result()
        return (await lockstep.read('a', { hold })).result()
      }),
    )
    expect(result).toMatchObject({ body: 'one' })
  })

  test('a lock that is held outlives its lease many times over, until it is let go', async () => {
    const lock = await until(lockstep.lock('a'))
    await stage.pass(20 * leaseMs)
    expect(lock.signal.aborted).toBe(false)
    expect(stage.record(lock.hold).status).toBe('running')
    await until(lock.release())
    await until(lock.release())
    expect(stage.record(lock.hold).status).toBe('succeeded')
  })

  test('a holder whose extends are not answered is told a margin before its lease ends', async () => {
    let isCut = false
    const cut: Intercept = async (call, proceed) => {
      if (isCut && call.method === 'extendHold') throw new PortFault('unanswered', 'operations.extendHold')
      return proceed()
    }
    const lock = await until(client(cut).lock('a'))
    await stage.pass(leaseMs)
    isCut = true
    const { leaseUntil } = stage.record(lock.hold)
    let abortedAt: number | undefined
    lock.signal.addEventListener('abort', () => {
      abortedAt = stage.now
    })
    await stage.pass(leaseMs)
    expect(lock.signal.reason).toMatchObject({ code: 'LeaseLost' })
    expect(abortedAt).toBeLessThanOrEqual(leaseUntil - limits.holdMarginMs)
    expect(abortedAt).toBeGreaterThan(leaseUntil - limits.holdMarginMs - 100)
    await stage.pass(leaseMs)
    await expect(until(lock.release())).rejects.toMatchObject({ code: 'LeaseLost' })
  })

  test('the lease is measured from before the extend was sent, however long its answer takes', async () => {
    let delayMs = 0
    const slow: Intercept = async (call, proceed) => {
      const answer = await proceed()
      if (call.method === 'extendHold') await stage.world.clock.sleep(delayMs)
      return answer
    }
    const lock = await until(client(slow).lock('a'))
    delayMs = leaseMs / 2
    await stage.pass(leaseMs / 3 + leaseMs / 2 + 1)
    expect(lock.safeUntil - stage.now).toBeLessThanOrEqual(leaseMs / 2 - limits.holdMarginMs)
    await until(lock.release())
  })

  test('a lock that somebody breaks tells its holder at the next heartbeat, and why', async () => {
    const lock = await until(lockstep.lock('a'))
    const broken = await until(lockstep.break('a', { by: 'ada', reason: 'stuck' }))
    expect(broken).toMatchObject([{ id: lock.hold, status: 'cancelled' }])
    await stage.pass(leaseMs / 3 + 1)
    expect(lock.signal.reason).toMatchObject({
      code: 'LeaseLost',
      details: { brokenBy: 'ada', reason: 'stuck' },
    })
  })

  test('work under a lock that was lost fails, even if the work itself did not notice', async () => {
    const work = lockstep.withLock('a', {}, async ({ hold }) => {
      await lockstep.break('a', { by: 'ada' })
      await expect(lockstep.append('a', 'x', { hold })).rejects.toMatchObject({ code: 'LeaseLost' })
    })
    await expect(until(work)).rejects.toMatchObject({ code: 'LeaseLost' })
  })

  test('work that fails lets go, and fails with its own error', async () => {
    const work = lockstep.withLock('a', {}, () => Promise.reject(new RangeError('mine')))
    await expect(until(work)).rejects.toThrow(new RangeError('mine'))
    expect(await stage.line('a')).toEqual([])
  })

  test('a wait that takes too long is a Timeout, and nothing stays in line', async () => {
    const lock = await until(lockstep.lock('a'))
    const waiting = lockstep.lock('a', { timeoutMs: 3_000 })
    const startedAt = stage.now
    await expect(until(waiting)).rejects.toMatchObject({ code: 'Timeout', retryable: true })
    expect(stage.now - startedAt).toBe(3_000)
    expect(await stage.line('a')).toEqual([lock.hold])
    await until(lock.release())
  })

  test('a wait that is aborted gives up its place, and throws the reason', async () => {
    const lock = await until(lockstep.lock('a'))
    const controller = new AbortController()
    const waiting = lockstep.lock('a', { signal: controller.signal })
    const outcome = waiting.catch((error: unknown) => error)
    await stage.pass(500)
    controller.abort(new Error('enough'))
    expect(await until(outcome)).toEqual(new Error('enough'))
    expect(await stage.line('a')).toEqual([lock.hold])
    await until(lock.release())
  })

  test('a try that finds somebody in its way is one call, and writes nothing', async () => {
    const lock = await until(lockstep.lock('a'))
    const calls: string[] = []
    const counting = client((call, proceed) => {
      calls.push(`${call.port}.${call.method}`)
      return proceed()
    })
    expect(await until(counting.tryLock('a'))).toBeNull()
    expect(calls).toEqual(['lines.read'])
    await until(lock.release())
  })

  test('a try that loses the race leaves nothing in line', async () => {
    const outcomes = await until(Promise.all([1, 2, 3, 4].map(() => client().tryLock('a'))))
    const locks = outcomes.filter((outcome) => outcome !== null)
    expect(locks).toHaveLength(1)
    expect(await stage.line('a')).toEqual(locks.map(({ hold }) => hold))
    for (const lock of locks) await until(lock.release())
  })

  test('a lock is taken in one process, extended and released in another, by its id', async () => {
    const lock = await until(lockstep.lock('a', { leaseMs: 60_000 }))
    const id = lock.detach()
    await stage.pass(50_000)
    const extended = await until(client().extend(id, { leaseMs: 120_000 }))
    expect(extended.leaseUntil).toBe(new Date(stage.now + 120_000).toISOString())
    await stage.pass(100_000)
    expect(await until(client().release(id))).toMatchObject({ status: 'succeeded' })
    await expect(until(client().extend(id))).rejects.toMatchObject({ code: 'LeaseLost' })
  })

  test('the same id is the same hold: whoever asks again has it, with its lease extended', async () => {
    const first = await until(lockstep.lock('a', { id: 'my-job' }))
    first.detach()
    await stage.pass(leaseMs - 1_000)
    const second = await until(client().lock('a', { id: 'my-job' }))
    expect(second.hold).toBe(first.hold)
    expect(second.tokens).toEqual(first.tokens)
    await stage.pass(5 * leaseMs)
    expect(second.signal.aborted).toBe(false)
    await until(second.release())
  })

  test('an id of another request is a Conflict, and that hold is left alone', async () => {
    const lock = await until(lockstep.lock('a', { id: 'my-job' }))
    await expect(until(client().lock('b', { id: 'my-job' }))).rejects.toMatchObject({ code: 'Conflict' })
    expect(stage.record(lock.hold).status).toBe('running')
    await until(lock.release())
  })

  test('is let go at the end of its scope', async () => {
    const scope = async (): Promise<string> => {
      const lock = await lockstep.lock('a')
      await lock[Symbol.asyncDispose]()
      return lock.hold
    }
    expect(stage.record(await until(scope())).status).toBe('succeeded')
  })

  test('a dead holder is followed by the next one within its lease and two seconds', async () => {
    const dead = await until(lockstep.lock('a'))
    dead.detach()
    const startedAt = stage.now
    const next = await until(client().lock('a'))
    expect(stage.now - startedAt).toBeLessThanOrEqual(leaseMs + 2_000)
    await until(next.release())
  })

  test('a holder that dies between claim and message holds up those who wait 22 s at most', async () => {
    const mortal = new Mortal('before', 'queue.send')
    const dying = client((call, proceed) => mortal.intercept(call, proceed)).lock('a')
    const lock = await until(dying)
    lock.detach()
    expect(mortal.isDead).toBe(true)
    const startedAt = stage.now
    const next = await until(client().lock('a'))
    expect(stage.now - startedAt).toBeLessThanOrEqual(22_000)
    await until(next.release())
  })

  test('a release wakes the next one in less than 200 ms at the median', async () => {
    const delays: number[] = []
    for (let round = 0; round < 21; round += 1) {
      const lock = await until(lockstep.lock('a'))
      const waiting = client().lock('a')
      await stage.pass(1_000 + round * 137)
      await until(lock.release())
      const releasedAt = stage.now
      const next = await until(waiting)
      delays.push(stage.now - releasedAt)
      await until(next.release())
    }
    const sorted = delays.toSorted((a, b) => a - b)
    expect(sorted[10]).toBeLessThan(200)
    expect(sorted[20]).toBeLessThanOrEqual(250)
  })

  test('whoever waits for long makes few calls: 240 a minute if next in line, fewer further back', async () => {
    const lock = await until(lockstep.lock('a'))
    const counts = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    const aborting = new AbortController()
    const waiting: Promise<unknown>[] = []
    for (const place of counts.keys()) {
      const counting = client((_call, proceed) => {
        counts[place] = (counts[place] ?? 0) + 1
        return proceed()
      })
      waiting.push(counting.lock('a', { signal: aborting.signal }).catch(() => undefined))
      await setImmediate()
    }
    await stage.pass(20_000)
    counts.fill(0)
    await stage.pass(10_000)
    const perMinute = counts.map((count) => count * 6)
    expect(perMinute[0]).toBeLessThanOrEqual(300)
    expect(perMinute[9]).toBeLessThanOrEqual(40)
    expect(perMinute).toEqual(perMinute.toSorted((a, b) => b - a))
    await stage.pass(10 * 60_000)
    counts.fill(0)
    await stage.pass(60_000)
    expect(counts[0]).toBeLessThanOrEqual(40)
    aborting.abort()
    await until(Promise.all(waiting))
    await until(lock.release())
  })

  test.each([
    ['nothing', []],
    ['a bad path', '/a'],
    ['an empty name', { name: '' }],
    ['a name that is a path too', ['a', { name: 'a' }]],
  ])('%s cannot be locked', async (_what, target) => {
    await expect(until(lockstep.lock(target))).rejects.toMatchObject({ code: 'InvalidArgument' })
  })

  test.each([
    ['leaseMs', { leaseMs: 1_000 }],
    ['leaseMs', { leaseMs: limits.holdLeaseMaxMs + 1 }],
    ['timeoutMs', { timeoutMs: -1 }],
  ])('%s has its bounds, which are named', async (field, options) => {
    const refused = until(lockstep.lock('a', options))
    await expect(refused).rejects.toMatchObject({ code: 'InvalidArgument', details: { field } })
  })
})
