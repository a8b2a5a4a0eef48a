import { beforeEach, describe, expect, it } from 'vitest'
import { limits } from '#domain/limits.ts'
import type { Content } from '#domain/operation.ts'
import { type Intercept, intercepted } from '#memory/intercept.ts'
import type { MemoryObjectStore } from '#memory/memory-object-store.ts'
import { kindOf } from '#operations/registry.ts'
import {
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
  tryOnce,
  write,
} from './fake-task.ts'

let objects: MemoryObjectStore

beforeEach(() => {
  objects = memoryObjects()
})

const filledUpload = async (sizes: number[]): Promise<Content & { kind: 'upload' }> => {
  const uploadId = await objects.createUpload(
    'a',
    { contentType: 'text/csv', metadata: { by: 'client' } },
    { operationId },
  )
  for (const [index, size] of sizes.entries())
    await objects.uploadPart('a', uploadId, index + 1, pattern(size, index))
  return { kind: 'upload', uploadId, parts: sizes.length, size: sizes.reduce((sum, size) => sum + size, 0) }
}

describe('write', () => {
  it.each([0, 1, 512, 16 * 1024])('puts %i bytes with type, metadata and mark', async (size) => {
    const body = pattern(size)
    const result = await write(objects, 'a', body, { contentType: 'text/plain', metadata: { Who: 'me' } })
    const head = await objects.head('a')
    expect(result).toEqual({ etag: head?.etag, size })
    expect(head?.attributes).toEqual({ contentType: 'text/plain', metadata: { who: 'me' } })
    expect(head?.mark).toEqual({ operationId })
    expect(await bytesOf(objects, 'a')).toEqual(Buffer.from(body))
  })

  it('fetches a body that lies beside the record', async () => {
    const item = pattern(9000)
    await succeed(objects, 'write', { path: 'a' }, { content: { kind: 'item', size: 9000 }, item })
    expect(await bytesOf(objects, 'a')).toEqual(Buffer.from(item))
  })

  it('replaces a file as a whole: nothing of what was there stays', async () => {
    await objects.write('a', text('old'), {
      contentType: 'text/html',
      metadata: { old: '1' },
      tags: { t: '1' },
    })
    await write(objects, 'a', text('new'))
    const head = await objects.head('a')
    expect(head?.attributes).toEqual({ contentType: 'application/octet-stream', metadata: {} })
    expect(head?.tagged).toBe(false)
  })

  it('changes nothing that has changed since it was seen', async () => {
    await objects.write('a', text('one'))
    const kind = kindOf('write')
    const task = fakeTask(objects, kind, { path: 'a' }, { content: inline(text('mine')) })
    const seen = await observe(objects, kind, task.args)
    await objects.write('a', text('two'))
    expect(await applied(kind, task, seen)).toEqual({ kind: 'changed' })
    await objects.remove('a')
    expect(await applied(kind, task, seen)).toEqual({ kind: 'changed' })
    expect(await objects.head('a')).toBeNull()
  })

  it('tells the result of an effect that is found there', async () => {
    const kind = kindOf('write')
    if (kind.effect !== 'change') throw new Error('write changes')
    const task = fakeTask(objects, kind, { path: 'a' }, { content: { kind: 'item', size: 700 } })
    await write(objects, 'a', pattern(700))
    const found = await objects.head('a')
    expect(kind.recovered(task, { a: null }, found)).toEqual({ etag: found?.etag, size: 700 })
    expect(kind.recovered(task, { a: null }, null)).toEqual({ size: 700 })
  })
})

describe('preconditions of the file written', () => {
  const check = async (conditions: object) => {
    const outcome = await tryOnce(
      objects,
      'write',
      { path: 'a', ...conditions },
      { content: inline(text('new')) },
    )
    return outcome.kind === 'failed' ? outcome.error : outcome.kind
  }

  it('hold on an absent file: ifNoneMatch of any kind', async () => {
    expect(await check({ ifNoneMatch: '*' })).toBe('done')
    await objects.remove('a')
    expect(await check({ ifNoneMatch: 'abc' })).toBe('done')
  })

  it.each(['*', 'abc'])('fail on an absent file: ifMatch %s', async (ifMatch) => {
    expect(await check({ ifMatch })).toEqual({
      code: 'PreconditionFailed',
      message: `ifMatch: "a" does not exist, expected ${ifMatch === '*' ? 'an existing file' : '"abc"'}.`,
      retryable: false,
      details: {
        path: 'a',
        argument: 'ifMatch',
        expected: ifMatch === '*' ? 'an existing file' : '"abc"',
        actual: 'absent',
      },
    })
    expect(await objects.head('a')).toBeNull()
  })

  it('hold on the version that is there', async () => {
    const etag = await objects.write('a', text('old'))
    expect(await check({ ifMatch: etag.replaceAll('"', ''), ifNoneMatch: 'other' })).toBe('done')
    expect(await check({ ifMatch: '*' })).toBe('done')
  })

  it('fail on another version, and tell which is there', async () => {
    const etag = await objects.write('a', text('old'))
    expect(await check({ ifMatch: 'abc' })).toMatchObject({
      code: 'PreconditionFailed',
      message: `ifMatch: "a" has the ETag ${etag}, expected "abc".`,
      details: { path: 'a', expected: '"abc"', actual: etag },
    })
    expect(await check({ ifNoneMatch: '*' })).toMatchObject({
      message: `ifNoneMatch: "a" has the ETag ${etag}, expected no file.`,
      details: { expected: 'no file', actual: etag },
    })
    expect(await check({ ifNoneMatch: etag })).toMatchObject({
      message: `ifNoneMatch: "a" has the ETag ${etag}, expected any other version than ${etag}.`,
    })
    expect(await bytesOf(objects, 'a')).toEqual(Buffer.from('old'))
  })
})

describe('write of an upload that the client has filled', () => {
  it('commits the parts with what was fixed when the upload was created', async () => {
    const content = await filledUpload([5 * MIB, 3])
    const result = await succeed(objects, 'write', { path: 'a' }, { content })
    const head = await objects.head('a')
    expect(result).toEqual({ etag: head?.etag, size: 5 * MIB + 3 })
    expect(head?.attributes).toEqual({ contentType: 'text/csv', metadata: { by: 'client' } })
    expect(head?.mark).toEqual({ operationId })
    expect(await objects.uploads('')).toEqual([])
  })

  it('fails as UploadVoided if the upload is gone: nothing was written, send it again', async () => {
    const content = await filledUpload([10])
    await objects.abort('a', content.uploadId)
    expect(await fail(objects, 'write', { path: 'a' }, { content })).toMatchObject({
      code: 'UploadVoided',
      message: 'The upload for "a" is gone. Nothing was written: upload it again.',
      retryable: true,
    })
    expect(await objects.head('a')).toBeNull()
  })

  it.each([
    [
      { parts: 2 },
      'upload: got "1 part of 10 bytes in all", expected 2 parts of 10 bytes in all, as submitted.',
    ],
    [
      { size: 11 },
      'upload: got "1 part of 10 bytes in all", expected 1 part of 11 bytes in all, as submitted.',
    ],
  ])('refuses other parts than submitted: %j', async (other, message) => {
    const content = { ...(await filledUpload([10])), ...other }
    const error = await fail(objects, 'write', { path: 'a' }, { content })
    expect([error.code, error.message]).toEqual(['InvalidArgument', message])
    expect(await objects.head('a')).toBeNull()
  })

  it('refuses parts that S3 would not join', async () => {
    const content = await filledUpload([10, 10])
    const error = await fail(objects, 'write', { path: 'a' }, { content })
    expect(error.code).toBe('InvalidArgument')
    expect(error.message).toMatch(
      /^upload: got "part 1 has 10 bytes.*expected parts of at least 5 MiB each, except the last\.$/,
    )
  })

  it('keeps the upload when an outsider changed the file, and commits it onto the new version', async () => {
    const kind = kindOf('write')
    const content = await filledUpload([10])
    const task = fakeTask(objects, kind, { path: 'a' }, { content })
    const seen = await observe(objects, kind, task.args)
    await objects.write('a', text('outsider'))
    expect(await applied(kind, task, seen)).toEqual({ kind: 'changed' })
    const again = await applied(kind, task, await observe(objects, kind, task.args))
    expect(again).toMatchObject({ kind: 'done', result: { size: 10 } })
  })

  it.each(['void', 'no-upload'] as const)(
    'answers UploadVoided if the commit is answered with %s',
    async (kind) => {
      const content = await filledUpload([10])
      const answer: Intercept = async (call, proceed) => (call.method === 'complete' ? { kind } : proceed())
      const outcome = await tryOnce(
        intercepted(objects, 'objects', answer),
        'write',
        { path: 'a' },
        { content },
      )
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'UploadVoided', retryable: true } })
    },
  )

  it('refuses more than a file may have', async () => {
    const content = { ...(await filledUpload([10])), size: limits.fileBytes + 1 }
    expect(await fail(objects, 'write', { path: 'a' }, { content })).toMatchObject({
      code: 'TooLarge',
      details: { path: 'a', size: limits.fileBytes + 1, limit: limits.fileBytes },
    })
  })
})
