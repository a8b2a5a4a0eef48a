import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Lockstep } from '#client/index.ts'
import type { Intercept } from '#memory/intercept.ts'
import { PortFault } from '#ports/faults.ts'
import type { GetOutcome } from '#ports/object-store.ts'
import { collect } from '#test/support/collect.ts'
import { temporaryDirectory } from '#test/support/environment-directory.ts'
import { Stage } from '#test/support/stage.ts'

const MIB = 1024 * 1024
const large = Buffer.from(Array.from({ length: 25 * MIB }, (_, index) => index % 251)).toString('latin1')

/** Reads as the client does, while the deployment lives. */
const connect = async (content: string, intercept?: Intercept) => {
  const stage = new Stage()
  await stage.world.objects.write('file', Buffer.from(content, 'latin1'))
  return {
    stage,
    lockstep: new Lockstep({ ports: stage.process(intercept) }),
    directory: temporaryDirectory(),
  }
}

/** Delivers the messages while `work` waits for what they do. */
const living = async <T>(stage: Stage, work: Promise<T>): Promise<T> => {
  let isOver = false
  const end = (): void => {
    isOver = true
  }
  work.then(end, end)
  while (!isOver) {
    await stage.deliverAll()
    await stage.pass(100)
  }
  return work
}

describe('a read', () => {
  test('gives small content itself, as text if it is text', async () => {
    const { stage, lockstep } = await connect('hello')
    const operation = await lockstep.read('file')
    const ranged = await lockstep.read('file', { range: { start: 1, end: 2 } })
    await stage.deliverAll()
    expect(await operation.result()).toMatchObject({ body: 'hello', size: 5 })
    expect(await ranged.result()).toMatchObject({ body: 'el', size: 5, range: { start: 1, end: 2 } })
  })

  test('gives a link to larger content, signed for whoever asks, and pinned', async () => {
    const { stage, lockstep } = await connect('x'.repeat(70_000))
    const operation = await lockstep.read('file')
    const ranged = await lockstep.read('file', { range: { start: 1 } })
    await stage.deliverAll()
    const result = await operation.result()
    expect(result).toMatchObject({ size: 70_000, url: expect.any(String) as string })
    expect(result).not.toHaveProperty('link')
    expect(stage.record(operation.id).result).not.toHaveProperty('url')
    expect(await lockstep.show(operation.id)).toMatchObject({ result: { url: result.url } })
    expect((await ranged.result()).headers).toMatchObject({ range: 'bytes=1-69999' })
  })
})

describe('get', () => {
  test.each([
    ['nothing', ''],
    ['a few bytes', 'hello'],
    ['many ranges', large],
  ])('writes a file of %s, whole', async (_what, content) => {
    const { stage, lockstep, directory } = await connect(content)
    const file = join(directory, 'out')
    const received: number[] = []
    const result = await living(
      stage,
      lockstep.get('file', file, { onReceived: (bytes) => received.push(bytes) }),
    )
    expect(result.size).toBe(content.length)
    expect(readFileSync(file, 'latin1') === content).toBe(true)
    expect(readdirSync(directory)).toEqual(['out'])
    if (content === large) expect(received.at(-1)).toBe(content.length)
  })

  test('of a part of the file writes just that', async () => {
    const { stage, lockstep, directory } = await connect(large)
    const file = join(directory, 'out')
    await living(stage, lockstep.get('file', file, { range: { start: 1000, end: 20 * MIB } }))
    expect(readFileSync(file, 'latin1') === large.slice(1000, 20 * MIB + 1)).toBe(true)
  })

  test('fails if the file changes meanwhile, and leaves what was there', async () => {
    let gets = 0
    const changing: Intercept = async (call, proceed) => {
      if (call.method === 'get' && call.port === 'objects') gets += 1
      if (gets === 2) await stage.outsider('file', 'other')
      return proceed()
    }
    const { stage, lockstep, directory } = await connect(large, changing)
    const file = join(directory, 'out')
    writeFileSync(file, 'before')
    await expect(living(stage, lockstep.get('file', file))).rejects.toMatchObject({
      code: 'PreconditionFailed',
    })
    expect(readFileSync(file, 'utf8')).toBe('before')
    expect(readdirSync(directory)).toEqual(['out'])
  })

  test('goes on where a connection broke off', async () => {
    let broken = 0
    const breaking: Intercept = async (call, proceed) => {
      const outcome = await proceed()
      if (call.method !== 'get' || call.port !== 'objects' || broken >= 3) return outcome
      broken += 1
      return {
        ...(outcome as GetOutcome & { kind: 'found' }),
        bytes: halfOf(outcome as GetOutcome & { kind: 'found' }),
      }
    }
    const { stage, lockstep, directory } = await connect(large, breaking)
    const file = join(directory, 'out')
    await living(stage, lockstep.get('file', file))
    expect(broken).toBe(3)
    expect(readFileSync(file, 'latin1') === large).toBe(true)
  })

  test('gives up if every connection breaks off', async () => {
    const dead: Intercept = async (call, proceed) => {
      const outcome = await proceed()
      if (call.method !== 'get' || call.port !== 'objects') return outcome
      return { ...(outcome as GetOutcome & { kind: 'found' }), bytes: brokenOff() }
    }
    const { stage, lockstep, directory } = await connect(large, dead)
    const file = join(directory, 'out')
    await expect(living(stage, lockstep.get('file', file))).rejects.toMatchObject({ code: 'Unreachable' })
    expect(readdirSync(directory)).toEqual([])
  })

  test('leaves nothing when it is aborted, or when the file does not exist', async () => {
    const stop = new AbortController()
    const stopping: Intercept = (call, proceed) => {
      if (call.method === 'get' && call.port === 'objects') stop.abort(new Error('enough'))
      return proceed()
    }
    const { stage, lockstep, directory } = await connect(large, stopping)
    const file = join(directory, 'out')
    await expect(living(stage, lockstep.get('file', file, { signal: stop.signal }))).rejects.toThrow('enough')
    await expect(living(stage, lockstep.get('nowhere', file))).rejects.toMatchObject({ code: 'NotFound' })
    expect(readdirSync(directory)).toEqual([])
  })

  test('cannot write where there is no directory', async () => {
    const { stage, lockstep, directory } = await connect('hello')
    mkdirSync(join(directory, 'there'))
    const file = join(directory, 'not-there', 'out')
    await expect(living(stage, lockstep.get('file', file))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('bytes', () => {
  test('of a read come in order, whatever its size', async () => {
    const { stage, lockstep } = await connect(large)
    const operation = await lockstep.read('file')
    await stage.deliverAll()
    const chunks = await collect(lockstep.bytes('file', await operation.result()))
    expect(Buffer.concat(chunks).toString('latin1') === large).toBe(true)
  })
})

async function* halfOf({ bytes, size }: GetOutcome & { kind: 'found' }): AsyncGenerator<Uint8Array> {
  let left = Math.min(size / 2, MIB)
  for await (const chunk of bytes) {
    yield chunk.subarray(0, left)
    left -= Math.min(chunk.length, left)
    if (left === 0) throw new PortFault('unanswered', 'objects.get')
  }
}

async function* brokenOff(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(0)
  throw new PortFault('unanswered', 'objects.get')
}
