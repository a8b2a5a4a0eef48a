import { createHash } from 'node:crypto'
import { describe, expect, inject, test } from 'vitest'
import { connectTo, contentAt, ownPrefix, putOutside } from '../support/deployed.ts'

const timeoutMs = 60_000
const waiting = { timeoutMs }

describe('every kind of operation, from the client through queues and functions to the file', () => {
  const deployed = connectTo(inject('deployment'))
  const { lockstep } = deployed
  const prefix = ownPrefix('kinds')
  const at = (name: string): string => `${prefix}/${name}`

  test('write replaces the file, with type and metadata', async () => {
    const path = at('write.txt')
    await lockstep.write(path, 'first, and longer\n')
    const options = { contentType: 'text/plain', metadata: { author: 'me' } }
    const { etag, size } = await (await lockstep.write(path, 'second\n', options)).result(waiting)
    expect(size).toBe(7)
    expect((await contentAt(deployed, path))?.toString()).toBe('second\n')
    const stat = await (await lockstep.stat(path)).result(waiting)
    expect(stat).toMatchObject({ size: 7, etag, contentType: 'text/plain', metadata: { author: 'me' } })
  })

  test('append creates the file, adds to its end, and says where', async () => {
    const path = at('append.txt')
    const first = await (await lockstep.append(path, 'one\n')).result(waiting)
    const second = await (await lockstep.append(path, 'two\n')).result(waiting)
    expect([first.offset, first.size, second.offset, second.size]).toEqual([0, 4, 4, 8])
    expect((await contentAt(deployed, path))?.toString()).toBe('one\ntwo\n')
  })

  test('an append keeps what an outsider gave the file', async () => {
    const path = at('given.csv')
    await lockstep.write(path, 'a;b\n', { contentType: 'text/csv', metadata: { origin: 'somewhere' } })
    await (await lockstep.append(path, '1;2\n')).result(waiting)
    const stat = await (await lockstep.stat(path)).result(waiting)
    expect(stat).toMatchObject({ contentType: 'text/csv', metadata: { origin: 'somewhere' } })
  })

  test('read gives text as body, other bytes as base64, a range, and a link to what is large', async () => {
    await putOutside(deployed, at('text'), 'h\u00e9llo')
    await putOutside(deployed, at('bytes'), new Uint8Array([0xff, 0xfe, 0x00]))
    await putOutside(deployed, at('large'), 'x'.repeat(70_000))
    const text = await (await lockstep.read(at('text'))).result(waiting)
    expect(text).toMatchObject({ body: 'h\u00e9llo', size: 6 })
    const bytes = await (await lockstep.read(at('bytes'))).result(waiting)
    expect(bytes).toMatchObject({ bodyBase64: '//4A', size: 3 })
    const range = await (await lockstep.read(at('text'), { range: { start: 3, end: 4 } })).result(waiting)
    expect(range).toMatchObject({ body: 'll', size: 6 })
    const large = await (await lockstep.read(at('large'))).result(waiting)
    expect(large.body).toBeUndefined()
    const answer = await fetch(large.url ?? '', { headers: large.headers ?? {} })
    expect(await answer.text()).toBe('x'.repeat(70_000))
  })

  test('copy, move, concat and delete, submitted without waiting, take effect in their order', async () => {
    await lockstep.write(at('a'), 'A')
    await lockstep.copy(at('a'), at('b'))
    await lockstep.append(at('b'), 'B')
    await lockstep.move(at('a'), at('c'))
    const joined = await lockstep.concat([at('b'), at('c'), at('b')], at('d'))
    const removed = await lockstep.delete(at('c'))
    expect(await joined.result(waiting)).toMatchObject({ size: 5 })
    expect(await removed.result(waiting)).toEqual({ existed: true })
    expect(await (await lockstep.delete(at('c'))).result(waiting)).toEqual({ existed: false })
    const contents = await Promise.all(['a', 'b', 'c', 'd'].map((name) => contentAt(deployed, at(name))))
    expect(contents.map((content) => content?.toString())).toEqual([undefined, 'AB', undefined, 'ABAAB'])
  })

  test.for(['sha256', 'md5'])('checksum %s agrees with node:crypto', async (algorithm) => {
    const content = Buffer.from('some content\n'.repeat(1000))
    await putOutside(deployed, at(`sum-${algorithm}`), content)
    const { digest } = await (await lockstep.checksum(at(`sum-${algorithm}`), algorithm)).result(waiting)
    expect(digest).toBe(createHash(algorithm).update(content).digest('hex'))
  })

  // The check values of the catalogue of parametrised CRC algorithms (reveng), over "123456789".
  test.for([
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
  ] as const)('checksum %s agrees with its published check value', async ([algorithm, expected]) => {
    await putOutside(deployed, at(`sum-${algorithm}`), '123456789')
    const { digest } = await (await lockstep.checksum(at(`sum-${algorithm}`), algorithm)).result(waiting)
    expect(digest).toBe(expected)
  })

  test('conditions are judged when it is the operation\u2019s turn', async () => {
    const path = at('conditions')
    const first = await lockstep.write(path, '1', { ifNoneMatch: '*' })
    const second = await lockstep.write(path, '2', { ifNoneMatch: '*' })
    const { etag } = await first.result(waiting)
    await expect(second.result(waiting)).rejects.toMatchObject({ code: 'PreconditionFailed' })
    const third = await lockstep.write(path, '3', { ifMatch: etag })
    const fourth = await lockstep.append(path, '4', { ifMatch: etag })
    await third.result(waiting)
    await expect(fourth.result(waiting)).rejects.toMatchObject({ code: 'PreconditionFailed' })
    expect((await contentAt(deployed, path))?.toString()).toBe('3')
  })

  test('the same id with the same request is the same operation; with another it is a Conflict', async () => {
    const path = at('once.txt')
    const id = `key-${prefix}`
    const operation = await lockstep.append(path, 'once\n', { id })
    const again = await lockstep.append(path, 'once\n', { id })
    expect(again.id).toBe(operation.id)
    await operation.result(waiting)
    expect((await lockstep.append(path, 'once\n', { id })).id).toBe(operation.id)
    await expect(lockstep.append(path, 'other\n', { id })).rejects.toMatchObject({ code: 'Conflict' })
    expect((await contentAt(deployed, path))?.toString()).toBe('once\n')
  })

  test('a batch on one path takes effect in its order; one refused does not stop the others', async () => {
    const path = at('batch.txt')
    const requests = [
      ...Array.from({ length: 10 }, (_, number) => ({ kind: 'append', path, body: `${number}\n` })),
      { kind: 'append', path: '/bad', body: 'x' },
      { kind: 'read', path },
    ]
    const outcomes = await lockstep.submitAll(requests)
    expect(outcomes.map(({ kind }) => kind)).toEqual([
      ...Array<string>(10).fill('accepted'),
      'refused',
      'accepted',
    ])
    const last = outcomes.at(-1)
    if (last?.kind !== 'accepted') throw new Error('the read was not accepted')
    expect(await last.operation.result(waiting)).toMatchObject({ body: '0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n' })
  })

  test('odd names are paths like any other', async () => {
    const names = [
      'a b+c%20d.txt',
      '\u00fc\u00f1\u00ee/\u4f60\u597d \u{1f600}.txt',
      'it\'s (a) "file" & more?.txt',
      '#hash=1;x,y',
    ]
    for (const name of names) {
      await lockstep.write(at(name), name)
      await lockstep.copy(at(name), at(`copy of ${name}`))
      const moved = await lockstep.move(at(name), at(`moved ${name}`))
      await moved.result(waiting)
      expect((await contentAt(deployed, at(`copy of ${name}`)))?.toString()).toBe(name)
      expect((await contentAt(deployed, at(`moved ${name}`)))?.toString()).toBe(name)
      expect(await contentAt(deployed, at(name))).toBeUndefined()
    }
  })
})
