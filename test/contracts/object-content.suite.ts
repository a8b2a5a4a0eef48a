import { beforeAll, expect, it } from 'vitest'
import type { ObjectStore } from '#ports/object-store.ts'
import type { ObjectStoreSetup, Outsider, Setup } from './setups.ts'
import {
  bytesOf,
  contentOf,
  etagOf,
  filledTo,
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

/** The laws of reading, putting and deleting. */
export const describeContent = (setup: Setup<ObjectStoreSetup>): void => {
  describeReads(setup)
  describePuts(setup)
  describeDeletes(setup)
}

const describeReads = (setup: Setup<ObjectStoreSetup>): void => {
  let objects: ObjectStore
  let outsider: Outsider
  beforeAll(async () => {
    ;({ objects, outsider } = await setup())
  })
  const put = async (bytes: Uint8Array): Promise<{ path: string; etag: string }> => {
    const path = uniquePath('read')
    return { path, etag: etagOf(await objects.put(path, bytes, 'absent', plain, { operationId: newId() })) }
  }

  it('what does not exist is absent', async () => {
    const path = uniquePath('absent')
    expect(await objects.head(path)).toBeNull()
    expect(await objects.get(path)).toEqual({ kind: 'absent' })
    expect(await objects.get(path, { etag: '"some"' })).toEqual({ kind: 'absent' })
    expect(await objects.get(path, { range: { start: 0, end: 0 } })).toEqual({ kind: 'absent' })
    expect(await objects.tags(path)).toEqual({})
  })

  it('a put object reads as it was put', async () => {
    const bytes = patternOf(100_000)
    const { path, etag } = await put(bytes)
    const outcome = await objects.get(path)
    expect(outcome).toMatchObject({ kind: 'found', etag, size: bytes.length })
    expect(await contentOf(outcome)).toEqual(bytes)
    const head = await objects.head(path)
    expect(head).toMatchObject({ etag, size: bytes.length })
    expect(Number.isInteger(head?.lastModified)).toBe(true)
  })

  it('an ETag is told as S3 writes it, quotes included', async () => {
    const { path, etag } = await put(bytesOf('quoted'))
    expect(etag).toMatch(/^"[^"]+"$/)
    const written = await outsider.write(path, bytesOf('other'))
    expect(written).toMatch(/^"[^"]+"$/)
    expect((await objects.head(path))?.etag).toBe(written)
  })

  it('an object of 0 bytes is an object', async () => {
    const { path, etag } = await put(new Uint8Array())
    expect(await objects.head(path)).toMatchObject({ etag, size: 0 })
    const outcome = await objects.get(path, { etag })
    expect(outcome).toMatchObject({ kind: 'found', etag, size: 0 })
    expect(await contentOf(outcome)).toEqual(new Uint8Array())
  })

  it('a range gives just those bytes, both ends inclusive, and the size of the whole', async () => {
    const bytes = patternOf(1000)
    const { path, etag } = await put(bytes)
    for (const [start, end] of [
      [0, 0],
      [0, 999],
      [1, 998],
      [999, 999],
      [500, 599],
    ] as const) {
      const outcome = await objects.get(path, { etag, range: { start, end } })
      expect(outcome).toMatchObject({ kind: 'found', etag, size: 1000 })
      expect(await contentOf(outcome)).toEqual(bytes.slice(start, end + 1))
    }
  })

  it('an end past the last byte is cut, a start past it fails', async () => {
    const { path } = await put(bytesOf('0123456789'))
    const outcome = await objects.get(path, { range: { start: 8, end: 5000 } })
    expect(outcome).toMatchObject({ kind: 'found', size: 10 })
    expect(textOf(await contentOf(outcome))).toBe('89')
    await expect(objects.get(path, { range: { start: 10, end: 12 } })).rejects.toBeInstanceOf(Error)
  })

  it('a get of another version than asked for is `changed`', async () => {
    const { path, etag } = await put(bytesOf('one'))
    await outsider.write(path, bytesOf('two'))
    expect(await objects.get(path, { etag })).toEqual({ kind: 'changed' })
    expect(await objects.get(path, { etag, range: { start: 0, end: 1 } })).toEqual({ kind: 'changed' })
    expect(textOf(await contentOf(await objects.get(path)))).toBe('two')
  })

  it('large content comes whole', async () => {
    const bytes = patternOf(3 * mib + 17)
    const { path, etag } = await put(bytes)
    const outcome = await objects.get(path, { etag })
    expect(Buffer.compare(await contentOf(outcome), bytes)).toBe(0)
  })

  it('what was handed in or out can be changed without changing what is stored', async () => {
    const bytes = bytesOf('kept')
    const { path } = await put(bytes)
    bytes.fill(0)
    const read = await contentOf(await objects.get(path))
    expect(textOf(read)).toBe('kept')
    read.fill(0)
    expect(textOf(await contentOf(await objects.get(path)))).toBe('kept')
  })
}

const describePuts = (setup: Setup<ObjectStoreSetup>): void => {
  let objects: ObjectStore
  let outsider: Outsider
  beforeAll(async () => {
    ;({ objects, outsider } = await setup())
  })
  const operationId = newId()

  it('put with If-None-Match on an existing object is `changed` and changes nothing', async () => {
    const path = uniquePath('put')
    await objects.put(path, bytesOf('one'), 'absent', { ...plain, metadata: { a: '1' } }, { operationId })
    const before = await objects.head(path)
    const outcome = await objects.put(path, bytesOf('two'), 'absent', plain, { operationId: newId() })
    expect(outcome).toEqual({ kind: 'changed' })
    expect(await objects.head(path)).toEqual(before)
    expect(textOf(await contentOf(await objects.get(path)))).toBe('one')
  })

  it('put on the expected ETag replaces content, attributes and mark', async () => {
    const path = uniquePath('put')
    const etag = await outsider.write(path, bytesOf('one'), { contentType: 'text/css', metadata: { a: '1' } })
    const outcome = await objects.put(path, bytesOf('second'), { etag }, plain, { operationId })
    const head = await objects.head(path)
    expect(head).toMatchObject({ etag: etagOf(outcome), size: 6, mark: { operationId } })
    expect(head?.attributes).toMatchObject({ contentType: 'text/plain', metadata: {} })
    expect(textOf(await contentOf(await objects.get(path)))).toBe('second')
  })

  it('put on another ETag is `changed` and changes nothing', async () => {
    const path = uniquePath('put')
    const first = await outsider.write(path, bytesOf('one'))
    await outsider.write(path, bytesOf('two'))
    const outcome = await objects.put(path, bytesOf('three'), { etag: first }, plain, { operationId })
    expect(outcome).toEqual({ kind: 'changed' })
    expect(textOf(await contentOf(await objects.get(path)))).toBe('two')
  })

  it('put on an ETag where nothing is is `changed` and creates nothing', async () => {
    const path = uniquePath('put')
    const etag = await outsider.write(path, bytesOf('one'))
    await outsider.remove(path)
    expect(await objects.put(path, bytesOf('x'), { etag }, plain, { operationId })).toEqual({
      kind: 'changed',
    })
    expect(await objects.head(path)).toBeNull()
  })

  it('put where something was deleted is put where nothing is', async () => {
    const path = uniquePath('put')
    await outsider.write(path, bytesOf('one'))
    await outsider.remove(path)
    expect((await objects.put(path, bytesOf('x'), 'absent', plain, { operationId })).kind).toBe('done')
  })

  it('of concurrent creations exactly one is done', async () => {
    const path = uniquePath('race')
    const texts = numbersTo(8).map((n) => `by ${n}`)
    const outcomes = await Promise.all(
      texts.map((text) =>
        insisting(() => objects.put(path, bytesOf(text), 'absent', plain, { operationId: newId() })),
      ),
    )
    const winners = texts.filter((_, index) => outcomes[index]?.kind === 'done')
    expect(winners).toHaveLength(1)
    expect(textOf(await contentOf(await objects.get(path)))).toBe(winners[0])
  })

  it('of concurrent replacements of one version exactly one is done', async () => {
    const path = uniquePath('race')
    const etag = await outsider.write(path, bytesOf('first'))
    const texts = numbersTo(8).map((n) => `by ${n}`)
    const outcomes = await Promise.all(
      texts.map((text) =>
        insisting(() => objects.put(path, bytesOf(text), { etag }, plain, { operationId })),
      ),
    )
    const winners = texts.filter((_, index) => outcomes[index]?.kind === 'done')
    expect(winners).toHaveLength(1)
    expect(textOf(await contentOf(await objects.get(path)))).toBe(winners[0])
  })

  it.each([...oddNames, 'as long as a key can be'])('a key may be odd: %j', async (name) => {
    const isLong = name === 'as long as a key can be'
    const path = isLong ? filledTo(uniquePath('long'), 1024) : `${uniquePath('odd')}/${name}`
    const etag = etagOf(await objects.put(path, bytesOf(name), 'absent', plain, { operationId }))
    expect(await objects.head(path)).toMatchObject({ etag, mark: { operationId } })
    expect(textOf(await contentOf(await objects.get(path, { etag })))).toBe(name)
    const replaced = await objects.put(path, bytesOf('next'), { etag }, plain, { operationId })
    expect(await objects.delete(path, etag)).toEqual({ kind: 'changed' })
    expect(await objects.delete(path, etagOf(replaced))).toEqual({ kind: 'done' })
    expect(await objects.head(path)).toBeNull()
  })
}

const describeDeletes = (setup: Setup<ObjectStoreSetup>): void => {
  let objects: ObjectStore
  let outsider: Outsider
  beforeAll(async () => {
    ;({ objects, outsider } = await setup())
  })

  it('delete takes away exactly the version asked for', async () => {
    const path = uniquePath('delete')
    const first = await outsider.write(path, bytesOf('one'))
    const second = await outsider.write(path, bytesOf('two'))
    expect(await objects.delete(path, first)).toEqual({ kind: 'changed' })
    expect((await objects.head(path))?.etag).toBe(second)
    expect(await objects.delete(path, second)).toEqual({ kind: 'done' })
    expect(await objects.head(path)).toBeNull()
    expect(await objects.get(path)).toEqual({ kind: 'absent' })
  })

  it('a delete of what is not there is `absent`, also when repeated', async () => {
    const path = uniquePath('delete')
    const etag = await outsider.write(path, bytesOf('one'))
    await objects.delete(path, etag)
    expect(await objects.delete(path, etag)).toEqual({ kind: 'absent' })
    expect(await objects.delete(uniquePath('delete'), etag)).toEqual({ kind: 'absent' })
  })

  it('a delete leaves those whose keys begin alike', async () => {
    const path = uniquePath('delete')
    const etag = await outsider.write(path, bytesOf('one'))
    await outsider.write(`${path}/below`, bytesOf('two'))
    await outsider.write(`${path}2`, bytesOf('three'))
    await objects.delete(path, etag)
    expect(await objects.head(`${path}/below`)).not.toBeNull()
    expect(await objects.head(`${path}2`)).not.toBeNull()
  })

  it('an internal object is discarded whatever it is, and again without complaint', async () => {
    const path = `.lockstep/staging/${newId()}`
    await outsider.write(path, bytesOf('staged'))
    await objects.discard(path)
    expect(await objects.head(path)).toBeNull()
    await objects.discard(path)
  })

  it('nobody discards a file of a user', async () => {
    const path = uniquePath('discard')
    await outsider.write(path, bytesOf('precious'))
    await expect(objects.discard(path)).rejects.toBeInstanceOf(Error)
    expect(await objects.head(path)).not.toBeNull()
  })
}
