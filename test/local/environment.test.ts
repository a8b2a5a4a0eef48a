import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { saveDeployment } from '#cli/local/deployment.ts'
import { type Emulator, findRunning } from '#cli/local/emulator.ts'
import { LocalEnvironment, type LocalOptions } from '#cli/local/environment.ts'
import { fingerprintSources } from '#cli/local/fingerprint.ts'
import { localCredentials, localRegion } from '#cli/local/network.ts'
import { checkoutDirectory } from '#cli/local/paths.ts'
import { isAlive, type ProcessIdentity } from '#cli/local/processes.ts'
import { waitFor } from '#cli/local/wait.ts'

const anyDeployment = {
  endpoint: '',
  region: localRegion,
  bucket: 'kept',
  linesTable: '',
  operationsTable: '',
  operationsQueueUrl: '',
  shardsQueueUrl: '',
  uploadsQueueUrl: '',
  rejectedQueueUrl: '',
  fingerprint: '',
}

let directory: string
let environment: LocalEnvironment
let progress: string[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lockstep-local-'))
  progress = []
  environment = environmentWith({})
})

afterEach(async () => {
  await environment.reset()
  rmSync(directory, { recursive: true, force: true })
})

function environmentWith(options: LocalOptions): LocalEnvironment {
  return new LocalEnvironment({
    directory,
    lifeline: true,
    onProgress: (line) => progress.push(line),
    ...options,
  })
}

function connect(emulator: Pick<Emulator, 'endpoint'>): S3Client {
  const { endpoint } = emulator
  return new S3Client({ endpoint, region: localRegion, credentials: localCredentials, forcePathStyle: true })
}

async function store(emulator: Emulator, body: string): Promise<void> {
  await connect(emulator).send(new CreateBucketCommand({ Bucket: 'kept' }))
  await connect(emulator).send(new PutObjectCommand({ Bucket: 'kept', Key: 'file', Body: body }))
}

async function load(emulator: Emulator): Promise<string | undefined> {
  const { Body } = await connect(emulator).send(new GetObjectCommand({ Bucket: 'kept', Key: 'file' }))
  return Body?.transformToString()
}

async function kill(emulator: Emulator): Promise<void> {
  process.kill(emulator.pid, 'SIGKILL')
  await ended(emulator)
}

async function ended(identity: ProcessIdentity): Promise<void> {
  const wait = { what: `process ${identity.pid} to end`, deadlineMs: 20_000, remedy: 'look at it' }
  await waitFor(async () => ((await isAlive(identity)) ? undefined : true), wait)
}

describe('the local environment', () => {
  test('that was never up is down, and going down is nothing', async () => {
    expect(await environment.status()).toEqual({
      state: 'down',
      endpoint: null,
      region: null,
      bucket: null,
      url: null,
      queueUrl: null,
      emulatorPid: null,
    })
    await environment.down()
  })

  test('with an emulator and no stacks is half-started', async () => {
    const { pid, endpoint } = await environment.upWithoutStacks()
    expect(await environment.status()).toMatchObject({
      state: 'half-started',
      endpoint,
      emulatorPid: pid,
      bucket: null,
    })
  })

  test('ends its process when it goes down', async () => {
    const emulator = await environment.upWithoutStacks()
    await environment.down()
    expect(await isAlive(emulator)).toBe(false)
    expect(await environment.status()).toMatchObject({ state: 'down', emulatorPid: null })
  })

  test('is started once by several that start it at once', async () => {
    const started = await Promise.all([1, 2, 3].map(() => environmentWith({}).upWithoutStacks()))
    expect(new Set(started.map(({ pid }) => pid)).size).toBe(1)
    expect(progress.filter((line) => line === 'Starting the emulator')).toHaveLength(1)
  })

  test('finds its emulator although the record of it is lost, and starts in its place', async () => {
    const lost = await environment.upWithoutStacks()
    rmSync(environment.paths.emulatorFile)
    const found = await environment.upWithoutStacks()
    expect(found.pid).not.toBe(lost.pid)
    expect(await isAlive(lost)).toBe(false)
  })

  test('takes a record of a process that has another start time for stale', async () => {
    const emulator = await environment.upWithoutStacks()
    await kill(emulator)
    expect(await findRunning(environment.paths)).toBeUndefined()
    expect((await environment.upWithoutStacks()).pid).not.toBe(emulator.pid)
  })

  test('replaces an emulator that does not answer as the one that was started', async () => {
    const first = await environment.upWithoutStacks()
    const { emulatorFile } = environment.paths
    writeFileSync(emulatorFile, JSON.stringify({ ...first, token: 'of another' }))
    const second = await environment.upWithoutStacks()
    expect(second.pid).not.toBe(first.pid)
    expect(await isAlive(first)).toBe(false)
  })

  test('ends with the process that started it, even by SIGKILL', async () => {
    const script = `
      import { LocalEnvironment } from '#cli/local/environment.ts'
      await new LocalEnvironment({ directory: process.argv[1], lifeline: true }).upWithoutStacks()
      process.kill(process.pid, 'SIGKILL')`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, directory], {
      stdio: 'inherit',
    })
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    const emulator = JSON.parse(readFileSync(environment.paths.emulatorFile, 'utf8')) as Emulator
    await ended(emulator)
  })
})

describe('what is stored in the local environment', () => {
  beforeEach(() => {
    environment = environmentWith({ app: 'node test/support/environment-small-app.ts' })
  })

  test('stays when it goes down and up again, at the same endpoint, and goes when it is reset', async () => {
    const sources = fingerprintSources(checkoutDirectory)
    const { endpoint, bucket } = await environment.up()
    const emulator = await environment.upWithoutStacks()
    await store(emulator, 'kept')
    await environment.down()
    progress.length = 0
    expect(await environment.up()).toMatchObject({ endpoint, bucket })
    // Someone may be editing the checkout meanwhile; then it is deployed again, as it should be.
    if (fingerprintSources(checkoutDirectory) === sources) expect(progress).toEqual(['Starting the emulator'])
    expect(await load(emulator)).toBe('kept')
    expect(await environment.status()).toMatchObject({ state: 'up', endpoint, bucket })

    await environment.reset()
    expect(existsSync(environment.paths.state)).toBe(false)
    expect(await environment.status()).toMatchObject({ state: 'down', bucket: null })
  })

  test('is not lost to a program that took its port', async () => {
    const { endpoint } = await environment.up()
    const { port } = await environment.upWithoutStacks()
    await environment.down()
    const intruder = createServer()
    await new Promise<void>((resolve) => intruder.listen(port, '127.0.0.1', resolve))
    await expect(environment.up()).rejects.toMatchObject({ code: 'EndpointChanged' })
    await new Promise((resolve) => intruder.close(resolve))
    expect(await environment.up()).toMatchObject({ endpoint })
  })

  test('is not used after a crash of the emulator, which saves only at its end', async () => {
    const emulator = await environment.upWithoutStacks()
    await store(emulator, 'lost')
    // Only what was deployed is kept: this stands for a deployment.
    saveDeployment(environment.paths, { ...anyDeployment, emulatorPid: emulator.pid })
    await kill(emulator)
    progress.length = 0
    const next = await environment.upWithoutStacks()
    expect(progress.join()).toContain('it starts empty')
    await expect(load(next)).rejects.toThrow(/bucket/i)
  })
})
