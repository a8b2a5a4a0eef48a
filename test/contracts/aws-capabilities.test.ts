import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { describe, expect, inject, it } from 'vitest'
import { awsPorts } from '#aws/aws-ports.ts'
import { systemClock } from '#aws/system-clock.ts'
import type { Mark } from '#ports/object-store.ts'
import { connectionTo, createResources } from '#test/support/aws-resources.ts'
import { startFaultProxy } from '#test/support/fault-proxy.ts'
import { bytesOf, contentOf, etagOf, plain, textOf, uniquePath } from './support.ts'

const emulator = inject('emulator')
const mark: Mark = { operationId: 'OPERATION' }
const remembered = '.lockstep/capabilities.json'
const dayMs = 24 * 60 * 60 * 1000

/**
 * A bucket of its own, ports over it (as many processes as wanted), what they log, and the requests that they
 * make.
 */
const world = async () => {
  const proxy = await startFaultProxy(emulator.endpoint)
  const deployment = await createResources(emulator)
  const logs: Readonly<Record<string, unknown>>[] = []
  let now = systemClock.now()
  const process = () =>
    awsPorts(deployment, {
      ...connectionTo(emulator),
      endpoint: proxy.endpoint,
      clock: { ...systemClock, now: () => now },
      log: (line) => logs.push(line),
    })
  const s3 = new S3Client({ ...connectionTo(emulator), forcePathStyle: true })
  return {
    proxy,
    logs,
    process,
    /** Writes down that the target can do this, whatever it can do. */
    plant: async (text: string) => {
      await s3.send(new PutObjectCommand({ Bucket: deployment.bucket, Key: remembered, Body: bytesOf(text) }))
    },
    pass: (ms: number) => {
      now += ms
    },
    probes: () =>
      proxy.seen.filter(({ method, url }) => method === 'PUT' && /probe.*source/.test(url)).length,
  }
}

const nothing = uniquePath('nothing')
const known = (overrides: object = {}) =>
  JSON.stringify({ v: 1, probedAt: Date.now(), conditionalCopy: true, conditionalDelete: true, ...overrides })

describe('what the target can do', () => {
  it('is found out by trying, and nothing is left of the trial', async () => {
    const { process } = await world()
    const ports = process()
    expect(await ports.probe()).toEqual({ conditionalCopy: false, conditionalDelete: true })
    expect((await ports.objects.list('')).files.map(({ path }) => path)).toEqual([remembered])
    const document: unknown = JSON.parse(textOf(await contentOf(await ports.objects.get(remembered))))
    expect(document).toMatchObject({ v: 1, conditionalCopy: false, conditionalDelete: true })
  })

  it('is asked once per process, however many calls need it, and not for reads and puts', async () => {
    const { process, proxy, probes } = await world()
    const { objects } = process()
    await objects.put('file', bytesOf('x'), 'absent', plain, mark)
    await objects.head('file')
    expect(proxy.seen.filter(({ url }) => url.includes('capabilities'))).toHaveLength(0)
    await Promise.all(Array.from({ length: 5 }, () => objects.delete(nothing, '"x"')))
    await objects.copy(nothing, '"x"', 'copy', 'absent', plain, mark)
    expect(probes()).toBe(1)
    expect(
      proxy.seen.filter(({ method, url }) => method === 'GET' && url.includes('capabilities')),
    ).toHaveLength(1)
  })

  it('is remembered for the next process, for thirty days', async () => {
    const { process, pass, probes } = await world()
    await process().objects.delete(nothing, '"x"')
    pass(29 * dayMs)
    await process().objects.delete(nothing, '"x"')
    expect(probes()).toBe(1)
    pass(2 * dayMs)
    await process().objects.delete(nothing, '"x"')
    expect(probes()).toBe(2)
  })

  it.each(['', '{"v": 1', '{"v": 2}', known({ conditionalCopy: 'yes' })])(
    'is asked anew if what is remembered cannot be read: %s',
    async (text) => {
      const { process, plant, probes } = await world()
      await plant(text)
      await process().objects.delete(nothing, '"x"')
      expect(probes()).toBe(1)
    },
  )

  it('is asked again after a failure, which leaves nothing in doubt', async () => {
    const { process, proxy, probes } = await world()
    const { objects } = process()
    proxy.fate = ({ url }) => (url.includes('capabilities') ? 'lose' : 'pass')
    await expect(objects.delete(nothing, '"x"')).rejects.toMatchObject({ fault: 'busy' })
    proxy.fate = () => 'pass'
    expect(await objects.delete(nothing, '"x"')).toEqual({ kind: 'absent' })
    expect(probes()).toBe(1)
  })

  it('may not be written down: then every process asks', async () => {
    const { process, proxy, logs, probes } = await world()
    proxy.fate = ({ method, url }) => {
      const denied = { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
      return method === 'PUT' && url.includes('capabilities') ? denied : 'pass'
    }
    expect(await process().objects.delete(nothing, '"x"')).toEqual({ kind: 'absent' })
    expect(await process().objects.delete(nothing, '"x"')).toEqual({ kind: 'absent' })
    expect(probes()).toBe(2)
    expect(logs.map(({ message }) => message)).toContainEqual(expect.stringContaining('could not remember'))
  })

  it('is said once, if a way round is taken', async () => {
    const { process, logs } = await world()
    const { objects } = process()
    for (let times = 0; times < 3; times += 1) await objects.delete(nothing, '"x"')
    expect(logs).toHaveLength(1)
    expect(logs[0]).toMatchObject({ level: 'WARN', conditionalCopy: false, conditionalDelete: true })
  })
})

describe('a target that can do everything', () => {
  it('copies in one call, with conditions on both ends', async () => {
    const { process, plant, proxy, logs } = await world()
    await plant(known())
    const { objects } = process()
    const etag = etagOf(await objects.put('from', bytesOf('text'), 'absent', plain, mark))
    const outcome = await objects.copy('from', etag, 'to', 'absent', plain, { operationId: 'OTHER' })
    expect(outcome).toEqual({ kind: 'done', etag })
    expect((await objects.head('to'))?.mark).toEqual({ operationId: 'OTHER' })
    const copies = proxy.seen.filter(({ headers }) => 'x-amz-copy-source' in headers)
    expect(copies).toHaveLength(1)
    expect(copies[0]?.headers).toMatchObject({ 'x-amz-copy-source-if-match': etag, 'if-none-match': '*' })
    await objects.copy('from', etag, 'to', { etag }, plain, mark)
    expect(proxy.seen.at(-1)?.headers).toMatchObject({ 'if-match': etag })
    expect(logs).toEqual([])
  })

  it('answers 412 for the target like for the source', async () => {
    const { process, plant, proxy } = await world()
    await plant(known())
    const { objects } = process()
    const etag = etagOf(await objects.put('from', bytesOf('text'), 'absent', plain, mark))
    expect(await objects.copy('from', '"other"', 'to', 'absent', plain, mark)).toEqual({ kind: 'changed' })
    expect(await objects.copy('missing', etag, 'to', 'absent', plain, mark)).toEqual({ kind: 'changed' })
    // The emulator at hand does not heed it: answered in its place.
    proxy.fate = () => ({ status: 412, body: '<Error><Code>PreconditionFailed</Code></Error>' })
    expect(await objects.copy('from', etag, 'to', 'absent', plain, mark)).toEqual({ kind: 'changed' })
  })

  it('says by a message that a source is too large', async () => {
    const { process, plant, proxy } = await world()
    await plant(known())
    const { objects } = process()
    await objects.delete(nothing, '"x"')
    const message =
      'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120'
    proxy.fate = () => ({
      status: 400,
      body: `<Error><Code>InvalidRequest</Code><Message>${message}</Message></Error>`,
    })
    await expect(objects.copy('from', '"x"', 'to', 'absent', plain, mark)).rejects.toMatchObject({
      code: 'TooLarge',
    })
  })
})

describe('a target that cannot delete on a condition', () => {
  it('is looked at first', async () => {
    const { process, plant, proxy, logs } = await world()
    await plant(known({ conditionalDelete: false }))
    const { objects } = process()
    const etag = etagOf(await objects.put('file', bytesOf('text'), 'absent', plain, mark))
    expect(await objects.delete('file', '"other"')).toEqual({ kind: 'changed' })
    expect(await objects.delete('file', etag)).toEqual({ kind: 'done' })
    expect(await objects.delete('file', etag)).toEqual({ kind: 'absent' })
    expect(
      proxy.seen.filter(({ method }) => method === 'DELETE').map(({ headers }) => headers['if-match']),
    ).toEqual([undefined])
    expect(logs).toHaveLength(1)
  })

  it('a look without an answer leaves nothing in doubt, a delete without one does', async () => {
    const { process, plant, proxy } = await world()
    await plant(known({ conditionalDelete: false }))
    const { objects } = process()
    const etag = etagOf(await objects.put('file', bytesOf('text'), 'absent', plain, mark))
    proxy.fate = ({ method }) => (method === 'HEAD' ? 'lose' : 'pass')
    await expect(objects.delete('file', etag)).rejects.toMatchObject({ fault: 'busy' })
    proxy.fate = ({ method }) => (method === 'DELETE' ? 'lose' : 'pass')
    await expect(objects.delete('file', etag)).rejects.toMatchObject({ fault: 'unanswered' })
    expect(proxy.seen.filter(({ method }) => method === 'DELETE')).toHaveLength(1)
  })
})
