import { beforeAll, expect, it } from 'vitest'
import type { CommitOutcome, Expect, Mark, ObjectStore } from '#ports/object-store.ts'
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

/** The laws of server-side copies: conditional on both ends. */
export const describeCopies = (setup: Setup<ObjectStoreSetup>): void => {
  let objects: ObjectStore
  let outsider: Outsider
  beforeAll(async () => {
    ;({ objects, outsider } = await setup())
  })
  const mark: Mark = { operationId: newId() }
  const source = async (text = 'source'): Promise<{ from: string; etag: string; to: string }> => {
    const from = uniquePath('from')
    return { from, etag: await outsider.write(from, bytesOf(text)), to: uniquePath('to') }
  }
  const copy = (
    { from, etag, to }: { from: string; etag: string; to: string },
    expectation: Expect,
  ): Promise<CommitOutcome> => insisting(() => objects.copy(from, etag, to, expectation, plain, mark))
  const textAt = async (path: string): Promise<string> => textOf(await contentOf(await objects.get(path)))

  it('a copy has the content, and its source stays as it was', async () => {
    const one = await source()
    const before = await objects.head(one.from)
    const outcome = await copy(one, 'absent')
    expect(await objects.head(one.to)).toMatchObject({ etag: etagOf(outcome), size: 6, mark })
    expect(await textAt(one.to)).toBe('source')
    expect(await objects.head(one.from)).toEqual(before)
  })

  it('metadata, content type, tags survive a copy with our mark added', async () => {
    const [from, to] = [uniquePath('from'), uniquePath('to')]
    const attributes = {
      contentType: 'text/html; charset=utf-8',
      cacheControl: 'no-cache',
      contentDisposition: 'inline',
      metadata: { author: 'Zoë', 'x-y': '1' },
      tags: { stage: 'one two', 'a+b': 'c=d' },
    }
    await objects.put(from, bytesOf('x'), 'absent', attributes, { operationId: newId(), hops: 1 })
    const head = await objects.head(from)
    if (head === null) throw new Error('not there')
    const kept = { ...head.attributes, tags: await objects.tags(from) }
    await insisting(() => objects.copy(from, head.etag, to, 'absent', kept, mark))
    const copied = await objects.head(to)
    expect(copied?.attributes).toEqual(head.attributes)
    expect(copied?.mark).toEqual(mark)
    expect(await objects.tags(to)).toEqual(attributes.tags)
  })

  it('the attributes given replace all of the source, tags included', async () => {
    const [from, to] = [uniquePath('from'), uniquePath('to')]
    const attributes = {
      contentType: 'text/html',
      cacheControl: 'no-cache',
      metadata: { a: '1' },
      tags: { b: '2' },
    }
    const etag = etagOf(await objects.put(from, bytesOf('x'), 'absent', attributes, mark))
    await copy({ from, etag, to }, 'absent')
    const head = await objects.head(to)
    expect(head?.attributes).toMatchObject({ contentType: 'text/plain', metadata: {} })
    expect(head?.attributes.cacheControl).toBeUndefined()
    expect(await objects.tags(to)).toEqual({})
  })

  it('copy is conditional on the destination: absent', async () => {
    const one = await source()
    await outsider.write(one.to, bytesOf('in the way'))
    const before = await objects.head(one.to)
    expect(await copy(one, 'absent')).toEqual({ kind: 'changed' })
    expect(await objects.head(one.to)).toEqual(before)
  })

  it('copy is conditional on the destination: its ETag', async () => {
    const one = await source()
    const first = await outsider.write(one.to, bytesOf('first'))
    const second = await outsider.write(one.to, bytesOf('second'))
    expect(await copy(one, { etag: first })).toEqual({ kind: 'changed' })
    expect(await textAt(one.to)).toBe('second')
    expect((await copy(one, { etag: second })).kind).toBe('done')
    expect(await textAt(one.to)).toBe('source')
  })

  it('a copy onto an ETag where nothing is is `changed` and creates nothing', async () => {
    const one = await source()
    const etag = await outsider.write(one.to, bytesOf('gone'))
    await outsider.remove(one.to)
    expect(await copy(one, { etag })).toEqual({ kind: 'changed' })
    expect(await objects.head(one.to)).toBeNull()
  })

  it('copy is conditional on the source', async () => {
    const one = await source()
    await outsider.write(one.from, bytesOf('changed since'))
    expect(await copy(one, 'absent')).toEqual({ kind: 'changed' })
    await outsider.remove(one.from)
    expect(await copy(one, 'absent')).toEqual({ kind: 'changed' })
    expect(await objects.head(one.to)).toBeNull()
  })

  it('a refused copy leaves no upload behind', async () => {
    const one = await source()
    await outsider.write(one.to, bytesOf('in the way'))
    await copy(one, 'absent')
    await copy({ ...one, etag: '"00000000000000000000000000000000"' }, 'absent')
    await copy({ ...one, to: `${one.to}-2` }, 'absent')
    expect(await objects.uploads(one.to)).toEqual([])
  })

  it('an object of 0 bytes is copied, with everything attached to it', async () => {
    const [from, to] = [uniquePath('from'), uniquePath('to')]
    const etag = await outsider.write(from, new Uint8Array())
    const attributes = { contentType: 'text/css', metadata: { a: '1' }, tags: { b: '2' } }
    const outcome = await insisting(() => objects.copy(from, etag, to, 'absent', attributes, mark))
    const head = await objects.head(to)
    expect(head).toMatchObject({ etag: etagOf(outcome), size: 0, mark, tagged: true })
    expect(head?.attributes).toMatchObject({ contentType: 'text/css', metadata: { a: '1' } })
    expect(await copy({ from, etag, to }, 'absent')).toEqual({ kind: 'changed' })
    expect((await copy({ from, etag, to }, { etag: etagOf(outcome) })).kind).toBe('done')
  })

  it('a copy onto itself replaces the attributes', async () => {
    const from = uniquePath('itself')
    const etag = await outsider.write(from, bytesOf('same'), { contentType: 'text/css' })
    const outcome = await copy({ from, etag, to: from }, { etag })
    const head = await objects.head(from)
    expect(head).toMatchObject({ etag: etagOf(outcome), mark, size: 4 })
    expect(head?.attributes.contentType).toBe('text/plain')
    expect(await textAt(from)).toBe('same')
  })

  it('a large object is copied whole', async () => {
    const [from, to] = [uniquePath('from'), uniquePath('to')]
    const bytes = patternOf(6 * mib + 5)
    const etag = await outsider.write(from, bytes)
    expect((await copy({ from, etag, to }, 'absent')).kind).toBe('done')
    expect(Buffer.compare(await contentOf(await objects.get(to)), bytes)).toBe(0)
  })

  it('an object made of parts is copied whole', async () => {
    const [from, to] = [uniquePath('from'), uniquePath('to')]
    const uploadId = await objects.createUpload(from, plain, mark)
    await objects.uploadPart(from, uploadId, 1, patternOf(5 * mib))
    await objects.uploadPart(from, uploadId, 2, bytesOf('the end'))
    const parts = (await objects.parts(from, uploadId)) ?? []
    const etag = etagOf(await objects.complete(from, uploadId, parts, 'absent'))
    expect((await copy({ from, etag, to }, 'absent')).kind).toBe('done')
    const tail = await objects.get(to, { range: { start: 5 * mib, end: 5 * mib + 6 } })
    expect(tail).toMatchObject({ size: 5 * mib + 7 })
    expect(textOf(await contentOf(tail))).toBe('the end')
  })

  it('of concurrent copies to one absent destination exactly one is done', async () => {
    const to = uniquePath('to')
    const sources = await Promise.all(numbersTo(6).map((n) => source(`source ${n}`)))
    const outcomes = await Promise.all(sources.map((one) => copy({ ...one, to }, 'absent')))
    const winner = outcomes.findIndex(({ kind }) => kind === 'done')
    expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1)
    expect(await textAt(to)).toBe(`source ${winner}`)
  })

  it.each([...oddNames, 'as long as a key can be'])('both keys may be odd: %j', async (name) => {
    const isLong = name === 'as long as a key can be'
    const pathOf = (label: string): string =>
      isLong ? filledTo(uniquePath(label), 1024) : `${uniquePath(label)}/${name}`
    const [from, to] = [pathOf('from'), pathOf('to')]
    const etag = await outsider.write(from, bytesOf(name))
    expect((await copy({ from, etag, to }, 'absent')).kind).toBe('done')
    expect(await textAt(to)).toBe(name)
    const uploadId = await objects.createUpload(`${to.slice(0, 200)}-2`, plain, mark)
    const part = await objects.copyPart(`${to.slice(0, 200)}-2`, uploadId, 1, { path: from, etag })
    expect(part.kind).toBe('done')
    await objects.abort(`${to.slice(0, 200)}-2`, uploadId)
  })
}
