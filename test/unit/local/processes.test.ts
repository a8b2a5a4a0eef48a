import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'

import {
  endMarked,
  endProcess,
  findProcess,
  isAlive,
  listProcesses,
  ownIdentity,
  parsePs,
  parseStat,
} from '#cli/local/processes.ts'

const started: ChildProcess[] = []

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

/** A process that lives until it is told to end, and says when it is ready to be told. */
async function start(program = '', ...more: string[]): Promise<ChildProcess & { pid: number }> {
  const forever = 'setInterval(() => {}, 2 ** 30); process.stdout.write("ready")'
  const child = spawn(process.execPath, ['-e', `${program};${forever}`, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  started.push(child)
  await once(child.stdout, 'data')
  if (child.pid === undefined) throw new Error('The child has no pid.')
  return child as ChildProcess & { pid: number }
}

async function identityOf(pid: number) {
  const found = await findProcess(pid)
  if (found === undefined) throw new Error(`Process ${pid} is not there.`)
  return found
}

describe('processes', () => {
  test('this process is in the list, once, with its parent and its command', async () => {
    const own = (await listProcesses()).filter(({ pid }) => pid === process.pid)
    expect(own).toHaveLength(1)
    expect(own[0]?.parentPid).toBe(process.ppid)
    expect(own[0]).toMatchObject(await ownIdentity())
  })

  test('a process is alive until it ends', async () => {
    const child = await start()
    const identity = await identityOf(child.pid)
    expect(await isAlive(identity)).toBe(true)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await isAlive(identity)).toBe(false)
  })

  test('another process with the same pid is not the one that was meant, and is left alone', async () => {
    const child = await start()
    const earlier = { pid: child.pid, startedAt: 'before it was recycled' }
    expect(await isAlive(earlier)).toBe(false)
    await endProcess(earlier, 0)
    expect(child.exitCode ?? child.signalCode).toBeNull()
    expect(await isAlive(await identityOf(child.pid))).toBe(true)
  })

  test('a process that ends when asked is not killed', async () => {
    const child = await start('process.on("SIGTERM", () => process.exit(7))')
    const exit = once(child, 'exit')
    await endProcess(await identityOf(child.pid), 10_000)
    expect(await exit).toEqual([7, null])
  })

  test('a process that does not end when asked is killed', async () => {
    const child = await start('process.on("SIGTERM", () => {})')
    const exit = once(child, 'exit')
    await endProcess(await identityOf(child.pid), 0)
    expect(await exit).toEqual([null, 'SIGKILL'])
  })

  test('leftovers are found by the mark on their command line, and only they are ended', async () => {
    const mark = `mark-of-test-${process.pid}-a`
    const [marked, other] = [await start('', mark), await start('', `mark-of-test-${process.pid}-b`)]
    const exit = once(marked, 'exit')
    await endMarked(mark, 10_000)
    expect(await exit).toEqual([null, 'SIGTERM'])
    expect(await isAlive(await identityOf(other.pid))).toBe(true)
  })
})

describe('parseStat', () => {
  const stat = (name: string, state: string) =>
    `4242 (${name}) ${state} 17 4242 4242 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 7 0 998877 1000 200`

  test('reads the parent and the start time behind a name with brackets and spaces', () => {
    expect(parseStat(stat('tmux: (server) 1', 'S'))).toEqual({ parentPid: 17, startTicks: '998877' })
  })

  test('a zombie is dead', () => {
    expect(parseStat(stat('node', 'Z'))).toBeUndefined()
  })
})

describe('parsePs', () => {
  test('reads what ps prints on macOS', () => {
    const output = [
      '    1     0 Ss   Mon Nov 23 08:18:00 2026     /sbin/launchd',
      '  501     1 S+   Tue Nov 24 08:18:09 2026     node /a b/ministack-lambda-Worker-abcd1234/_worker.js',
      '  502   501 Z    Tue Nov 24 08:18:10 2026     (node)',
      '',
    ].join('\n')
    expect(parsePs(output)).toEqual([
      { pid: 1, parentPid: 0, startedAt: 'Mon Nov 23 08:18:00 2026', command: '/sbin/launchd' },
      {
        pid: 501,
        parentPid: 1,
        startedAt: 'Tue Nov 24 08:18:09 2026',
        command: 'node /a b/ministack-lambda-Worker-abcd1234/_worker.js',
      },
    ])
  })
})
