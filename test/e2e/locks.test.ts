import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, test } from 'vitest'
import type { Lock } from '#client/index.ts'
import { limits } from '#domain/limits.ts'
import { runCommand } from '../support/command.ts'
import { connectTo, contentAt, ownPrefix, until } from '../support/deployed.ts'
import { temporaryDirectory } from '../support/environment-directory.ts'
import { type GuardedWork, LockContender } from '../support/lock-contenders.ts'
import { quietOperations } from '../support/queues.ts'

const deployment = inject('deployment')
const deployed = connectTo(deployment)
const { lockstep } = deployed
const prefix = ownPrefix('locks')

/**
 * What noticing the end of a lease takes: SQS delays by whole seconds, then a function runs, then the next
 * one looks.
 */
const noticeMs = 2_000

/** Somebody waits there. */
const untilWaiting = (path: string): Promise<boolean> =>
  until('the next one to stand in line', async () =>
    (await lockstep.line(path)).waiters.length > 0 ? true : undefined,
  )

/** Runs `work` with so many processes, which are gone afterwards, stopped or not. */
const withContenders = async (
  count: number,
  work: (contenders: readonly LockContender[]) => Promise<void>,
): Promise<void> => {
  const contenders = await Promise.all(Array.from({ length: count }, () => LockContender.start(deployment)))
  try {
    await work(contenders)
  } finally {
    await Promise.all(contenders.map((contender) => contender.kill()))
  }
}

// The messages that watch the leases come when those are over, and other files count calls.
afterAll(() => quietOperations(deployed))

describe('contenders in several processes', () => {
  const processCount = 4
  const perProcess = 5

  test('have it one at a time, in the order of their tickets, and lose no update of what it guards', async () => {
    const path = `${prefix}/counter`
    await (await lockstep.write(path, '0')).result()
    const works: GuardedWork[] = []
    await withContenders(processCount, async (contenders) => {
      for (const contender of contenders) contender.order({ kind: 'count', path, times: perProcess })
      for (const contender of contenders) works.push(...(await contender.next('counted')).works)
    })
    expect((await contentAt(deployed, path))?.toString()).toBe(String(processCount * perProcess))
    const inTime = works.toSorted((a, b) => a.enteredAt - b.enteredAt || a.leftAt - b.leftAt)
    const tokens = inTime.map(({ token }) => token)
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b))
    expect(new Set(tokens).size).toBe(processCount * perProcess)
    for (const [index, work] of inTime.entries()) {
      expect(work.enteredAt).toBeGreaterThanOrEqual(inTime[index - 1]?.leftAt ?? 0)
    }
  })

  test('a holder that is killed is followed by the next one within its lease and two seconds', async () => {
    const path = `${prefix}/killed`
    await withContenders(2, async ([killed, next]) => {
      killed?.order({ kind: 'hold', path })
      const before = await killed?.next('held')
      next?.order({ kind: 'hold', path })
      await untilWaiting(path)
      killed?.signal('SIGKILL')
      const killedAt = Date.now()
      const after = await next?.next('held')
      const waitedMs = (after?.at ?? Number.NaN) - killedAt
      console.info(`a killed holder was followed after ${waitedMs} ms (lease ${limits.holdLeaseMs} ms)`)
      expect(waitedMs).toBeLessThanOrEqual(limits.holdLeaseMs + noticeMs)
      expect(after?.token).toBeGreaterThan(before?.token ?? Number.NaN)
      const document = await lockstep.show(before?.hold ?? '')
      expect(document).toMatchObject({ status: 'failed', error: { code: 'LeaseLost' } })
    })
  })

  test('a holder that is paused past its lease is refused, and told so', async () => {
    const path = `${prefix}/paused`
    await withContenders(1, async ([paused]) => {
      paused?.order({ kind: 'hold', path, leaseMs: limits.holdLeaseMinMs })
      const { hold = '' } = (await paused?.next('held')) ?? {}
      paused?.signal('SIGSTOP')
      await lockstep.withLock(path, {}, async ({ hold: own }) => {
        await (await lockstep.write(path, 'of the next holder', { hold: own })).result()
      })
      paused?.signal('SIGCONT')
      paused?.order({ kind: 'append', path, hold })
      expect(await paused?.next('refused')).toEqual({ kind: 'refused', code: 'LeaseLost', aborted: true })
      expect((await contentAt(deployed, path))?.toString()).toBe('of the next holder')
      await expect(lockstep.extend(hold)).rejects.toMatchObject({ code: 'LeaseLost' })
    })
  })

  test('a release wakes the next one in less than 200 ms at the median', async () => {
    const path = `${prefix}/woken`
    const delays: number[] = []
    let holder: Lock = await lockstep.lock(path)
    for (let round = 0; round < 15; round += 1) {
      const waiting = lockstep.lock(path)
      await untilWaiting(path)
      await holder.release()
      const releasedAt = performance.now()
      holder = await waiting
      delays.push(performance.now() - releasedAt)
    }
    await holder.release()
    const [median = 0, worst = 0] = [7, 14].map((place) => delays.toSorted((a, b) => a - b)[place])
    console.info(
      `a release woke the next one after ${median.toFixed(0)} ms (median), ${worst.toFixed(0)} ms (worst)`,
    )
    expect(median).toBeLessThan(200)
  })
})

describe('a lock and operations', () => {
  test('exclude each other, and share if both read', async () => {
    const path = `${prefix}/shared`
    await (await lockstep.write(path, 'x')).result()
    const lock = await lockstep.lock(path, { mode: 'read' })
    expect(await (await lockstep.read(path)).result()).toMatchObject({ body: 'x' })
    const write = await lockstep.write(path, 'y')
    expect(await write.document()).toMatchObject({ status: 'waiting', waiting: { holder: lock.hold } })
    await lock.release()
    await write.result()
  })

  test('named locks of operations wait for whoever holds the name', async () => {
    const lock = await lockstep.lock({ name: prefix })
    const write = await lockstep.write(`${prefix}/named`, 'x', { locks: [{ name: prefix, mode: 'read' }] })
    expect(await write.document()).toMatchObject({
      status: 'waiting',
      locks: [{ name: prefix, mode: 'read' }],
    })
    expect((await lockstep.line({ name: prefix })).waiters).toMatchObject([{ id: write.id, mode: 'read' }])
    await lock.release()
    await write.result()
  })

  test('several paths are held at once, and an operation on all of them runs under the hold', async () => {
    const [from, to] = [`${prefix}/from`, `${prefix}/to`]
    await (await lockstep.write(from, 'moved')).result()
    await lockstep.withLock([from, to], {}, async ({ hold, tokens }) => {
      expect(Object.keys(tokens)).toEqual([from, to])
      await (await lockstep.move(from, to, { hold })).result()
      await expect(lockstep.append(`${prefix}/else`, 'x', { hold })).rejects.toMatchObject({
        code: 'InvalidArgument',
      })
    })
    expect((await contentAt(deployed, to))?.toString()).toBe('moved')
  })
})

describe('lockstep lock', () => {
  const environment = {
    AWS_ENDPOINT_URL: deployment.endpoint,
    AWS_REGION: deployment.region,
    LOCKSTEP_BUCKET: deployment.bucket,
    LOCKSTEP_LINES_TABLE: deployment.linesTable,
    LOCKSTEP_OPERATIONS_TABLE: deployment.operationsTable,
    LOCKSTEP_OPERATIONS_QUEUE_URL: deployment.operationsQueueUrl,
    LOCKSTEP_SHARDS_QUEUE_URL: deployment.shardsQueueUrl,
    LOCKSTEP_REJECTED_QUEUE_URL: deployment.rejectedQueueUrl,
  }
  const run = (words: readonly string[], more: Parameters<typeof runCommand>[1] = {}) =>
    runCommand(words, { environment, ...more })
  const script = (text: string): string[] => [process.execPath, '-e', text]

  test('runs a command while holding, with its token, passes its exit code on, and lets go', async () => {
    const path = `${prefix}/command`
    const print = 'console.log(process.env.LOCKSTEP_HOLD, process.env.LOCKSTEP_TOKEN); process.exit(7)'
    const { stdout, exitCode } = await run(['lock', path, '--name', `${prefix} n`, '--', ...script(print)])
    const [hold = '', token] = stdout.trim().split(' ')
    expect(exitCode).toBe(7)
    const document = await lockstep.show(hold)
    expect(document).toMatchObject({ status: 'succeeded', result: { tokens: { [path]: Number(token) } } })
    expect((await lockstep.line(path)).holders).toEqual([])
  })

  test('passes signals on, and lets go when its command has ended by one', async () => {
    const path = `${prefix}/signalled`
    const isUp = join(temporaryDirectory(), 'up')
    const interrupting = new AbortController()
    const trap = `trap 'exit 5' INT; touch ${isUp}; while :; do sleep 0.05; done`
    const running = run(['lock', path, '--', 'sh', '-c', trap], { interrupt: interrupting.signal })
    await until('the command to run', async () => (existsSync(isUp) ? true : undefined))
    interrupting.abort()
    expect((await running).exitCode).toBe(5)
    expect((await lockstep.line(path)).holders).toEqual([])
  })

  test('ends its command and fails if the lock is broken, which tells by whom and why', async () => {
    const path = `${prefix}/broken`
    const running = run(['lock', path, '--lease', '2s', '--', ...script('setInterval(() => 0, 1000)')])
    const holder = await until('the lock to be held', async () => (await lockstep.line(path)).holders[0])
    const { stdout } = await run(['break', path, '--yes', '--reason', 'a test', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      broken: [{ id: holder.id, error: { details: { reason: 'a test' } } }],
    })
    const { exitCode, stderr } = await running
    expect(exitCode).toBe(1)
    expect(stderr).toContain('was broken by')
  })

  test('gives up after its timeout, with exit code 124', async () => {
    const path = `${prefix}/timeout`
    const lock = await lockstep.lock(path)
    const { exitCode } = await run(['lock', path, '--timeout', '500ms', '--', ...script('0')])
    expect(exitCode).toBe(124)
    expect((await lockstep.line(path)).waiters).toEqual([])
    await lock.release()
  })

  test('break asks first, and does not without a terminal', async () => {
    const lock = await lockstep.lock(`${prefix}/asked`)
    const { exitCode, stderr } = await run(['break', `${prefix}/asked`])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('--yes')
    expect((await lockstep.show(lock.hold)).status).toBe('running')
    await lock.release()
  })
})
