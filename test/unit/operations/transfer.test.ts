import { beforeEach, describe, expect, it } from 'vitest'
import type { ObjectVersion } from '#domain/operation.ts'
import { intercepted, recording } from '#memory/intercept.ts'
import type { MemoryObjectStore } from '#memory/memory-object-store.ts'
import { kindOf } from '#operations/registry.ts'
import {
  applied,
  bytesOf,
  fail,
  fakeTask,
  MIB,
  memoryObjects,
  observe,
  operationId,
  pattern,
  succeed,
  text,
} from './fake-task.ts'

let objects: MemoryObjectStore

beforeEach(() => {
  objects = memoryObjects()
})

const attributes = {
  contentType: 'text/csv',
  cacheControl: 'no-cache',
  metadata: { owner: 'me' },
  storageClass: 'STANDARD_IA',
}

const recovered = (
  kindName: string,
  args: object,
  base: Record<string, ObjectVersion | null>,
  found = null as never,
) => {
  const kind = kindOf(kindName)
  if (kind.effect !== 'change') throw new Error(`${kindName} changes nothing`)
  return kind.recovered(fakeTask(objects, kind, args), base, found)
}

describe.each(['copy', 'move'])('%s', (kindName) => {
  it.each([0, 3, 6 * MIB])('takes %i bytes over, with all attributes', async (size) => {
    await objects.write('a', pattern(size), { ...attributes, tags: { team: 'x' } })
    const result = await succeed(objects, kindName, { from: 'a', to: 'b' })
    const head = await objects.head('b')
    expect(result).toEqual({ etag: head?.etag, size })
    expect(head?.attributes).toEqual(attributes)
    expect(await objects.tags('b')).toEqual({ team: 'x' })
    expect(head?.mark).toEqual({ operationId })
    expect((await bytesOf(objects, 'b'))?.equals(pattern(size))).toBe(true)
  })

  it('replaces what is there, attributes included', async () => {
    await objects.write('a', text('new'))
    await objects.write('b', text('old'), {
      contentType: 'text/html',
      metadata: { old: '1' },
      tags: { t: '1' },
    })
    await succeed(objects, kindName, { from: 'a', to: 'b' })
    expect((await objects.head('b'))?.attributes.metadata).toEqual({})
    expect(await objects.tags('b')).toEqual({})
  })

  it('fails as NotFound that names a missing source, whatever is asked of it', async () => {
    for (const conditions of [{}, { fromIfMatch: 'abc' }, { ifMatch: '*' }]) {
      const error = await fail(objects, kindName, { from: 'a', to: 'b', ...conditions })
      expect([error.code, error.message, error.details]).toEqual([
        'NotFound',
        '"a" does not exist.',
        { path: 'a' },
      ])
    }
  })

  it('obeys preconditions of source and target', async () => {
    const etag = await objects.write('a', text('new'))
    expect(await fail(objects, kindName, { from: 'a', to: 'b', fromIfMatch: 'abc' })).toMatchObject({
      code: 'PreconditionFailed',
      message: `fromIfMatch: "a" has the ETag ${etag}, expected "abc".`,
      details: { path: 'a', argument: 'fromIfMatch', expected: '"abc"', actual: etag },
    })
    expect(await fail(objects, kindName, { from: 'a', to: 'b', ifMatch: '*' })).toMatchObject({
      code: 'PreconditionFailed',
      details: { path: 'b', actual: 'absent' },
    })
    expect(await objects.head('b')).toBeNull()
    await succeed(objects, kindName, { from: 'a', to: 'b', fromIfMatch: etag, ifNoneMatch: '*' })
    expect(await fail(objects, kindName, { from: 'a', to: 'b', ifNoneMatch: '*' })).toMatchObject({
      code: 'PreconditionFailed',
    })
  })

  it('changes nothing if source or target have changed since', async () => {
    await objects.write('a', text('one'))
    const kind = kindOf(kindName)
    const task = fakeTask(objects, kind, { from: 'a', to: 'b' })
    const seen = await observe(objects, kind, task.args)
    await objects.write('b', text('outsider'))
    expect(await applied(kind, task, seen)).toEqual({ kind: 'changed' })
    await objects.remove('b')
    await objects.write('a', text('two'))
    expect(await applied(kind, task, seen)).toEqual({ kind: 'changed' })
    expect(await objects.head('b')).toBeNull()
  })

  it('tells the size of an effect that is found there from the base of the source', () => {
    const base = { a: { etag: '"a"', size: 7 }, b: null }
    expect(recovered(kindName, { from: 'a', to: 'b' }, base)).toEqual({ size: 7 })
  })
})

it('move names the source that the engine deletes, copy names none', () => {
  const retired = (name: string): string | undefined => {
    const kind = kindOf(name)
    return kind.effect === 'change' ? kind.retires?.({ from: 'a', to: 'b' }) : undefined
  }
  expect([retired('move'), retired('copy')]).toEqual(['a', undefined])
})

describe('delete', () => {
  it('deletes the version seen, and tells that it was there', async () => {
    const etag = await objects.write('a', text('x'))
    expect(await succeed(objects, 'delete', { path: 'a', ifMatch: etag })).toEqual({ existed: true })
    expect(await objects.head('a')).toBeNull()
  })

  it('of an absent file succeeds, unless a version was asked for', async () => {
    expect(await succeed(objects, 'delete', { path: 'a' })).toEqual({ existed: false })
    for (const ifMatch of ['*', 'abc']) {
      expect(await fail(objects, 'delete', { path: 'a', ifMatch })).toMatchObject({
        code: 'PreconditionFailed',
        details: { path: 'a', actual: 'absent' },
      })
    }
  })

  it('never deletes what came after it looked', async () => {
    await objects.write('a', text('one'))
    const kind = kindOf('delete')
    const task = fakeTask(objects, kind, { path: 'a' })
    const seen = await observe(objects, kind, task.args)
    await objects.write('a', text('two'))
    expect(await applied(kind, task, seen)).toEqual({ kind: 'changed' })
    expect(await bytesOf(objects, 'a')).toEqual(Buffer.from('two'))
    await objects.remove('a')
    expect(await applied(kind, task, seen)).toEqual({ kind: 'changed' })
  })

  it('tells from the base whether there was something', () => {
    expect(recovered('delete', { path: 'a' }, { a: { etag: '"a"', size: 1 } })).toEqual({ existed: true })
    expect(recovered('delete', { path: 'a' }, { a: null })).toEqual({ existed: false })
  })
})

describe('concat', () => {
  const fill = async (sizes: Record<string, number>): Promise<void> => {
    for (const [path, size] of Object.entries(sizes))
      await objects.write(path, pattern(size, path.charCodeAt(0)))
  }
  const joined = async (from: string[]): Promise<Buffer> =>
    Buffer.concat(
      await Promise.all(from.map(async (path) => (await bytesOf(objects, path)) ?? new Uint8Array())),
    )

  it.each([
    [{ a: 1, b: 0, c: 2 }, ['c', 'a', 'b', 'a']],
    [{ a: 0, b: 0 }, ['a', 'b']],
    [{ a: 4 * MIB, b: 4 * MIB, c: 4 * MIB }, ['a', 'b', 'c']],
    [{ a: 6 * MIB, b: 10, c: 12 * MIB }, ['a', 'b', 'c', 'b']],
    [{ a: 10, b: 5 * MIB, c: 5 * MIB - 1 }, ['a', 'b', 'c', 'a']],
    [{ a: 7 * MIB }, ['a']],
  ])('joins %j as %j', async (sizes, from) => {
    await fill(sizes)
    const wanted = await joined(from)
    const result = await succeed(objects, 'concat', { from, to: 'to' })
    const head = await objects.head('to')
    expect(result).toEqual({ etag: head?.etag, size: wanted.length })
    expect(head?.mark).toEqual({ operationId })
    expect((await bytesOf(objects, 'to'))?.equals(wanted)).toBe(true)
    expect(await objects.uploads('')).toEqual([])
  })

  it.each([
    [{ a: 1, to: 2 }, ['to', 'a', 'to']],
    [{ a: 1, to: 6 * MIB }, ['to', 'a', 'to']],
    [{ a: 6 * MIB, to: 3 }, ['a', 'to']],
    [{ to: 5 }, ['to']],
  ])('takes the target as a source as it was before: %j as %j', async (sizes, from) => {
    await fill(sizes)
    const wanted = await joined(from)
    await succeed(objects, 'concat', { from, to: 'to' })
    expect((await bytesOf(objects, 'to'))?.equals(wanted)).toBe(true)
  })

  it('takes attributes of the first source, or keeps those of a target that is a source', async () => {
    await objects.write('a', text('a'), { ...attributes, tags: { team: 'x' } })
    await objects.write('b', text('b'), { contentType: 'text/html', metadata: {} })
    await objects.write('to', text('t'), { contentType: 'text/plain', metadata: { to: '1' } })
    await succeed(objects, 'concat', { from: ['b', 'a', 'to'], to: 'to' })
    expect((await objects.head('to'))?.attributes).toEqual({
      contentType: 'text/plain',
      metadata: { to: '1' },
    })
    await succeed(objects, 'concat', { from: ['a', 'b'], to: 'to' })
    expect((await objects.head('to'))?.attributes).toEqual(attributes)
    expect(await objects.tags('to')).toEqual({ team: 'x' })
  })

  it('reads 98 small files and writes once', async () => {
    const from = Array.from({ length: 98 }, (_, index) => `s/${index}`)
    for (const [index, path] of from.entries()) await objects.write(path, text(`${index},`))
    const { calls, intercept } = recording()
    await succeed(intercepted(objects, 'objects', intercept), 'concat', { from, to: 'to' })
    expect(calls.filter((call) => call.method === 'put')).toHaveLength(1)
    expect((await bytesOf(objects, 'to'))?.toString()).toBe(from.map((_, index) => `${index},`).join(''))
  })

  it('fails as NotFound that names the missing source', async () => {
    await fill({ a: 1 })
    expect(await fail(objects, 'concat', { from: ['a', 'b'], to: 'to' })).toMatchObject({
      code: 'NotFound',
      details: { path: 'b' },
    })
    expect(await objects.head('to')).toBeNull()
  })

  it.each([3, 6 * MIB])('changes nothing if a source of %i bytes has changed since', async (size) => {
    await fill({ a: size, b: 1 })
    const kind = kindOf('concat')
    const task = fakeTask(objects, kind, { from: ['b', 'a', 'b'], to: 'to' })
    const seen = await observe(objects, kind, task.args)
    await objects.write('a', text('outsider'))
    expect(await applied(kind, task, seen)).toEqual({ kind: 'changed' })
    expect(await objects.head('to')).toBeNull()
  })

  it('obeys preconditions, and refuses a file beyond the limit', async () => {
    await fill({ a: 1 })
    expect(await fail(objects, 'concat', { from: ['a'], to: 'to', ifMatch: 'x' })).toMatchObject({
      code: 'PreconditionFailed',
    })
    const kind = kindOf('concat')
    if (kind.effect !== 'change') throw new Error('concat changes')
    const huge = { a: { etag: '"a"', size: 3 * 1024 ** 3 }, to: null }
    expect(kind.check({ from: ['a', 'a'], to: 'to' }, huge)).toMatchObject({
      code: 'TooLarge',
      details: { path: 'to', size: 6 * 1024 ** 3 },
    })
  })

  it('tells the size of an effect that is found there from the bases of the sources', () => {
    const base = { a: { etag: '"a"', size: 7 }, b: { etag: '"b"', size: 1 } }
    expect(recovered('concat', { from: ['a', 'b', 'a'], to: 'b' }, base)).toEqual({ size: 15 })
  })
})
