import { describe, expect, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import { stagingKey } from '#domain/path.ts'
import { cancel } from '#engine/cancel.ts'
import { Mortal } from '#test/support/gates.ts'
import { Stage, visibilityMs } from '#test/support/stage.ts'

const mib = 1024 * 1024

/** Content of the size of two parts, uploaded to the target before the submit. */
const uploaded = async (stage: Stage) => {
  const { objects } = stage.world
  const id = stage.newId()
  const upload = await objects.createUpload('a', { metadata: { color: 'red' } }, { operationId: id })
  await objects.uploadPart('a', upload, 1, Buffer.alloc(limits.partMinBytes, 'A'))
  await objects.uploadPart('a', upload, 2, Buffer.from('B'))
  return { id, kind: 'write', path: 'a', upload, parts: 2, size: limits.partMinBytes + 1 }
}

describe('content that goes around us', () => {
  test('a write commits the upload that its client has filled', async () => {
    const stage = new Stage()
    const id = await stage.submit(await uploaded(stage))
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({ status: 'succeeded', result: { size: limits.partMinBytes + 1 } })
    expect((await stage.world.objects.head('a'))?.attributes.metadata).toEqual({ color: 'red' })
  })

  test('an upload of another size than submitted is refused, and aborted', async () => {
    const stage = new Stage()
    const id = await stage.submit({ ...(await uploaded(stage)), size: 7 })
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({ status: 'failed', error: { code: 'InvalidArgument' } })
    expect(await stage.world.objects.uploads('')).toEqual([])
  })

  test('an upload that is gone fails as UploadVoided, retryable', async () => {
    const stage = new Stage()
    const request = await uploaded(stage)
    const id = await stage.submit(request)
    await stage.world.objects.abort('a', request.upload)
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({
      status: 'failed',
      error: { code: 'UploadVoided', retryable: true },
    })
  })

  test('a cancel aborts the upload', async () => {
    const stage = new Stage()
    const id = await stage.submit(await uploaded(stage))
    await stage.until(cancel(stage.process(), id))
    expect(await stage.world.objects.uploads('')).toEqual([])
  })

  test.each(['before', 'after'] as const)('a worker may die %s the commit', async (moment) => {
    const stage = new Stage()
    const id = await stage.submit(await uploaded(stage))
    const mortal = new Mortal(moment, 'objects.complete')
    await stage.deliver({ ports: stage.process(mortal.intercept), mortal })
    await stage.pass(visibilityMs)
    await stage.deliverAll()
    expect(stage.record(id).status).toBe('succeeded')
    expect(await stage.world.objects.uploads('')).toEqual([])
  })

  test('a staged append joins its body to the file, keeps its metadata, and leaves no staged object', async () => {
    const stage = new Stage()
    await stage.world.objects.write('a', Buffer.alloc(6 * mib, 'A'), { metadata: { color: 'red' } })
    const upload = stage.newId()
    await stage.world.objects.write(stagingKey(upload), Buffer.alloc(5 * mib, 'B'))
    const id = await stage.submit({ kind: 'append', path: 'a', upload, size: 5 * mib })
    await stage.deliverAll()
    expect(stage.record(id).result).toMatchObject({ offset: 6 * mib, size: 11 * mib })
    const head = await stage.world.objects.head('a')
    expect(head).toMatchObject({ size: 11 * mib, attributes: { metadata: { color: 'red' } } })
    expect(await stage.world.objects.head(stagingKey(upload))).toBeNull()
    expect(await stage.world.objects.uploads('')).toEqual([])
  })

  test('a body that was never staged fails as UploadVoided', async () => {
    const stage = new Stage()
    const id = await stage.submit({ kind: 'append', path: 'a', upload: stage.newId(), size: 1 })
    await stage.deliverAll()
    expect(stage.record(id)).toMatchObject({ status: 'failed', error: { code: 'UploadVoided' } })
  })

  test('what is large is handed over to the shards function, and keeps its line', async () => {
    const stage = new Stage()
    await stage.world.objects.write('a', Buffer.alloc(limits.smallWorkBytes + 1, 'A'))
    const id = await stage.submit({ kind: 'copy', from: 'a', to: 'b' })
    const next = await stage.submit({ kind: 'append', path: 'b', body: 'X' })
    await stage.until(stage.deliver())
    expect(stage.messages('shards')).toEqual([id])
    expect(await stage.line('b')).toEqual([id, next])
    await stage.until(stage.deliver({ queue: 'shards' }))
    expect(stage.record(id)).toMatchObject({ status: 'succeeded', attempt: 2 })
    expect((await stage.world.objects.head('b'))?.size).toBe(limits.smallWorkBytes + 1)
    expect(await stage.world.objects.uploads('')).toEqual([])
  })
})
