import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { acquireLock, type LockHolder, lockHolder } from '#cli/local/lock.ts'
import { ownIdentity } from '#cli/local/processes.ts'
import { temporaryDirectory } from '#test/support/environment-directory.ts'

let directory: string

beforeEach(() => {
  directory = join(temporaryDirectory(), 'lock')
})

const claimOf = (holder: LockHolder) => {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `${holder.pid}-of-a-test.claim`), JSON.stringify(holder))
}

const options = { purpose: 'test', deadlineMs: 10_000 }

describe('the lock', () => {
  test('is held by one at a time, however many ask at once', async () => {
    let inside = 0
    let most = 0
    const work = async () => {
      const lock = await acquireLock(directory, options)
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
      lock.release()
    }
    await Promise.all(Array.from({ length: 8 }, work))
    expect(most).toBe(1)
    expect(readdirSync(directory)).toEqual([])
  })

  test('says who holds it and for what, to those who ask and to those who wait', async () => {
    const lock = await acquireLock(directory, { ...options, purpose: 'start' })
    expect(await lockHolder(directory)).toMatchObject({ pid: process.pid, purpose: 'start' })
    const told: LockHolder[] = []
    const onWait = (holder: LockHolder) => {
      told.push(holder)
      lock.release()
    }
    const second = await acquireLock(directory, { ...options, onWait })
    expect(told).toMatchObject([{ pid: process.pid, purpose: 'start' }])
    second.release()
    expect(await lockHolder(directory)).toBeUndefined()
  })

  test('a claim of a process that died is no obstacle', async () => {
    claimOf({ pid: 2 ** 30, startedAt: 'never', purpose: 'start' })
    const lock = await acquireLock(directory, options)
    lock.release()
    expect(readdirSync(directory)).toEqual([])
  })

  test('a claim whose pid another process got since is no obstacle', async () => {
    claimOf({ pid: process.pid, startedAt: 'at some other time', purpose: 'start' })
    const lock = await acquireLock(directory, options)
    lock.release()
    expect(readdirSync(directory)).toEqual([])
  })

  test('a waiter gives up at its deadline, saying what it waited for', async () => {
    claimOf({ ...(await ownIdentity()), purpose: 'start' })
    await expect(acquireLock(directory, { ...options, deadlineMs: 0 })).rejects.toMatchObject({
      code: 'TimedOut',
      message: expect.stringContaining(directory) as string,
    })
    expect(readdirSync(directory)).toHaveLength(1)
  })

  test('a waiter gives up when it is told to', async () => {
    const stop = new AbortController()
    claimOf({ ...(await ownIdentity()), purpose: 'start' })
    const waiting = acquireLock(directory, {
      ...options,
      signal: stop.signal,
      onWait: () => stop.abort(new Error('Ctrl-C')),
    })
    await expect(waiting).rejects.toThrow(/Ctrl-C|aborted/)
    expect(readdirSync(directory)).toHaveLength(1)
  })

  test('a directory that is not there is held by nobody, and looking does not make it', async () => {
    expect(await lockHolder(directory)).toBeUndefined()
    expect(existsSync(directory)).toBe(false)
  })
})
