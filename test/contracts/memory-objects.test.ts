import { describe, expect, it } from 'vitest'
import { limits } from '#domain/limits.ts'
import type { ObjectChange } from '#memory/bucket.ts'
import { memoryWorld } from '#memory/memory-ports.ts'
import { bytesOf, contentOf, newId, patternOf, plain, textOf } from './support.ts'

/** S3's own rules that the emulators do not keep, so that only the memory twin can be held to them. */

describe('object store', () => {
  const by = { operationId: newId() }

  it('identical bytes have identical ETags, as on S3 without KMS', async () => {
    const { objects } = memoryWorld()
    const put = await objects.put('a', bytesOf('hello'), 'absent', plain, by)
    expect(put).toEqual({ kind: 'done', etag: '"5d41402abc4b2a76b9719d911017c592"' })
    expect(await objects.write('b', bytesOf('hello'))).toBe('"5d41402abc4b2a76b9719d911017c592"')
    const uploadId = await objects.createUpload('c', plain, by)
    await objects.uploadPart('c', uploadId, 1, bytesOf('hello'))
    const parts = (await objects.parts('c', uploadId)) ?? []
    // md5 of the 16 bytes of md5('hello')
    const outcome = await objects.complete('c', uploadId, parts, 'absent')
    expect(outcome).toEqual({ kind: 'done', etag: '"62109206880d38a4010a98e11243924a-1"' })
  })

  it('a repeated complete is no-upload, or told what the first was told, as S3 may do', async () => {
    for (const repeatsAnswers of [false, true]) {
      const { objects } = memoryWorld({ repeatsAnswers })
      const uploadId = await objects.createUpload('a', plain, by)
      await objects.uploadPart('a', uploadId, 1, bytesOf('x'))
      const parts = (await objects.parts('a', uploadId)) ?? []
      const first = await objects.complete('a', uploadId, parts, 'absent')
      const etag = await objects.write('a', bytesOf('since'))
      const again = await objects.complete('a', uploadId, parts, 'absent')
      expect(again).toEqual(repeatsAnswers ? first : { kind: 'no-upload' })
      expect((await objects.head('a'))?.etag).toBe(etag)
    }
  })

  it('with unique ETags identical bytes differ', async () => {
    const { objects } = memoryWorld({ etags: 'unique' })
    expect(await objects.write('a', bytesOf('x'))).not.toBe(await objects.write('a', bytesOf('x')))
  })

  it('a versioned bucket tells version ids and keeps what was', async () => {
    const { objects } = memoryWorld({ versioned: true })
    const first = await objects.put('a', bytesOf('one'), 'absent', plain, by)
    const head = await objects.head('a')
    expect(first).toMatchObject({ kind: 'done', versionId: head?.versionId })
    expect(head?.versionId).toBeTypeOf('string')
    const link = head && (await objects.link('a', head, 60))
    expect(link?.headers).toEqual({})
    await objects.remove('a')
    expect(textOf((await objects.follow(link ?? { url: '', headers: {} })).bytes)).toBe('one')
  })

  it('a link ends in its time', async () => {
    const { objects, clock } = memoryWorld()
    await objects.write('a', bytesOf('x'))
    const head = await objects.head('a')
    const link = await objects.link('a', head ?? { etag: '', size: 0 }, 900)
    expect((await objects.follow(link)).status).toBe(200)
    await clock.advance(900_000)
    expect((await objects.follow(link)).status).toBe(403)
  })

  it('a completed upload is dated by its start, as on S3', async () => {
    const { objects, clock } = memoryWorld()
    const startedAt = clock.now()
    const uploadId = await objects.createUpload('a', plain, by)
    await objects.uploadPart('a', uploadId, 1, bytesOf('x'))
    await clock.advance(60_000)
    await objects.complete('a', uploadId, (await objects.parts('a', uploadId)) ?? [], 'absent')
    expect((await objects.head('a'))?.lastModified).toBe(startedAt)
  })

  it('each visible change is told once, with a growing sequencer', async () => {
    const changes: ObjectChange[] = []
    const { objects } = memoryWorld({ onChange: (change) => changes.push(change) })
    const etag = await objects.write('a', bytesOf('x'))
    await objects.put('a', bytesOf('y'), 'absent', plain, by)
    await objects.copy('a', etag, 'b', 'absent', plain, by)
    await objects.delete('a', etag)
    await objects.remove('a')
    expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'created a',
      'created b',
      'deleted a',
    ])
    const sequencers = changes.map(({ sequencer }) => sequencer)
    expect(sequencers).toEqual(sequencers.toSorted())
    expect(new Set(sequencers).size).toBe(3)
  })

  it('a range is copied only of an object over 5 MiB, as on S3', async () => {
    const { objects } = memoryWorld()
    const etag = await objects.write('small', patternOf(limits.partMinBytes))
    const uploadId = await objects.createUpload('a', plain, by)
    const source = { path: 'small', etag, range: { start: 0, end: 9 } }
    await expect(objects.copyPart('a', uploadId, 1, source)).rejects.toThrow('copy it whole')
    const bigger = await objects.write('bigger', patternOf(limits.partMinBytes + 1))
    expect((await objects.copyPart('a', uploadId, 1, { ...source, path: 'bigger', etag: bigger })).kind).toBe(
      'done',
    )
    const beyond = { path: 'bigger', etag: bigger, range: { start: 0, end: limits.partMinBytes + 1 } }
    await expect(objects.copyPart('a', uploadId, 2, beyond)).rejects.toThrow('InvalidArgument')
  })

  it('keys over 1,024 bytes and metadata over 2 KB are errors, as on S3', async () => {
    const { objects } = memoryWorld()
    await expect(objects.put('x'.repeat(1025), bytesOf(''), 'absent', plain, by)).rejects.toThrow(
      'key of 1025 bytes',
    )
    const metadata = { much: 'x'.repeat(2048) }
    await expect(objects.put('a', bytesOf(''), 'absent', { metadata }, by)).rejects.toThrow('metadata of')
    expect(await objects.head('a')).toBeNull()
  })

  it('content already being read stays what it was', async () => {
    const { objects } = memoryWorld()
    await objects.write('a', bytesOf('before'))
    const reading = await objects.get('a')
    await objects.write('a', bytesOf('after!'))
    expect(textOf(await contentOf(reading))).toBe('before')
  })
})
