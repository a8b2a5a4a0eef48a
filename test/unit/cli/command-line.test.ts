import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandNames } from '#cli/command-table.ts'
import { runCommand } from '#test/support/command.ts'
import { temporaryDirectory } from '#test/support/environment-directory.ts'

/** Nobody listens at port 1. */
const nowhere = ['--endpoint', 'http://127.0.0.1:1']
const id = '01JD3K0Z8Q4V0J6S1W9X2Y3Z4A'

describe('help', () => {
  test('shows examples first, then every command', async () => {
    const { stdout, stderr, exitCode } = await runCommand(['--help'])
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
    expect(stdout).toMatch(/^Examples:\n {2}lockstep /)
    for (const name of commandNames) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'))
  })

  test.each(commandNames)('of %s shows examples of it first', async (name) => {
    const { stdout, exitCode } = await runCommand([name, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^Examples:\n/)
    expect(stdout.slice(0, stdout.indexOf('Usage:'))).toContain(`lockstep ${name}`)
  })

  test('instead of a missing command goes to standard error', async () => {
    expect(await runCommand([])).toMatchObject({ stdout: '', exitCode: 2 })
  })

  test('and version come from the package', async () => {
    expect(await runCommand(['--version'])).toMatchObject({ stdout: '0.1.0\n', exitCode: 0 })
  })
})

describe('bad usage', () => {
  test.each([
    [['wirte', 'a'], "Unknown command 'wirte'. Did you mean write?"],
    [['write', 'a', '--jsn'], "Unknown option '--jsn'. Did you mean --json?"],
    [['copy', 'a'], "Missing required argument 'TO'."],
    [['show', id, 'b'], 'Too many arguments'],
    [['wait', id, '--timeout', '30'], '--timeout: got "30", expected a duration'],
    [['write', 'a', '/nowhere', ...nowhere], 'FILE: got "/nowhere", which cannot be read (ENOENT'],
    [['write', 'a', '/tmp', ...nowhere], 'expected a file, and this is a directory'],
    [['list', '--status', 'done'], '--status: got "done", expected one of waiting,'],
    [['put', 'a', 'b', 'c'], 'expected a folder'],
    [['read', 'a', '--range', 'x'], '--range: got "x"'],
    [['concat', 'a', ...nowhere], 'expected at least one source'],
    [['local', 'sideways'], "Unknown command 'sideways'"],
  ])('%j exits 2 with a sentence that says what to do', async (words, sentence) => {
    const { stdout, stderr, exitCode } = await runCommand(words)
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 })
    expect(stderr).toContain(`error: `)
    expect(stderr).toContain(sentence)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test('with --json is one JSON document on standard output as well', async () => {
    const { stdout, exitCode } = await runCommand(['wirte', '--json'])
    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'InvalidArgument', retryable: false } })
  })

  test('in one line of a manifest submits nothing', async () => {
    const manifest = join(temporaryDirectory(), 'manifest.jsonl')
    writeFileSync(manifest, '{"kind":"delete","path":"a"}\n{"kind":"delete","path":"/b"}\n')
    const { stdout, stderr, exitCode } = await runCommand(['run', manifest, '--json', ...nowhere])
    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({
      error: { details: { lines: [{ line: 2, details: { field: 'path' } }] } },
    })
    expect(stderr).toContain('line 2: path: got "/b"')
  })
})

describe('a deployment that is not there', () => {
  test.each([
    ['write', 'a', '-'],
    ['append', 'a', '-'],
    ['read', 'a'],
    ['stat', 'a'],
    ['copy', 'a', 'b'],
    ['move', 'a', 'b'],
    ['delete', 'a'],
    ['concat', 'a', 'b', 'c'],
    ['checksum', 'a'],
    ['get', 'a', 'b'],
    ['show', id],
    ['wait', id],
    ['cancel', id],
    ['line', 'a'],
    ['lines'],
    ['list'],
    ['ls'],
  ])('exits 3 with one JSON document: %s', async (...words) => {
    const { stdout, stderr, exitCode } = await runCommand([...words, '--json', ...nowhere], { input: 'x' })
    expect(exitCode).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'Unreachable', retryable: true } })
    expect(stderr).toContain('http://127.0.0.1:1')
  })

  test('is diagnosed by the doctor', async () => {
    const { stdout, exitCode } = await runCommand(['doctor', '--json', ...nowhere])
    expect(exitCode).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, checks: [{ name: 'deployment', state: 'failed' }] })
  })
})
