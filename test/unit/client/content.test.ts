import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type FileContent, Lockstep } from '#client/index.ts'
import { stagingKey } from '#domain/path.ts'
import { type Intercept, losingAnswers, recording, refusing } from '#memory/intercept.ts'
import { Stage } from '#test/support/stage.ts'

const MIB = 1024 * 1024

const connect = (intercept?: Intercept) => {
  const stage = new Stage()
  const ports = stage.process(intercept)
  return { stage, lockstep: new Lockstep({ ports }) }
}

/** `size` bytes that repeat nowhere within a part, in pieces through one buffer that is used again. */
async function* pieces(size: number, pieceBytes: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(pieceBytes)
  for (let from = 0; from < size; from += pieceBytes) {
    for (let at = 0; at + 4 <= pieceBytes; at += 4096) buffer.writeUInt32LE(from + at, at)
    yield buffer.subarray(0, Math.min(pieceBytes, size - from))
  }
}

const digestOf = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

const storedDigest = async (stage: Stage, path: string): Promise<string | undefined> => {
  const outcome = await stage.world.objects.get(path)
  return outcome.kind === 'found' ? digestOf(outcome.bytes) : undefined
}

/** Everything that a client may have left in the bucket besides the files themselves. */
const leftBehind = async (stage: Stage) => [
  ...(await stage.world.objects.uploads('')),
  ...(await stage.world.objects.list('.lockstep/')).files,
]

describe('content', () => {
  test.each<[string, FileContent, string]>([
    ['text', 'héllo', 'héllo'],
    ['nothing', '', ''],
    ['bytes', new Uint8Array([104, 105]), 'hi'],
    ['a web stream', new Blob(['from ', 'a stream']).stream(), 'from a stream'],
    [
      'a generator of text',
      (async function* () {
        yield 'a'
        yield 'b'
      })(),
      'ab',
    ],
  ])('may be %s', async (_what, content, expected) => {
    const { stage, lockstep } = connect()
    await lockstep.write('a.txt', content)
    await stage.deliverAll()
    expect(await stage.text('a.txt')).toBe(expected)
  })

  test('of another type, or broken text, is refused before anything is sent', async () => {
    const { calls, intercept } = recording()
    const { lockstep } = connect(intercept)
    await expect(lockstep.write('a.txt', 5 as never)).rejects.toMatchObject({ code: 'InvalidArgument' })
    await expect(lockstep.write('a.txt', 'a\ud800')).rejects.toMatchObject({ code: 'InvalidArgument' })
    await expect(lockstep.write('/a', 'x'.repeat(20_000))).rejects.toMatchObject({ code: 'InvalidArgument' })
    await expect(lockstep.write('a', 'x'.repeat(20_000), { metadata: { 'a b': 'c' } })).rejects.toMatchObject(
      {
        details: { field: 'metadata.a b' },
      },
    )
    expect(calls).toEqual([])
  })

  test('up to 16 KiB travels with the record, more goes around it', async () => {
    const { calls, intercept } = recording()
    const { lockstep } = connect(intercept)
    await lockstep.write('small', 'x'.repeat(16 * 1024))
    expect(calls.filter(({ port }) => port === 'objects')).toEqual([])
    await lockstep.write('large', 'x'.repeat(16 * 1024 + 1))
    expect(calls.filter(({ port }) => port === 'objects').map(({ method }) => method)).toEqual([
      'createUpload',
      'uploadPart',
    ])
  })
})

describe('a large write', () => {
  test('of unknown length arrives whole and in its turn, with type, metadata and mark', async () => {
    const { stage, lockstep } = connect()
    const size = 35 * MIB + 17
    const sent: number[] = []
    const operation = await lockstep.write('big.bin', pieces(size, 100_000), {
      contentType: 'application/x-big',
      metadata: { Who: 'me' },
      onSent: (bytes) => sent.push(bytes),
    })
    expect(await stage.text('big.bin')).toBeNull()
    await stage.deliverAll()
    expect(await operation.result()).toMatchObject({ size })
    expect(await stage.world.objects.head('big.bin')).toMatchObject({
      size,
      attributes: { contentType: 'application/x-big', metadata: { who: 'me' } },
      mark: { operationId: operation.id },
    })
    expect(await storedDigest(stage, 'big.bin')).toBe(await digestOf(pieces(size, 100_000)))
    expect(sent.at(-1)).toBe(size)
    expect(await leftBehind(stage)).toEqual([])
  })

  test('holds no more than four parts in memory, however slow the network is', async () => {
    let onTheWay = 0
    let most = 0
    const slow: Intercept = async (call, proceed) => {
      if (call.method !== 'uploadPart') return proceed()
      onTheWay += 1
      most = Math.max(most, onTheWay)
      await new Promise((resolve) => setImmediate(resolve))
      onTheWay -= 1
      return proceed()
    }
    const { lockstep } = connect(slow)
    await lockstep.write('big.bin', pieces(80 * MIB, MIB))
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(4)
  })

  test('leaves no upload behind when a part, the source or the signal fails', async () => {
    const stop = new AbortController()
    const failures: [Intercept | undefined, () => FileContent, AbortSignal?][] = [
      [refusing('objects.uploadPart', 'denied'), () => pieces(20 * MIB, MIB)],
      [undefined, () => failingAfter(20 * MIB)],
      [undefined, () => abortingAfter(20 * MIB, stop), stop.signal],
    ]
    for (const [intercept, content, signal] of failures) {
      const { stage, lockstep } = connect(intercept)
      await expect(lockstep.write('big.bin', content(), { signal })).rejects.toThrow()
      expect(await leftBehind(stage)).toEqual([])
      expect(stage.world.tables.records.size).toBe(0)
    }
  })

  test('leaves no upload behind when the submit is refused, and keeps it in doubt', async () => {
    const refused = connect(refusing('operations.create', 'denied'))
    await expect(refused.lockstep.write('big.bin', 'x'.repeat(20_000))).rejects.toMatchObject({
      code: 'AccessDenied',
    })
    expect(await leftBehind(refused.stage)).toEqual([])

    const unclear = connect(refusing('lines.enter', 'denied'))
    const failing = unclear.lockstep.write('big.bin', 'x'.repeat(20_000))
    await expect(failing).rejects.toMatchObject({ code: 'AccessDenied' })
    // The record is there: the sweeper completes what stopped half-way, and needs the upload.
    await unclear.stage.live(8)
    expect(await unclear.stage.text('big.bin')).toBe('x'.repeat(20_000))
  })

  test('survives lost answers', async () => {
    const { stage, lockstep } = connect(losingAnswers('objects.uploadPart', 2))
    const operation = await stage.until(lockstep.write('big.bin', 'x'.repeat(20_000)))
    await stage.deliverAll()
    expect(await operation.result()).toMatchObject({ size: 20_000 })
  })

  test('under a known id sends nothing, and is another request if arguments or size differ', async () => {
    const { stage, lockstep } = connect()
    const first = await lockstep.write('big.bin', 'x'.repeat(20_000), { id: 'key' })
    const again = await lockstep.write('big.bin', 'x'.repeat(20_000), { id: 'key' })
    expect(again.id).toBe(first.id)
    expect(await stage.world.objects.uploads('')).toHaveLength(1)
    const streamed = await lockstep.write('big.bin', pieces(20_000, 5_000), { id: 'key' })
    expect(streamed.id).toBe(first.id)
    for (const [path, size] of [
      ['big.bin', 20_001],
      ['other.bin', 20_000],
    ] as const) {
      await expect(lockstep.write(path, 'x'.repeat(size), { id: 'key' })).rejects.toMatchObject({
        code: 'Conflict',
      })
    }
    await stage.deliverAll()
    expect(await first.result()).toMatchObject({ size: 20_000 })
    expect(await leftBehind(stage)).toEqual([])
  })

  test('over the limit on files is refused before anything is sent, if its size is known', async () => {
    const { calls, intercept } = recording()
    const { lockstep } = connect(intercept)
    const tooLarge = lockstep.write('big.bin', pieces(20 * MIB, MIB), { size: 6 * 1024 ** 3 })
    await expect(tooLarge).rejects.toMatchObject({ code: 'TooLarge' })
    expect(calls).toEqual([])
  })
})

describe('a large append', () => {
  test.each([
    ['in one put', 20_000],
    ['in parts', 20 * MIB + 1],
  ])('is staged %s, joined, and cleared away', async (_how, size) => {
    const { stage, lockstep } = connect()
    await stage.outsider('log', 'start')
    const operation = await lockstep.append('log', pieces(size, 100_000))
    expect(await stage.world.objects.head(stagingKey(operation.id))).toMatchObject({ size })
    await stage.deliverAll()
    expect(await operation.result()).toMatchObject({ offset: 5, size: size + 5 })
    expect(await leftBehind(stage)).toEqual([])
  })

  test.each(['objects.put', 'objects.complete'])('survives a lost answer to %s', async (call) => {
    const { stage, lockstep } = connect(losingAnswers(call))
    const size = call === 'objects.put' ? 20_000 : 20 * MIB
    const operation = await stage.until(lockstep.append('log', pieces(size, 100_000)))
    await stage.deliverAll()
    expect(await operation.result()).toMatchObject({ offset: 0, size })
  })

  test('replaces what an earlier try under its id has staged', async () => {
    const { stage, lockstep } = connect(refusing('operations.create', 'unanswered', 10_000))
    const failing = stage.until(lockstep.append('log', 'a'.repeat(20_000), { id: 'key' }))
    await expect(failing).rejects.toMatchObject({ code: 'Unreachable' })
    expect(await leftBehind(stage)).toHaveLength(1)
    const second = new Lockstep({ ports: stage.process() })
    const operation = await second.append('log', 'b'.repeat(30_000), { id: 'key' })
    await stage.deliverAll()
    expect(await operation.result()).toMatchObject({ size: 30_000 })
    expect(await stage.text('log')).toBe('b'.repeat(30_000))
  })

  test('under an id that is known is the same operation, also after its end', async () => {
    const { stage, lockstep } = connect()
    const first = await lockstep.append('log', 'x'.repeat(20_000), { id: 'key' })
    await stage.deliverAll()
    const again = await lockstep.append('log', 'x'.repeat(20_000), { id: 'key' })
    expect(await again.result()).toEqual(await first.result())
    expect(await leftBehind(stage)).toEqual([])
  })

  test('that is refused leaves nothing staged', async () => {
    const { stage, lockstep } = connect(refusing('operations.create', 'denied'))
    await expect(lockstep.append('log', 'x'.repeat(20_000))).rejects.toMatchObject({ code: 'AccessDenied' })
    expect(await leftBehind(stage)).toEqual([])
  })
})

async function* failingAfter(size: number): AsyncGenerator<Uint8Array> {
  yield* pieces(size, MIB)
  throw new Error('the disk broke')
}

async function* abortingAfter(size: number, stop: AbortController): AsyncGenerator<Uint8Array> {
  yield* pieces(size, MIB)
  stop.abort(new Error('enough'))
  await new Promise(() => undefined)
}
