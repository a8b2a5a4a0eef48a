import { beforeAll, expect, it } from 'vitest'
import type { Mark, ObjectAttributes, ObjectHead, ObjectStore } from '#ports/object-store.ts'
import type { ObjectStoreSetup, Outsider, Setup } from './setups.ts'
import { bytesOf, etagOf, newId, plain, uniquePath } from './support.ts'

/** All that HTTP lets a user attach. */
const full: ObjectAttributes = {
  contentType: 'text/html; charset=utf-8',
  cacheControl: 'max-age=60, must-revalidate',
  contentDisposition: 'attachment; filename="a b.html"',
  contentEncoding: 'identity',
  contentLanguage: 'de-CH',
  metadata: { plain: 'value', 'with-dash_and_underscore': 'x' },
}

/** Values that some layer between here and S3 could take apart. */
const oddValues: Readonly<Record<string, string>> = {
  ascii: 'a=b; c="d", e?f&g#h+i%20j',
  'two-spaces': 'one  two',
  latin: 'café naïve',
  'other-scripts': 'файл 文件 ファイル',
  emoji: '🎈 and 👩‍👩‍👧',
  mixed: 'plain, then ünïcode, then plain',
  'looks-quoted': '=not an encoded word?=',
  long: 'x'.repeat(600),
  'long-and-wide': 'é'.repeat(150),
}

/** The laws of attributes, tags and the mark: they are stored with the content and told with the head. */
export const describeAttributes = (setup: Setup<ObjectStoreSetup>): void => {
  let objects: ObjectStore
  let outsider: Outsider
  let lacks: NonNullable<ObjectStoreSetup['lacks']>
  beforeAll(async () => {
    ;({ objects, outsider, lacks = [] } = await setup())
  })
  const mark: Mark = { operationId: newId() }
  const put = async (
    attributes: ObjectAttributes,
    by = mark,
  ): Promise<{ path: string; head: ObjectHead }> => {
    const path = uniquePath('attributes')
    await objects.put(path, bytesOf('content'), 'absent', attributes, by)
    const head = await objects.head(path)
    if (head === null) throw new Error('not there')
    return { path, head }
  }

  it('content type, caching, disposition, encoding, language and metadata are told as given', async () => {
    expect((await put(full)).head.attributes).toMatchObject(full)
  })

  it('an upload keeps what it was created with', async () => {
    const path = uniquePath('attributes')
    const tags = { kind: 'upload' }
    const uploadId = await objects.createUpload(path, { ...full, tags }, { ...mark, hops: 2 })
    await objects.uploadPart(path, uploadId, 1, bytesOf('content'))
    await objects.complete(path, uploadId, (await objects.parts(path, uploadId)) ?? [], 'absent')
    const head = await objects.head(path)
    expect(head).toMatchObject({ attributes: full, mark: { ...mark, hops: 2 }, tagged: true })
    expect(head?.attributes.metadata).toEqual(full.metadata)
    if (!lacks.includes('upload-tags')) expect(await objects.tags(path)).toEqual(tags)
  })

  it('an object without any has a content type all the same, and no more', async () => {
    const { attributes, tagged } = (await put({ metadata: {} })).head
    expect(attributes.contentType).toMatch(/^(binary|application)\/octet-stream$/)
    expect(attributes.metadata).toEqual({})
    expect(attributes.cacheControl).toBeUndefined()
    expect(attributes.contentDisposition).toBeUndefined()
    if (!lacks.includes('tag-count')) expect(tagged).toBe(false)
  })

  it('names of metadata come back in lower case', async () => {
    const { head } = await put({ metadata: { 'Mixed-Case': 'Value' } })
    expect(head.attributes.metadata).toEqual({ 'mixed-case': 'Value' })
  })

  it.each(Object.entries(oddValues))('a value of metadata may be odd: %s', async (name, value) => {
    const { path, head } = await put({ metadata: { [name]: value } })
    expect(head.attributes.metadata).toEqual({ [name]: value })
    const target = uniquePath('attributes-copy')
    await objects.copy(path, head.etag, target, 'absent', head.attributes, mark)
    expect((await objects.head(target))?.attributes.metadata).toEqual({ [name]: value })
    const uploadId = await objects.createUpload(`${target}-2`, head.attributes, mark)
    await objects.uploadPart(`${target}-2`, uploadId, 1, bytesOf('x'))
    const parts = (await objects.parts(`${target}-2`, uploadId)) ?? []
    await objects.complete(`${target}-2`, uploadId, parts, 'absent')
    expect((await objects.head(`${target}-2`))?.attributes.metadata).toEqual({ [name]: value })
  })

  it('the mark is told apart from the metadata', async () => {
    const { head } = await put({ metadata: { mine: 'yes' } }, { operationId: mark.operationId, hops: 3 })
    expect(head.mark).toEqual({ operationId: mark.operationId, hops: 3 })
    expect(head.attributes.metadata).toEqual({ mine: 'yes' })
  })

  it('a mark without hops has none, and 0 hops are 0 hops', async () => {
    expect((await put(plain)).head.mark).toEqual(mark)
    expect((await put(plain, { ...mark, hops: 0 })).head.mark).toEqual({ ...mark, hops: 0 })
  })

  it('an object of an outsider has no mark', async () => {
    const path = uniquePath('attributes')
    await outsider.write(path, bytesOf('x'), { contentType: 'text/css', metadata: { mine: 'yes' } })
    const head = await objects.head(path)
    expect(head?.mark).toBeUndefined()
    expect(head?.attributes).toMatchObject({ contentType: 'text/css', metadata: { mine: 'yes' } })
  })

  it('an outsider who keeps our metadata keeps the mark', async () => {
    const path = uniquePath('attributes')
    const metadata = { mine: 'yes', 'lockstep-op': mark.operationId, 'lockstep-hops': '4' }
    await outsider.write(path, bytesOf('x'), { metadata })
    const head = await objects.head(path)
    expect(head?.mark).toEqual({ ...mark, hops: 4 })
    expect(head?.attributes.metadata).toEqual({ mine: 'yes' })
  })

  it('hops that are not a number are no hops', async () => {
    const path = uniquePath('attributes')
    const metadata = { 'lockstep-op': mark.operationId, 'lockstep-hops': 'many' }
    await outsider.write(path, bytesOf('x'), { metadata })
    expect((await objects.head(path))?.mark).toEqual(mark)
  })

  it('tags are kept and told on demand', async () => {
    const tags = { project: 'a b', 'odd+key=1': 'x/y:z@_-.', empty: '', ünïcode: 'wörld' }
    const { path, head } = await put({ ...plain, tags })
    expect(head.tagged).toBe(true)
    expect(head.attributes.tags).toBeUndefined()
    expect(await objects.tags(path)).toEqual(tags)
  })

  it('an object without tags has none, also one that replaces one with tags', async () => {
    const path = uniquePath('attributes')
    const first = await objects.put(path, bytesOf('x'), 'absent', { ...plain, tags: { a: '1' } }, mark)
    await objects.put(path, bytesOf('y'), { etag: etagOf(first) }, { ...plain, tags: {} }, mark)
    if (!lacks.includes('tag-count')) expect((await objects.head(path))?.tagged).toBe(false)
    if (!lacks.includes('fresh-tags')) expect(await objects.tags(path)).toEqual({})
  })
}
