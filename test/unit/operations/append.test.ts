import { beforeEach, describe, expect, it } from 'vitest'
import { limits } from '#domain/limits.ts'
import type { Content } from '#domain/operation.ts'
import { stagingKey } from '#domain/path.ts'
import { intercepted, recording } from '#memory/intercept.ts'
import type { MemoryObjectStore } from '#memory/memory-object-store.ts'
import { kindOf } from '#operations/registry.ts'
import type { Result } from '#operations/task.ts'
import {
  append,
  applied,
  bytesOf,
  fail,
  fakeTask,
  inline,
  MIB,
  memoryObjects,
  observe,
  operationId,
  pattern,
  succeed,
  text,
} from './fake-task.ts'

const upload = '01ARZ3NDEKTSV4RRFFQ69G5FAW'

let objects: MemoryObjectStore

beforeEach(() => {
  objects = memoryObjects()
})

const staged = async (bytes: Uint8Array): Promise<Content> => {
  await objects.write(stagingKey(upload), bytes)
  return { kind: 'staged', upload, size: bytes.length }
}

/** The file as it is, and what it has to be. */
const joinedOf = async (result: Result, before: Uint8Array, body: Uint8Array) => {
  const head = await objects.head('a')
  const bytes = await bytesOf(objects, 'a')
  const uploads = await objects.uploads('')
  const wanted = { etag: head?.etag, offset: before.length, size: before.length + body.length }
  const isRight = bytes?.equals(Buffer.concat([before, body])) ?? false
  return {
    got: { result, isRight, mark: head?.mark, uploads },
    wanted: { result: wanted, isRight: true, mark: { operationId }, uploads: [] },
  }
}

describe('append', () => {
  it('creates the file with type and metadata', async () => {
    const result = await append(objects, 'a', text('one'), {
      contentType: 'text/plain',
      metadata: { n: '1' },
    })
    const { got, wanted } = await joinedOf(result, new Uint8Array(), text('one'))
    expect(got).toEqual(wanted)
    expect((await objects.head('a'))?.attributes).toEqual({ contentType: 'text/plain', metadata: { n: '1' } })
  })

  it('creates an empty file from an empty body', async () => {
    const { got, wanted } = await joinedOf(
      await append(objects, 'a', new Uint8Array()),
      new Uint8Array(),
      new Uint8Array(),
    )
    expect(got).toEqual(wanted)
  })

  it.each([0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 11 * MIB])('adds to a file of %i bytes', async (size) => {
    const before = pattern(size)
    await objects.write('a', before)
    const { got, wanted } = await joinedOf(
      await append(objects, 'a', text('and more')),
      before,
      text('and more'),
    )
    expect(got).toEqual(wanted)
  })

  it.each([
    [0, 1],
    [1, 5 * MIB],
    [3 * MIB, 3 * MIB],
    [4 * MIB, 12 * MIB],
    [5 * MIB - 1, 5 * MIB],
    [5 * MIB, 7 * MIB],
    [6 * MIB, 1],
  ])('adds to %i bytes a staged body of %i', async (size, bodySize) => {
    const [before, body] = [pattern(size), pattern(bodySize, 2)]
    await objects.write('a', before)
    const content = await staged(body)
    const { got, wanted } = await joinedOf(
      await succeed(objects, 'append', { path: 'a' }, { content }),
      before,
      body,
    )
    expect(got).toEqual(wanted)
  })

  it('creates the file from a staged body', async () => {
    const body = pattern(6 * MIB)
    const content = await staged(body)
    const { got, wanted } = await joinedOf(
      await succeed(objects, 'append', { path: 'a' }, { content }),
      new Uint8Array(),
      body,
    )
    expect(got).toEqual(wanted)
  })

  it.each([100, 6 * MIB])('keeps all attributes of a file of %i bytes, and ignores its own', async (size) => {
    const attributes = {
      contentType: 'text/csv',
      cacheControl: 'no-cache',
      contentEncoding: 'identity',
      metadata: { owner: 'me' },
      storageClass: 'STANDARD_IA',
      encryption: { algorithm: 'aws:kms', keyId: 'k' },
    }
    await objects.write('a', pattern(size), { ...attributes, tags: { team: 'x' } })
    await append(objects, 'a', text('more'), { contentType: 'text/plain', metadata: { n: '1' } })
    expect((await objects.head('a'))?.attributes).toEqual(attributes)
    expect(await objects.tags('a')).toEqual({ team: 'x' })
  })

  it('moves no byte of a file of 5 MiB and more through itself, but its own body', async () => {
    await objects.write('a', pattern(64 * MIB))
    const { calls, intercept } = recording()
    await append(intercepted(objects, 'objects', intercept), 'a', text('more'))
    expect(calls.filter((call) => call.method === 'get')).toEqual([])
    expect(calls.filter((call) => call.method === 'uploadPart').map((call) => call.args[3])).toEqual([
      text('more'),
    ])
  })

  it('of nothing leaves the file as it is', async () => {
    const etag = await objects.write('a', text('abc'))
    expect(await append(objects, 'a', new Uint8Array())).toEqual({ etag, offset: 3, size: 3 })
    expect((await objects.head('a'))?.mark).toBeUndefined()
  })

  it.each([10, 6 * MIB])('changes nothing if %i bytes that it saw have changed since', async (size) => {
    await objects.write('a', pattern(size))
    const kind = kindOf('append')
    const task = fakeTask(objects, kind, { path: 'a' }, { content: inline(text('more')) })
    const seen = await observe(objects, kind, task.args)
    await objects.write('a', text('outsider'))
    expect(await applied(kind, task, seen)).toEqual({ kind: 'changed' })
    const again = await applied(kind, task, await observe(objects, kind, task.args))
    expect(again).toMatchObject({ kind: 'done', result: { offset: 8, size: 12 } })
    expect(await bytesOf(objects, 'a')).toEqual(Buffer.from('outsidermore'))
    expect(await objects.uploads('')).toEqual([])
  })

  it('refuses a staged body that is gone or another', async () => {
    const content = await staged(text('body'))
    expect(await fail(objects, 'append', { path: 'a' }, { content: { ...content, size: 5 } })).toMatchObject({
      code: 'InvalidArgument',
      message: 'upload: got "4 bytes", expected 5 bytes, as submitted.',
    })
    await objects.discard(stagingKey(upload))
    expect(await fail(objects, 'append', { path: 'a' }, { content })).toMatchObject({
      code: 'UploadVoided',
      message: 'The staged body is gone. Nothing was written: upload it again.',
    })
  })

  it('fails as TooLarge before it does anything, if the file would grow beyond the limit', async () => {
    await objects.write('a', text('x'))
    const content: Content = { kind: 'staged', upload, size: limits.fileBytes }
    expect(await fail(objects, 'append', { path: 'a' }, { content })).toMatchObject({
      code: 'TooLarge',
      message: `"a" would have ${limits.fileBytes + 1} bytes, expected at most ${limits.fileBytes}.`,
    })
  })

  it('obeys preconditions', async () => {
    expect(
      await fail(objects, 'append', { path: 'a', ifMatch: '*' }, { content: inline(text('x')) }),
    ).toMatchObject({
      code: 'PreconditionFailed',
    })
    await append(objects, 'a', text('x'), { ifNoneMatch: '*' })
    const content = inline(text('y'))
    expect(await fail(objects, 'append', { path: 'a', ifNoneMatch: '*' }, { content })).toMatchObject({
      code: 'PreconditionFailed',
    })
    expect(await bytesOf(objects, 'a')).toEqual(Buffer.from('x'))
  })

  it('tells offset and size of an effect that is found there from the base', async () => {
    const kind = kindOf('append')
    if (kind.effect !== 'change') throw new Error('append changes')
    const task = fakeTask(objects, kind, { path: 'a' }, { content: { kind: 'item', size: 600 } })
    const base = { a: { etag: '"b"', size: 40 } }
    await objects.write('a', pattern(640))
    const found = await objects.head('a')
    expect(kind.recovered(task, base, found)).toEqual({ etag: found?.etag, offset: 40, size: 640 })
    expect(kind.recovered(task, base, null)).toEqual({ offset: 40, size: 640 })
    expect(kind.recovered(task, { a: null }, null)).toEqual({ offset: 0, size: 600 })
  })
})
