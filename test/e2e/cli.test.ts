import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, test } from 'vitest'
import type { OperationDocument } from '#client/index.ts'
import { type Ran, type RunOptions, runCommand } from '../support/command.ts'
import { connectTo, contentAt, ownPrefix, sizeAt, until } from '../support/deployed.ts'
import { holdLine } from '../support/held-line.ts'

const deployment = inject('deployment')
const deployed = connectTo(deployment)
const prefix = ownPrefix('cli')
const directory = mkdtempSync(join(tmpdir(), 'lockstep-cli-'))

/** The deployment as its variables name it: there is another one, in `.local`, that must not be found. */
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

const lockstep = (words: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  runCommand(words, { directory, ...options, environment: { ...environment, ...options.environment } })

/** The one JSON document that a command prints, which must succeed. */
const jsonOf = async (words: readonly string[], options: RunOptions = {}): Promise<OperationDocument> => {
  const { stdout, stderr, exitCode } = await lockstep([...words, '--json'], options)
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  return JSON.parse(stdout) as OperationDocument
}

/** One JSON document a line. */
const jsonLines = (text: string): Record<string, unknown>[] =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))

const local = (name: string, content: string | Uint8Array): string => {
  const file = join(directory, name)
  writeFileSync(file, content)
  return file
}

const path = (name: string): string => `${prefix}/${name}`

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('the commands', () => {
  test('write, append and read a file, from a file and from a pipe', async () => {
    const file = local('hello.txt', 'hello ')
    const words = ['--wait', '--content-type', 'text/plain', '--metadata', 'who=me', '--metadata', 'x=1=2']
    const written = await jsonOf(['write', path('a'), file, ...words])
    expect(written).toMatchObject({ kind: 'write', status: 'succeeded', result: { size: 6 } })
    const appended = await lockstep(['append', path('a')], { input: 'world\n' })
    expect(appended).toMatchObject({
      stdout: expect.stringMatching(/^[0-9A-Z]{26}\n$/) as string,
      exitCode: 0,
    })
    expect(await lockstep(['read', path('a')])).toMatchObject({
      stdout: 'hello world\n',
      stderr: '',
      exitCode: 0,
    })
    expect(await jsonOf(['read', path('a'), '--range', '6-10'])).toMatchObject({
      result: { body: 'world', size: 12 },
    })
    expect(await jsonOf(['stat', path('a')])).toMatchObject({
      result: { size: 12, contentType: 'text/plain', metadata: { who: 'me', x: '1=2' } },
    })
    expect(await jsonOf(['wait', appended.stdout.trim()])).toMatchObject({ result: { offset: 6, size: 12 } })
    expect(await jsonOf(['show', appended.stdout.trim()])).toMatchObject({
      kind: 'append',
      status: 'succeeded',
    })
  })

  test('copy, move, concat, checksum and delete', async () => {
    await jsonOf(['write', path('b'), '-', '--wait'], { input: 'abc' })
    expect(await jsonOf(['copy', path('b'), path('c'), '--wait'])).toMatchObject({ result: { size: 3 } })
    expect(await jsonOf(['move', path('c'), path('d'), '--wait'])).toMatchObject({ result: { size: 3 } })
    expect(await jsonOf(['concat', path('b'), path('d'), path('e'), '--wait'])).toMatchObject({
      result: { size: 6 },
    })
    expect(await lockstep(['checksum', path('e'), '--algorithm', 'md5'])).toMatchObject({
      stdout: `440ac85892ca43ad26d44c7ad9d47d3e  ${path('e')}\n`,
      exitCode: 0,
    })
    expect(await jsonOf(['delete', path('e'), '--wait'])).toMatchObject({ result: { existed: true } })
    expect(await jsonOf(['delete', path('e'), '--wait'])).toMatchObject({ result: { existed: false } })
    const { stdout } = await lockstep(['ls', `${prefix}/`, '--json'])
    expect(jsonLines(stdout).map((entry) => entry['path'])).toEqual([path('a'), path('b'), path('d')])
    expect(await contentAt(deployed, path('c'))).toBeUndefined()
  })

  test('exit 1 if the operation failed, with the reason on standard error', async () => {
    const absent = await lockstep(['read', path('nowhere')])
    expect(absent).toMatchObject({ stdout: '', exitCode: 1 })
    expect(absent.stderr).toMatch(/^read [0-9A-Z]{26} failed: NotFound: /)
    const condition = ['write', path('a'), '-', '--if-none-match', '*', '--wait', '--json']
    const refused = await lockstep(condition, { input: 'x' })
    expect(refused.exitCode).toBe(1)
    expect(JSON.parse(refused.stdout)).toMatchObject({
      status: 'failed',
      error: { code: 'PreconditionFailed' },
    })
    const unknown = await lockstep(['show', '01JD3K0Z8Q4V0J6S1W9X2Y3Z4A', '--json'])
    expect(unknown.exitCode).toBe(1)
    expect(JSON.parse(unknown.stdout)).toMatchObject({ error: { code: 'NotFound' } })
  })

  test('run the same id once, also with large content', async () => {
    const file = local('large.bin', randomBytes(100_000))
    for (const words of [
      ['append', path('once'), '-', '--id', `${prefix}-1`],
      ['append', path('once'), file, '--id', `${prefix}-2`],
    ]) {
      const first = await jsonOf([...words, '--wait'], { input: 'once' })
      expect(await jsonOf([...words, '--wait'], { input: 'once' })).toEqual(first)
    }
    expect(await sizeAt(deployed, path('once'))).toBe(100_004)
    const other = await lockstep(['append', path('once'), '-', '--id', `${prefix}-1`, '--json'], {
      input: 'twice',
    })
    expect(other.exitCode).toBe(1)
    expect(JSON.parse(other.stdout)).toMatchObject({ error: { code: 'Conflict' } })
  })

  test('run a manifest in its order, with a row per line', async () => {
    const lines = [
      { kind: 'write', path: path('m'), body: '0' },
      ...Array.from({ length: 20 }, (_, index) => ({
        kind: 'append',
        path: path('m'),
        body: ` ${index + 1}`,
      })),
      { kind: 'copy', from: path('nowhere'), to: path('n') },
      { kind: 'copy', from: path('m'), to: path('n') },
    ]
    const input = lines.map((line) => JSON.stringify(line)).join('\n')
    const { stdout, exitCode } = await lockstep(['run', '-', '--wait', '--json'], { input })
    expect(exitCode).toBe(1)
    const rows = jsonLines(stdout)
    expect(rows.map((row) => row['line'])).toEqual(lines.map((_, index) => index + 1))
    expect(rows.map((row) => row['status'])).toEqual(
      lines.map((_, index) => (index === 21 ? 'failed' : 'succeeded')),
    )
    const expected = Array.from({ length: 21 }, (_, index) => String(index)).join(' ')
    expect((await contentAt(deployed, path('n')))?.toString()).toBe(expected)
  })

  test('put several files into a folder, and get them back', async () => {
    const files = [local('one.txt', 'one'), local('two.bin', randomBytes(200_000))]
    const { stdout, exitCode } = await lockstep(['put', ...files, path('in/'), '--wait', '--json'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      operations: [{ status: 'succeeded' }, { status: 'succeeded' }],
    })
    expect(await lockstep(['get', path('in/two.bin'), 'back.bin'])).toMatchObject({ stdout: '', exitCode: 0 })
    expect(readFileSync(join(directory, 'back.bin')).equals(readFileSync(files[1] ?? ''))).toBe(true)
    expect(await lockstep(['get', path('in/one.txt'), '-'])).toMatchObject({ stdout: 'one' })
  })

  test('find nothing wrong with the deployment', async () => {
    const { stdout, exitCode } = await lockstep(['doctor', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ ok: true })
    expect(exitCode).toBe(0)
  })
})

describe('a file that somebody holds', () => {
  test('shows who holds it and who waits, and is let go of', async () => {
    const held = path('held')
    const holder = await holdLine(deployed.ports, held)
    const waiting = await jsonOf(['append', held, '-'], { input: 'x' })
    expect(waiting).toMatchObject({ status: 'waiting' })

    expect(await jsonOf(['line', held])).toMatchObject({
      holders: [{ id: holder.id }],
      waiters: [{ id: waiting.id }],
    })
    expect((await lockstep(['line', held])).stdout).toMatch(
      new RegExp(`holds .*${holder.id}\nwaits .* write +append +waiting +${waiting.id}\n$`),
    )
    const lines = (await jsonOf(['lines'])) as unknown as { lines: { path: string }[] }
    expect(lines.lines.map((line) => line.path)).toContain(held)
    expect(await jsonOf(['show', waiting.id])).toMatchObject({
      waiting: { path: held, position: 1, holder: holder.id },
    })
    const listed = await lockstep(['list', '--path', held, '--status', 'waiting', '--json'])
    expect(jsonLines(listed.stdout).map((row) => row['id'])).toEqual(
      expect.arrayContaining([waiting.id, holder.id]),
    )

    const late = await lockstep(['wait', waiting.id, '--timeout', '300ms', '--json'])
    expect(late.exitCode).toBe(124)
    expect(JSON.parse(late.stdout)).toMatchObject({ error: { code: 'Timeout', details: { id: waiting.id } } })

    const second = await jsonOf(['append', held, '-'], { input: 'y' })
    expect(await jsonOf(['cancel', second.id])).toMatchObject({ status: 'cancelled' })
    await holder.release()
    expect(await jsonOf(['wait', waiting.id, '--timeout', '60s'])).toMatchObject({ result: { size: 1 } })
    expect(await lockstep(['wait', second.id])).toMatchObject({ exitCode: 1 })
  })

  test('is waited for until Ctrl-C, which says how to go on', async () => {
    const held = path('interrupted')
    const holder = await holdLine(deployed.ports, held)
    const stop = new AbortController()
    const running = lockstep(['append', held, '-', '--wait'], { input: 'x', interrupt: stop.signal })
    const { id } = await until(
      'the operation to wait',
      async () => (await deployed.lockstep.line(held)).waiters[0],
    )
    // Seen by us before its answer has reached the command: that takes a moment more.
    for (let looks = 0; looks < 20; looks += 1) await deployed.lockstep.show(id)
    stop.abort()
    const { stdout, stderr, exitCode } = await running
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 130 })
    expect(stderr).toContain(`\`lockstep wait ${id}\``)
    await holder.release()
    expect(await jsonOf(['wait', id, '--timeout', '60s'])).toMatchObject({ status: 'succeeded' })
  })

  test('is not written by an upload that Ctrl-C ends, and nothing is left of that', async () => {
    const name = path('abandoned')
    const stop = new AbortController()
    const input = randomBytes(20 * 1024 * 1024)
    const running = lockstep(['put', '-', name], { input, keepInputOpen: true, interrupt: stop.signal })
    await until('the upload', async () => (await deployed.ports.objects.uploads(name))[0])
    stop.abort()
    expect(await running).toMatchObject({ stdout: '', exitCode: 130 })
    expect(await deployed.ports.objects.uploads(name)).toEqual([])
  })
})

/** Prints the largest memory that the process ever had, in KiB. */
const memoryHook = `data:text/javascript,${encodeURIComponent(
  'process.on("exit", () => console.error("maxrss", process.resourceUsage().maxRSS))',
)}`

const peakMibOf = ({ stderr }: Ran): number => Number(/maxrss (\d+)/.exec(stderr)?.[1]) / 1024

describe('a file of 1 GiB', () => {
  const gib = 1024 ** 3
  const environmentOfHook = { NODE_OPTIONS: `--import=${memoryHook}` }

  test('is put in less than 200 MB of memory, and got in bounded memory', { timeout: 300_000 }, async () => {
    const file = local('large.bin', randomBytes(1_000_000))
    truncateSync(file, gib)
    const put = await lockstep(['put', file, path('large'), '--wait'], { environment: environmentOfHook })
    expect(put.exitCode).toBe(0)
    expect(await sizeAt(deployed, path('large'))).toBe(gib)
    const got = await lockstep(['get', path('large'), 'got.bin'], { environment: environmentOfHook })
    expect(got.exitCode).toBe(0)
    expect(statSync(join(directory, 'got.bin')).size).toBe(gib)
    console.log(`put: ${peakMibOf(put).toFixed(0)} MiB, get: ${peakMibOf(got).toFixed(0)} MiB at most`)
    expect(peakMibOf(put)).toBeLessThan(200)
    expect(peakMibOf(got)).toBeLessThan(300)
    await jsonOf(['delete', path('large'), '--wait'])
  })
})
