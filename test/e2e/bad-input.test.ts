import { describe, expect, inject, test } from 'vitest'
import { localCredentials } from '#cli/local/network.ts'
import { Lockstep } from '#client/index.ts'
import { limits } from '#domain/limits.ts'
import { connectTo, contentAt, ownPrefix, putOutside } from '../support/deployed.ts'

const waiting = { timeoutMs: 60_000 }

/** What must not be accepted, the code of its error, and the field that the error must name. */
const refused: readonly [what: string, request: Record<string, unknown>, code: string, field: string][] = [
  ['no kind', { path: 'a' }, 'InvalidArgument', 'kind'],
  ['an unknown kind', { kind: 'shred', path: 'a' }, 'InvalidArgument', 'kind'],
  ['an unknown argument', { kind: 'stat', path: 'a', pth: 'b' }, 'InvalidArgument', 'pth'],
  ['a missing argument', { kind: 'copy', from: 'a' }, 'InvalidArgument', 'to'],
  ['no content', { kind: 'write', path: 'a' }, 'InvalidArgument', 'content'],
  ['two contents', { kind: 'write', path: 'a', body: '', bodyBase64: '' }, 'InvalidArgument', 'content'],
  ['broken base64', { kind: 'write', path: 'a', bodyBase64: '%%%' }, 'InvalidArgument', 'bodyBase64'],
  ['an empty path', { kind: 'stat', path: '' }, 'InvalidArgument', 'path'],
  ['a leading slash', { kind: 'stat', path: '/a' }, 'InvalidArgument', 'path'],
  ['an empty segment', { kind: 'stat', path: 'a//b' }, 'InvalidArgument', 'path'],
  ['a dot segment', { kind: 'stat', path: 'a/../b' }, 'InvalidArgument', 'path'],
  ['a control character', { kind: 'stat', path: 'a\nb' }, 'InvalidArgument', 'path'],
  ['a reserved path', { kind: 'delete', path: '.lockstep/capabilities.json' }, 'InvalidArgument', 'path'],
  ['a path of 1,025 bytes', { kind: 'stat', path: 'p'.repeat(1025) }, 'InvalidArgument', 'path'],
  ['a path that is no text', { kind: 'stat', path: 7 }, 'InvalidArgument', 'path'],
  ['a file onto itself', { kind: 'copy', from: 'a', to: 'a' }, 'InvalidArgument', 'to'],
  ['too many sources', { kind: 'concat', from: Array(99).fill('a'), to: 'b' }, 'InvalidArgument', 'from'],
  [
    'an unknown algorithm',
    { kind: 'checksum', path: 'a', algorithm: 'sha1' },
    'InvalidArgument',
    'algorithm',
  ],
  [
    'a range that ends before it starts',
    { kind: 'read', path: 'a', range: { start: 5, end: 4 } },
    'InvalidArgument',
    'range.end',
  ],
  ['a weak ETag', { kind: 'write', path: 'a', body: '', ifMatch: 'W/"x"' }, 'InvalidArgument', 'ifMatch'],
  ['an id with a space', { kind: 'stat', path: 'a', id: 'no good' }, 'InvalidArgument', 'id'],
  ['an id of 129 characters', { kind: 'stat', path: 'a', id: 'i'.repeat(129) }, 'InvalidArgument', 'id'],
  [
    'reserved metadata',
    { kind: 'write', path: 'a', body: '', metadata: { 'lockstep-op': 'x' } },
    'InvalidArgument',
    'metadata',
  ],
  [
    'too much metadata',
    { kind: 'write', path: 'a', body: '', metadata: { m: 'x'.repeat(2000) } },
    'InvalidArgument',
    'metadata',
  ],
]

describe('bad input', () => {
  const deployment = inject('deployment')
  const deployed = connectTo(deployment)
  const { lockstep, ports } = deployed
  const prefix = ownPrefix('bad')

  test.for(refused)('%s is refused before anything is written', async ([, request, code, field]) => {
    const id = ports.ids.operationId()
    await expect(lockstep.submit({ id, ...request })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(field) as string,
    })
    expect(await ports.operations.get(id)).toBeUndefined()
  })

  test('content that is larger than any file is refused before it is sent', async () => {
    // The beginning is looked at, to tell small content from large; no more than that.
    async function* content(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(20_000)
      throw new Error('it was read further')
    }
    const operation = lockstep.write(`${prefix}/huge`, content(), { size: limits.fileBytes + 1 })
    await expect(operation).rejects.toMatchObject({ code: 'TooLarge' })
    expect(await ports.objects.uploads(`${prefix}/huge`)).toEqual([])
  })

  test('a missing source fails with NotFound, and leaves the target as it was', async () => {
    await putOutside(deployed, `${prefix}/target`, 'mine')
    const operations = await Promise.all([
      lockstep.copy(`${prefix}/missing`, `${prefix}/target`),
      lockstep.move(`${prefix}/missing`, `${prefix}/target`),
      lockstep.concat([`${prefix}/target`, `${prefix}/missing`], `${prefix}/target`),
      lockstep.read(`${prefix}/missing`),
      lockstep.stat(`${prefix}/missing`),
      lockstep.checksum(`${prefix}/missing`, 'md5'),
    ])
    for (const operation of operations) {
      await expect(operation.result(waiting)).rejects.toMatchObject({ code: 'NotFound' })
    }
    expect((await contentAt(deployed, `${prefix}/target`))?.toString()).toBe('mine')
  })

  test('an upload that nobody made fails without an effect', async () => {
    const operation = await lockstep.submit({
      kind: 'write',
      path: `${prefix}/u`,
      upload: 'nope',
      parts: 1,
      size: 9,
    })
    await expect(operation.result(waiting)).rejects.toMatchObject({ code: 'UploadVoided', retryable: true })
    expect(await contentAt(deployed, `${prefix}/u`)).toBeUndefined()
  })

  test('an id that nobody gave is NotFound', async () => {
    const id = ports.ids.operationId()
    await expect(lockstep.show(id)).rejects.toMatchObject({ code: 'NotFound' })
    await expect(lockstep.cancel(id)).rejects.toMatchObject({ code: 'NotFound' })
    await expect(lockstep.wait(id, waiting)).rejects.toMatchObject({ code: 'NotFound' })
  })

  test('a deployment that does not answer is Unreachable', async () => {
    // Port 9 is "discard": nobody listens there.
    const elsewhere = new Lockstep({
      ...deployment,
      endpoint: 'http://127.0.0.1:9',
      credentials: localCredentials,
    })
    await expect(elsewhere.stat('a')).rejects.toMatchObject({ code: 'Unreachable', retryable: true })
  })

  test('a deployment that is not there is Unreachable, and the error says what is missing', async () => {
    const credentials = localCredentials
    const wrongTable = new Lockstep({ ...deployment, operationsTable: 'no-such-table', credentials })
    await expect(wrongTable.stat('a')).rejects.toMatchObject({
      code: 'Unreachable',
      message: expect.stringContaining('no-such-table') as string,
    })
    const noStack = new Lockstep({ endpoint: deployment.endpoint, stack: 'NoSuchStack', credentials })
    await expect(noStack.stat('a')).rejects.toMatchObject({ code: 'Unreachable' })
  })
})
