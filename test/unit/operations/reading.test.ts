import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { limits } from '#domain/limits.ts'
import { type Intercept, intercepted, recording } from '#memory/intercept.ts'
import { MemoryObjectStore } from '#memory/memory-object-store.ts'
import { VirtualClock } from '#memory/virtual-clock.ts'
import { kindOf } from '#operations/registry.ts'
import type { Applied } from '#operations/task.ts'
import type { ObjectStore } from '#ports/object-store.ts'
import {
  applied,
  type FakeOptions,
  fail,
  fakeTask,
  MIB,
  memoryObjects,
  observe,
  pattern,
  succeed,
  text,
  tryOnce,
  write,
} from './fake-task.ts'

let objects: MemoryObjectStore

beforeEach(() => {
  objects = memoryObjects()
})

describe.each([
  ['read', {}],
  ['stat', {}],
  ['checksum', { algorithm: 'md5' }],
])('%s', (kindName, more) => {
  it('fails as NotFound if the file does not exist, whatever version was asked for', async () => {
    for (const ifMatch of [undefined, '*', 'abc']) {
      expect(await fail(objects, kindName, { path: 'a', ifMatch, ...more })).toEqual({
        code: 'NotFound',
        message: '"a" does not exist.',
        retryable: false,
        details: { path: 'a' },
      })
    }
  })

  it('reads the version that was asked for, or none', async () => {
    const etag = await objects.write('a', text('x'))
    expect(await succeed(objects, kindName, { path: 'a', ifMatch: etag, ...more })).toMatchObject({ etag })
    expect(await fail(objects, kindName, { path: 'a', ifMatch: 'abc', ...more })).toMatchObject({
      code: 'PreconditionFailed',
      message: `ifMatch: "a" has the ETag ${etag}, expected "abc".`,
    })
  })

  it('names the version in a versioned bucket', async () => {
    objects = new MemoryObjectStore({ clock: new VirtualClock(), versioned: true })
    await write(objects, 'a', text('x'))
    const versionId = (await objects.head('a'))?.versionId
    expect(versionId).toBeTypeOf('string')
    expect(await succeed(objects, kindName, { path: 'a', ...more })).toMatchObject({ versionId })
  })
})

describe.each([
  ['read', {}],
  ['checksum', { algorithm: 'md5' }],
])('%s of a file that changed after it was seen', (kindName, more) => {
  it.each(['replaced', 'removed'])('looks again: %s', async (how) => {
    await objects.write('a', text('one'))
    const kind = kindOf(kindName)
    const task = fakeTask(objects, kind, { path: 'a', ...more })
    const seen = await observe(objects, kind, task.args)
    if (how === 'replaced') await objects.write('a', text('two'))
    else await objects.remove('a')
    expect(await applied(kind, task, seen)).toEqual({ kind: 'changed' })
  })
})

describe('read', () => {
  it.each(['', 'hello\n', 'ü€😀', '\uFEFFmarked'])('gives valid UTF-8 as it is: %j', async (body) => {
    const etag = await objects.write('a', text(body))
    expect(await succeed(objects, 'read', { path: 'a' })).toEqual({ size: text(body).length, etag, body })
  })

  it('gives other bytes in base64', async () => {
    const bytes = Uint8Array.of(0xff, 0x00, 0xc3)
    const etag = await objects.write('a', bytes)
    expect(await succeed(objects, 'read', { path: 'a' })).toEqual({ size: 3, etag, bodyBase64: '/wDD' })
  })

  it('gives content up to 64 KiB, and above it a pinned link without reading', async () => {
    const etag = await objects.write('a', new Uint8Array(limits.readBytes))
    expect(await succeed(objects, 'read', { path: 'a' })).toMatchObject({
      body: '\0'.repeat(limits.readBytes),
      etag,
    })
    const larger = await objects.write('a', new Uint8Array(limits.readBytes + 1))
    const { calls, intercept } = recording()
    const result = await succeed(intercepted<ObjectStore>(objects, 'objects', intercept), 'read', {
      path: 'a',
    })
    expect(result).toEqual({ size: limits.readBytes + 1, etag: larger, link: true })
    expect(calls.map((call) => call.method)).toEqual(['head'])
  })

  it.each([
    [{ start: 2, end: 4 }, { start: 2, end: 4 }, 'cde'],
    [{ start: 0 }, { start: 0, end: 9 }, 'abcdefghij'],
    [{ start: 9 }, { start: 9, end: 9 }, 'j'],
    [{ start: 8, end: 1000 }, { start: 8, end: 9 }, 'ij'],
    [{ start: 0, end: 0 }, { start: 0, end: 0 }, 'a'],
  ])('gives the bytes %j of ten, the last one included', async (range, cut, body) => {
    const etag = await objects.write('a', text('abcdefghij'))
    expect(await succeed(objects, 'read', { path: 'a', range })).toEqual({ size: 10, etag, range: cut, body })
  })

  it('gives a small range of a large file, and a link for a large one', async () => {
    const bytes = new Uint8Array(3 * limits.readBytes).fill(65)
    await objects.write('a', bytes)
    const small = { start: 100, end: 100 + limits.readBytes - 1 }
    expect(await succeed(objects, 'read', { path: 'a', range: small })).toMatchObject({
      size: bytes.length,
      range: small,
      body: 'A'.repeat(limits.readBytes),
    })
    const large = await succeed(objects, 'read', { path: 'a', range: { start: 5 } })
    expect(large).toMatchObject({ range: { start: 5, end: bytes.length - 1 }, link: true })
    expect(large).not.toHaveProperty('body')
  })

  it.each([0, 10])('refuses a range that begins after a file of %i bytes', async (size) => {
    await objects.write('a', new Uint8Array(size))
    expect(await fail(objects, 'read', { path: 'a', range: { start: 10 } })).toMatchObject({
      code: 'InvalidArgument',
      message: `range.start: got 10, expected less than the size of the file, ${size} bytes.`,
    })
  })

  it.each([-1, 1])(
    'takes a stream of a wrong length (%i) for a fault, never for content',
    async (difference) => {
      await objects.write('a', text('abc'))
      const wrong: Intercept = async (call, proceed) => {
        if (call.method !== 'get') return proceed()
        const bytes = [new Uint8Array(3 + difference)]
        return { kind: 'found', etag: '"x"', size: 3, bytes }
      }
      await expect(
        tryOnce(intercepted<ObjectStore>(objects, 'o', wrong), 'read', { path: 'a' }),
      ).rejects.toThrow(/^read of a: /)
    },
  )
})

describe('stat', () => {
  it('tells size, ETag, type, metadata without our marks, and time', async () => {
    await write(objects, 'a', text('abc'), { contentType: 'text/plain', metadata: { n: '1' } })
    expect(await succeed(objects, 'stat', { path: 'a' })).toEqual({
      etag: (await objects.head('a'))?.etag,
      size: 3,
      contentType: 'text/plain',
      metadata: { n: '1' },
      lastModified: '2026-01-01T00:00:00.000Z',
    })
  })
})

describe('checksum', () => {
  /** Of "123456789": the check values of the CRC catalogue; the digests of RFC 1321 and FIPS 180. */
  it.each([
    ['sha256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
    ['md5', '25f9e794323b453885f5181f1b624d0b'],
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
  ])('%s has the known check value', async (algorithm, digest) => {
    const etag = await objects.write('a', text('123456789'))
    expect(await succeed(objects, 'checksum', { path: 'a', algorithm })).toEqual({ digest, etag, size: 9 })
  })

  it.each([
    ['sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['crc32c', '00000000'],
    ['crc64nvme', '0000000000000000'],
  ])('%s of nothing', async (algorithm, digest) => {
    await objects.write('a', new Uint8Array())
    expect(await succeed(objects, 'checksum', { path: 'a', algorithm })).toMatchObject({ digest })
  })

  const sizeOfFile = 33 * MIB + 5

  const stepwise = async (algorithm: string, between: (saved: FakeOptions) => Promise<FakeOptions>) => {
    let options: FakeOptions = { large: true, timeIsUp: () => true }
    const progress: unknown[] = []
    for (let step = 0; step < 10; step += 1) {
      const kind = kindOf('checksum')
      const task = fakeTask(objects, kind, { path: 'a', algorithm }, options)
      const outcome: Applied = await applied(kind, task, await observe(objects, kind, task.args))
      if (outcome.kind !== 'later') return { outcome, progress }
      progress.push(...task.saved.map((saved) => saved.progress?.done))
      options = await between({ ...options, work: task.work })
    }
    throw new Error('checksum does not come to an end')
  }

  it.each(['sha256', 'md5', 'crc32', 'crc32c', 'crc64nvme'])(
    '%s goes on where it stopped',
    async (algorithm) => {
      const bytes = pattern(sizeOfFile)
      await objects.write('a', bytes)
      const whole = await succeed(objects, 'checksum', { path: 'a', algorithm })
      const { outcome, progress } = await stepwise(algorithm, async (options) => options)
      expect(outcome).toEqual({ kind: 'done', result: whole })
      expect(progress).toEqual([32 * MIB])
    },
  )

  it('agrees with node:crypto about a file of several ranges', async () => {
    const bytes = pattern(sizeOfFile)
    await objects.write('a', bytes)
    const digest = createHash('sha256').update(bytes).digest('hex')
    expect(await succeed(objects, 'checksum', { path: 'a', algorithm: 'sha256' })).toMatchObject({ digest })
  })

  it('starts again with the new bytes if the file changed between two steps', async () => {
    await objects.write('a', pattern(sizeOfFile))
    const other = pattern(sizeOfFile, 2)
    let steps = 0
    const { outcome } = await stepwise('md5', async (options) => {
      steps += 1
      if (steps === 1) await objects.write('a', other)
      return options
    })
    expect(outcome).toMatchObject({ result: { digest: createHash('md5').update(other).digest('hex') } })
    expect(steps).toBe(2)
  })

  it('starts again if another build of hash-wasm saved the state', async () => {
    const etag = await objects.write('a', text('123456789'))
    const checkpoint = { offset: 5, etag, state: Buffer.alloc(12, 7).toString('base64') }
    const options = { work: { checkpoint } }
    expect(await succeed(objects, 'checksum', { path: 'a', algorithm: 'crc32' }, options)).toMatchObject({
      digest: 'cbf43926',
    })
  })

  it('hands a large file over to the shards function before it reads a byte', async () => {
    const large: Intercept = async (call, proceed) => {
      const answer = await proceed()
      return call.method === 'head' ? { ...(answer as object), size: limits.smallWorkBytes + 1 } : answer
    }
    await objects.write('a', text('x'))
    const { calls, intercept } = recording()
    const store = intercepted<ObjectStore>(
      intercepted<ObjectStore>(objects, 'o', large),
      'objects',
      intercept,
    )
    expect(await tryOnce(store, 'checksum', { path: 'a', algorithm: 'md5' })).toEqual({ kind: 'later' })
    expect(calls.map((call) => call.method)).toEqual(['head'])
  })

  it('takes a stream that ends early for a fault', async () => {
    await objects.write('a', text('abc'))
    const short: Intercept = async (call, proceed) =>
      call.method === 'get' ? { kind: 'found', etag: '"x"', size: 3, bytes: [new Uint8Array(2)] } : proceed()
    const store = intercepted<ObjectStore>(objects, 'objects', short)
    await expect(tryOnce(store, 'checksum', { path: 'a', algorithm: 'md5' })).rejects.toThrow(/2 bytes of 3$/)
  })
})
