import { isDeepStrictEqual } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import type { Mark, ObjectStore, Part } from '#ports/object-store.ts'
import type { ObjectStoreSetup, Outsider, Setup } from './setups.ts'
import {
  bytesOf,
  contentOf,
  etagOf,
  inParallel,
  insisting,
  newId,
  numbersTo,
  oddNames,
  patternOf,
  plain,
  textOf,
  uniquePath,
} from './support.ts'

const mib = 1024 * 1024
/** As small as a part may be that is not the last. */
const least = patternOf(5 * mib)

/** The laws of multipart uploads: invisible until completed, and S3's own limits on parts. */
export const describeUploads = (setup: Setup<ObjectStoreSetup>): void => {
  describeParts(setup)
  describeCopiedParts(setup)
  describeCompletion(setup)
}

const mark: Mark = { operationId: newId(), hops: 1 }

/** The upload's parts as S3 lists them. */
const listed = async (objects: ObjectStore, path: string, uploadId: string): Promise<Part[]> =>
  (await objects.parts(path, uploadId)) ?? []

/** An upload with these parts, from 1. */
const filled = async (
  objects: ObjectStore,
  path: string,
  ...parts: readonly Uint8Array[]
): Promise<string> => {
  const uploadId = await objects.createUpload(path, plain, mark)
  for (const [index, bytes] of parts.entries()) await objects.uploadPart(path, uploadId, index + 1, bytes)
  return uploadId
}

const describeParts = (setup: Setup<ObjectStoreSetup>): void => {
  let objects: ObjectStore
  beforeAll(async () => {
    ;({ objects } = await setup())
  })

  it('an upload is invisible until it is completed', async () => {
    const path = uniquePath('upload')
    const uploadId = await filled(objects, path, bytesOf('hidden'))
    expect(await objects.head(path)).toBeNull()
    expect((await objects.list(path)).files).toEqual([])
    expect(await objects.uploads(path)).toEqual([{ path, uploadId }])
    await objects.complete(path, uploadId, await listed(objects, path, uploadId), 'absent')
    expect((await objects.list(path)).files).toHaveLength(1)
    expect(await objects.uploads(path)).toEqual([])
  })

  it('parts are listed in the order of their numbers, with size and ETag', async () => {
    const path = uniquePath('upload')
    const uploadId = await objects.createUpload(path, plain, mark)
    expect(await objects.parts(path, uploadId)).toEqual([])
    const etags = new Map<number, string>()
    for (const number of [10_000, 3, 20, 1]) {
      etags.set(
        number,
        etagOf(await objects.uploadPart(path, uploadId, number, bytesOf('x'.repeat(number % 7)))),
      )
    }
    const expected = [1, 3, 20, 10_000].map((number) => ({
      number,
      etag: etags.get(number),
      size: number % 7,
    }))
    expect(await objects.parts(path, uploadId)).toEqual(expected)
    await objects.abort(path, uploadId)
  })

  it('a part uploaded again replaces the one of the same number', async () => {
    const path = uniquePath('upload')
    const uploadId = await filled(objects, path, bytesOf('first'), bytesOf('other'))
    const again = await objects.uploadPart(path, uploadId, 1, bytesOf('second!'))
    const parts = await listed(objects, path, uploadId)
    expect(parts.map(({ number, size }) => [number, size])).toEqual([
      [1, 7],
      [2, 5],
    ])
    expect(parts[0]?.etag).toBe(etagOf(again))
    await objects.abort(path, uploadId)
  })

  it('an upload of more than 1,000 parts is listed to its end', async () => {
    const path = uniquePath('upload')
    const uploadId = await objects.createUpload(path, plain, mark)
    const numbers = numbersTo(1005).map((n) => n + 1)
    await inParallel(
      16,
      numbers.map((number) => () => objects.uploadPart(path, uploadId, number, bytesOf(`${number}`))),
    )
    expect((await listed(objects, path, uploadId)).map(({ number }) => number)).toEqual(numbers)
    await objects.abort(path, uploadId)
  })

  it('a part number below 1 or over 10,000 is an error', async () => {
    const path = uniquePath('upload')
    const uploadId = await objects.createUpload(path, plain, mark)
    for (const number of [0, 10_001]) {
      await expect(objects.uploadPart(path, uploadId, number, bytesOf('x'))).rejects.toBeInstanceOf(Error)
    }
    await objects.abort(path, uploadId)
  })

  it('after an abort there is no such upload: not to fill, copy into, list, complete, or abort', async () => {
    const path = uniquePath('upload')
    const uploadId = await filled(objects, path, bytesOf('x'))
    const parts = await listed(objects, path, uploadId)
    await objects.abort(path, uploadId)
    const gone = { kind: 'no-upload' }
    expect(await objects.uploadPart(path, uploadId, 1, bytesOf('x'))).toEqual(gone)
    const source = uniquePath('source')
    const etag = etagOf(await objects.put(source, bytesOf('x'), 'absent', plain, mark))
    expect(await objects.copyPart(path, uploadId, 1, { path: source, etag })).toEqual(gone)
    expect(await objects.parts(path, uploadId)).toBeNull()
    expect(await objects.complete(path, uploadId, parts, 'absent')).toEqual(gone)
    await objects.abort(path, uploadId)
    expect(await objects.head(path)).toBeNull()
    expect(await objects.uploads(path)).toEqual([])
  })

  it('uploads are told by prefix, with their odd keys', async () => {
    const prefix = `${uniquePath('uploads')}/`
    const paths = oddNames.map((name) => `${prefix}${name}`)
    const ids = await Promise.all(paths.map((path) => objects.createUpload(path, plain, mark)))
    const second = await objects.createUpload(paths[0] ?? '', plain, mark)
    const told = (await objects.uploads(prefix)).map(({ path, uploadId }) => `${path} ${uploadId}`)
    const expected = [...paths.map((path, index) => `${path} ${ids[index]}`), `${paths[0]} ${second}`]
    expect(told.toSorted()).toEqual(expected.toSorted())
    for (const { path, uploadId } of await objects.uploads(prefix)) await objects.abort(path, uploadId)
    expect(await objects.uploads(prefix)).toEqual([])
  })
}

const describeCopiedParts = (setup: Setup<ObjectStoreSetup>): void => {
  let objects: ObjectStore
  let outsider: Outsider
  beforeAll(async () => {
    ;({ objects, outsider } = await setup())
  })

  it('parts are copied whole or by range, and joined with uploaded ones', async () => {
    const [path, large, small] = [uniquePath('upload'), uniquePath('large'), uniquePath('small')]
    const bytes = patternOf(11 * mib)
    const etag = await outsider.write(large, bytes)
    const smallEtag = await outsider.write(small, bytesOf('the end'))
    const uploadId = await objects.createUpload(path, plain, mark)
    const range = { start: 3 * mib, end: 9 * mib - 1 }
    expect((await objects.copyPart(path, uploadId, 1, { path: large, etag, range })).kind).toBe('done')
    expect((await objects.uploadPart(path, uploadId, 2, least)).kind).toBe('done')
    expect((await objects.copyPart(path, uploadId, 3, { path: small, etag: smallEtag })).kind).toBe('done')
    const parts = await listed(objects, path, uploadId)
    expect(parts.map(({ size }) => size)).toEqual([6 * mib, 5 * mib, 7])
    await objects.complete(path, uploadId, parts, 'absent')
    const expected = Buffer.concat([bytes.subarray(3 * mib, 9 * mib), least, bytesOf('the end')])
    expect(Buffer.compare(await contentOf(await objects.get(path)), expected)).toBe(0)
  })

  it('a part is copied of exactly the version asked for', async () => {
    const [path, source] = [uniquePath('upload'), uniquePath('source')]
    const etag = await outsider.write(source, bytesOf('one'))
    await outsider.write(source, bytesOf('two'))
    const uploadId = await objects.createUpload(path, plain, mark)
    expect(await objects.copyPart(path, uploadId, 1, { path: source, etag })).toEqual({ kind: 'changed' })
    await outsider.remove(source)
    expect(await objects.copyPart(path, uploadId, 1, { path: source, etag })).toEqual({ kind: 'changed' })
    expect(await objects.parts(path, uploadId)).toEqual([])
    await objects.abort(path, uploadId)
  })

  it('an object can be joined from itself: what is there, and more', async () => {
    const path = uniquePath('append')
    const etag = await outsider.write(path, least)
    const uploadId = await objects.createUpload(path, plain, mark)
    await objects.copyPart(path, uploadId, 1, { path, etag })
    await objects.uploadPart(path, uploadId, 2, bytesOf(' and more'))
    const parts = await listed(objects, path, uploadId)
    const outcome = await objects.complete(path, uploadId, parts, { etag })
    expect(await objects.head(path)).toMatchObject({ etag: etagOf(outcome), size: least.length + 9, mark })
  })
}

const describeCompletion = (setup: Setup<ObjectStoreSetup>): void => {
  let objects: ObjectStore
  let outsider: Outsider
  beforeAll(async () => {
    ;({ objects, outsider } = await setup())
  })
  const complete = (
    path: string,
    uploadId: string,
    parts: readonly Part[],
    expectation = 'absent' as const,
  ) => insisting(() => objects.complete(path, uploadId, parts, expectation))

  it('completed parts are one object, in order, with what the upload was created with', async () => {
    const path = uniquePath('upload')
    const uploadId = await filled(objects, path, least, bytesOf('the end'))
    const outcome = await complete(path, uploadId, await listed(objects, path, uploadId))
    const head = await objects.head(path)
    expect(head).toMatchObject({ etag: etagOf(outcome), size: least.length + 7, mark })
    expect(head?.attributes.contentType).toBe('text/plain')
    const tail = await objects.get(path, { range: { start: least.length, end: least.length + 6 } })
    expect(textOf(await contentOf(tail))).toBe('the end')
  })

  it('a single part may have any size, 0 bytes too', async () => {
    for (const text of ['', 'x']) {
      const path = uniquePath('upload')
      const uploadId = await filled(objects, path, bytesOf(text))
      expect((await complete(path, uploadId, await listed(objects, path, uploadId))).kind).toBe('done')
      expect(await objects.head(path)).toMatchObject({ size: text.length, mark })
    }
  })

  it('numbers may leave gaps, and parts that are not named are dropped', async () => {
    const path = uniquePath('upload')
    const uploadId = await objects.createUpload(path, plain, mark)
    await objects.uploadPart(path, uploadId, 2, least)
    await objects.uploadPart(path, uploadId, 5, bytesOf('dropped'))
    await objects.uploadPart(path, uploadId, 9_999, bytesOf('kept'))
    const parts = (await listed(objects, path, uploadId)).filter(({ number }) => number !== 5)
    expect((await complete(path, uploadId, parts)).kind).toBe('done')
    expect((await objects.head(path))?.size).toBe(least.length + 4)
  })

  it('complete with a too small middle part is refused, and the upload can still be mended', async () => {
    const path = uniquePath('upload')
    const uploadId = await filled(objects, path, least, least.subarray(1), bytesOf('end'))
    const outcome = await complete(path, uploadId, await listed(objects, path, uploadId))
    expect(outcome.kind).toBe('bad-parts')
    expect(await objects.head(path)).toBeNull()
    await objects.uploadPart(path, uploadId, 2, least)
    expect((await complete(path, uploadId, await listed(objects, path, uploadId))).kind).toBe('done')
  })

  it.each(['missing', 'another ETag', 'out of order', 'twice', 'none'])(
    'complete with wrong parts is refused: %s',
    async (wrong) => {
      const path = uniquePath('upload')
      const uploadId = await filled(objects, path, least, least)
      const [one, two] = (await listed(objects, path, uploadId)) as [Part, Part]
      const parts: Record<string, Part[]> = {
        missing: [one, { ...two, number: 3 }],
        'another ETag': [{ ...one, etag: '"00000000000000000000000000000000"' }, two],
        'out of order': [two, one],
        twice: [one, one],
        none: [],
      }
      expect((await complete(path, uploadId, parts[wrong] ?? [])).kind).toBe('bad-parts')
      expect(await objects.head(path)).toBeNull()
      expect(await listed(objects, path, uploadId)).toEqual([one, two])
      await objects.abort(path, uploadId)
    },
  )

  it('complete is conditional; after `changed` the upload is still there', async () => {
    const path = uniquePath('upload')
    const uploadId = await filled(objects, path, bytesOf('ours'))
    const parts = await listed(objects, path, uploadId)
    const first = await outsider.write(path, bytesOf('first'))
    const second = await outsider.write(path, bytesOf('second'))
    const changed = { kind: 'changed' }
    expect(await complete(path, uploadId, parts)).toEqual(changed)
    expect(await insisting(() => objects.complete(path, uploadId, parts, { etag: first }))).toEqual(changed)
    expect((await objects.head(path))?.etag).toBe(second)
    expect(await listed(objects, path, uploadId)).toEqual(parts)
    const outcome = await insisting(() => objects.complete(path, uploadId, parts, { etag: second }))
    expect(await objects.head(path)).toMatchObject({ etag: etagOf(outcome), mark })
  })

  it('complete on an ETag where nothing is is `changed`, and the upload is still there', async () => {
    const path = uniquePath('upload')
    const uploadId = await filled(objects, path, bytesOf('ours'))
    const parts = await listed(objects, path, uploadId)
    const etag = await outsider.write(path, bytesOf('gone'))
    await outsider.remove(path)
    const outcome = await insisting(() => objects.complete(path, uploadId, parts, { etag }))
    expect(outcome).toEqual({ kind: 'changed' })
    expect(await objects.head(path)).toBeNull()
    expect((await complete(path, uploadId, parts)).kind).toBe('done')
  })

  it('complete after complete changes nothing, told so or told the first success again', async () => {
    const path = uniquePath('upload')
    const uploadId = await filled(objects, path, bytesOf('ours'))
    const parts = await listed(objects, path, uploadId)
    const first = await complete(path, uploadId, parts)
    const etag = await outsider.write(path, bytesOf('and theirs since'))
    const repeats = [
      await complete(path, uploadId, parts),
      await insisting(() => objects.complete(path, uploadId, parts, { etag })),
    ]
    for (const repeat of repeats) expect([{ kind: 'no-upload' }, first]).toContainEqual(repeat)
    expect((await objects.head(path))?.etag).toBe(etag)
  })

  it('an abort after complete changes nothing', async () => {
    const path = uniquePath('upload')
    const uploadId = await filled(objects, path, bytesOf('ours'))
    await complete(path, uploadId, await listed(objects, path, uploadId))
    const before = await objects.head(path)
    await objects.abort(path, uploadId)
    expect(await objects.head(path)).toEqual(before)
  })

  it('complete after abort is no-upload', async () => {
    const path = uniquePath('upload')
    const uploadId = await filled(objects, path, bytesOf('ours'))
    const parts = await listed(objects, path, uploadId)
    await objects.abort(path, uploadId)
    expect(await complete(path, uploadId, parts)).toEqual({ kind: 'no-upload' })
    expect(await objects.head(path)).toBeNull()
  })

  it('of two uploads on one absent path exactly one is completed', async () => {
    const path = uniquePath('upload')
    const ids = [await filled(objects, path, bytesOf('one')), await filled(objects, path, bytesOf('two'))]
    const all = await Promise.all(ids.map((uploadId) => listed(objects, path, uploadId)))
    const outcomes = await Promise.all(ids.map((uploadId, n) => complete(path, uploadId, all[n] ?? [])))
    const winner = outcomes.findIndex(({ kind }) => kind === 'done')
    expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1)
    expect(textOf(await contentOf(await objects.get(path)))).toBe(winner === 0 ? 'one' : 'two')
    for (const uploadId of ids) await objects.abort(path, uploadId)
  })

  it('of concurrent completes of one upload all that are done are one and the same', async () => {
    const path = uniquePath('upload')
    const uploadId = await filled(objects, path, bytesOf('ours'))
    const parts = await listed(objects, path, uploadId)
    const outcomes = await Promise.all(numbersTo(5).map(() => complete(path, uploadId, parts)))
    const done = outcomes.filter(({ kind }) => kind === 'done')
    expect(done.length).toBeGreaterThan(0)
    expect(done.every((outcome) => isDeepStrictEqual(outcome, done[0]))).toBe(true)
  })
}
