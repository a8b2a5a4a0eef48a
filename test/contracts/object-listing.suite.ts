import { beforeAll, expect, it } from 'vitest'
import type { Listing, ObjectStore } from '#ports/object-store.ts'
import type { ObjectStoreSetup, Outsider, Setup } from './setups.ts'
import { bytesOf, inParallel, numbersTo, oddNames, uniquePath } from './support.ts'

const inByteOrder = (texts: readonly string[]): string[] =>
  texts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

/** The laws of listing: S3's order, pages and prefixes. */
export const describeListing = (setup: Setup<ObjectStoreSetup>): void => {
  let objects: ObjectStore
  let outsider: Outsider
  beforeAll(async () => {
    ;({ objects, outsider } = await setup())
  })
  /** Files below a prefix of their own. */
  const filesUnder = async (names: readonly string[]): Promise<string> => {
    const prefix = `${uniquePath('list')}/`
    await inParallel(
      16,
      names.map((name) => () => outsider.write(prefix + name, bytesOf(name))),
    )
    return prefix
  }
  const pagesOf = async (
    prefix: string,
    options: { delimiter?: string; limit?: number },
  ): Promise<Listing[]> => {
    const pages: Listing[] = []
    let cursor: string | undefined
    do {
      const page = await objects.list(prefix, { ...options, ...(cursor !== undefined && { cursor }) })
      pages.push(page)
      cursor = page.cursor
    } while (cursor !== undefined)
    return pages
  }
  const namesOf = (pages: readonly Listing[], prefix: string): string[] =>
    pages.flatMap(({ files }) => files.map(({ path }) => path.slice(prefix.length)))

  it('a prefix without files lists nothing', async () => {
    expect(await objects.list(`${uniquePath('nothing')}/`)).toEqual({ files: [], prefixes: [] })
  })

  it('each file is told as its head tells it', async () => {
    const prefix = await filesUnder(['a', 'bb'])
    const { files } = await objects.list(prefix)
    for (const { path, size, etag, lastModified } of files) {
      const head = await objects.head(path)
      expect(head).toMatchObject({ size, etag })
      expect(Math.floor(lastModified / 1000)).toBe(Math.floor((head?.lastModified ?? 0) / 1000))
    }
    expect(files.map(({ path }) => path)).toEqual([`${prefix}a`, `${prefix}bb`])
  })

  it('a prefix is text, not a folder', async () => {
    const prefix = await filesUnder(['one', 'one/two', 'onetwo', 'other'])
    const { files } = await objects.list(`${prefix}one`)
    expect(files.map(({ path }) => path.slice(prefix.length))).toEqual(['one', 'one/two', 'onetwo'])
  })

  it('files come in the order of UTF-8 bytes, odd as their names may be', async () => {
    // U+FF5E sorts before U+1F388 in UTF-8, and after it in UTF-16.
    const names = [...oddNames, '～', '🎈', 'Z', 'a', 'a/b', 'a-b', 'a0', 'é', '~']
    const prefix = await filesUnder(names)
    expect(namesOf([await objects.list(prefix)], prefix)).toEqual(inByteOrder(names))
    expect(namesOf(await pagesOf(prefix, { limit: 2 }), prefix)).toEqual(inByteOrder(names))
  })

  it('a prefix may be odd', async () => {
    for (const name of oddNames) {
      const prefix = await filesUnder([`${name}/x`, 'other'])
      expect(namesOf([await objects.list(`${prefix}${name}`)], prefix)).toEqual([`${name}/x`])
      const { prefixes } = await objects.list(prefix, { delimiter: '/' })
      expect(prefixes).toEqual([`${prefix}${name}/`])
    }
  })

  it('pages tell every file exactly once', async () => {
    const names = numbersTo(23).map((n) => `file-${n}`)
    const prefix = await filesUnder(names)
    for (const limit of [1, 5, 23, 24]) {
      const pages = await pagesOf(prefix, { limit })
      expect(pages.every(({ files }) => files.length <= limit)).toBe(true)
      expect(namesOf(pages, prefix)).toEqual(inByteOrder(names))
    }
  })

  it('without a limit a page has at most 1,000, and the cursor leads on', async () => {
    const names = numbersTo(1003).map((n) => String(n).padStart(5, '0'))
    const prefix = await filesUnder(names)
    const pages = await pagesOf(prefix, {})
    expect(pages[0]?.files).toHaveLength(1000)
    expect(namesOf(pages, prefix)).toEqual(names)
  })

  it('with a delimiter, what lies below is rolled up', async () => {
    const prefix = await filesUnder(['a', 'b/1', 'b/2', 'b/c/3', 'b0', 'd/4'])
    const { files, prefixes } = await objects.list(prefix, { delimiter: '/' })
    expect(files.map(({ path }) => path.slice(prefix.length))).toEqual(['a', 'b0'])
    expect(prefixes.map((path) => path.slice(prefix.length))).toEqual(['b/', 'd/'])
    const below = await objects.list(`${prefix}b/`, { delimiter: '/' })
    expect(below.files.map(({ path }) => path.slice(prefix.length))).toEqual(['b/1', 'b/2'])
    expect(below.prefixes).toEqual([`${prefix}b/c/`])
  })

  it('pages tell every prefix exactly once, and count it as one', async () => {
    const folders = numbersTo(5).map((n) => `folder-${n}`)
    const names = folders.flatMap((folder) => [`${folder}/1`, `${folder}/2`, `${folder}/3`, `${folder}.txt`])
    const prefix = await filesUnder(names)
    for (const limit of [1, 2, 3, 10, 11]) {
      const pages = await pagesOf(prefix, { delimiter: '/', limit })
      expect(pages.every((page) => page.files.length + page.prefixes.length <= limit)).toBe(true)
      expect(pages.flatMap(({ prefixes }) => prefixes)).toEqual(
        folders.map((folder) => `${prefix}${folder}/`),
      )
      expect(namesOf(pages, prefix)).toEqual(folders.map((folder) => `${folder}.txt`))
    }
  })

  it('what is deleted between two pages hides and repeats nothing else', async () => {
    const names = numbersTo(6).map((n) => `file-${n}`)
    const prefix = await filesUnder(names)
    const first = await objects.list(prefix, { limit: 3 })
    for (const { path } of first.files) await outsider.remove(path)
    if (first.cursor === undefined) throw new Error('no cursor')
    const second = await objects.list(prefix, { limit: 3, cursor: first.cursor })
    expect(namesOf([first, second], prefix)).toEqual(names)
  })
}
