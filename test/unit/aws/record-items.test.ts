import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromWire, toWire } from '#aws/dynamo-items.ts'
import { bodyItem, packRecord, recordOfItem } from '#aws/record-items.ts'
import { limits } from '#domain/limits.ts'
import type { Content, OperationRecord } from '#domain/operation.ts'
import { itemSizeOf } from '#test/support/item-size.ts'

const submittedAt = 1_795_507_200_000

/** The longest content that stands in a record, at a path as they are in practice. */
const path = 'customers/4711/invoices/2026-11-24.json'

const smallWrite = (size: number): OperationRecord => ({
  v: 1,
  id: '01KAV0000000000000000000XX',
  kind: 'write',
  args: { path, contentType: 'application/json' },
  digest: 'ab'.repeat(32),
  uses: [{ line: `f:${path}`, mode: 'write' }],
  content: { kind: 'inline', bytes: new Uint8Array(size), size },
  status: 'waiting',
  submittedAt,
  attempt: 0,
  tries: 0,
  leaseUntil: 0,
})

const etag = `"${'0123456789abcdef'.repeat(2)}"`

const finishedWrite = (size: number): OperationRecord => ({
  ...smallWrite(size),
  status: 'succeeded',
  startedAt: submittedAt + 50,
  finishedAt: submittedAt + 150,
  attempt: 1,
  tries: 1,
  leaseUntil: submittedAt + 34_000,
  nonce: 'abcdefghijklmnop',
  base: { [path]: { etag, size: 4711 } },
  result: { etag, size: 512 },
})

const stored = (record: OperationRecord) =>
  toWire({ ...packRecord(record), shard: 'done#07', at: submittedAt, ttl: submittedAt / 1000 })

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const count = fc.nat({ max: 2 ** 40 })
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value + 0),
)
const json = fc.oneof(number, fc.boolean(), fc.constant(null), text, fc.array(fc.oneof(number, text)))
const etagText = fc.oneof(text, fc.constant(etag))
const version = fc.oneof(
  fc.record({ etag: etagText, size: count }),
  fc.record({ etag: etagText, size: count, versionId: text }),
)
const content: fc.Arbitrary<Content> = fc.oneof(
  fc.uint8Array({ maxLength: 8 }).map((bytes) => ({ kind: 'inline' as const, bytes, size: bytes.length })),
  count.map((size) => ({ kind: 'item' as const, size })),
  fc.record({ kind: fc.constant('upload' as const), uploadId: text, parts: count, size: count }),
)
const name = text.filter((value) => value !== '__proto__')
const record = fc.record(
  {
    v: fc.constant(1 as const),
    id: text,
    kind: text,
    args: fc.dictionary(name, json),
    digest: fc.oneof(text, fc.constantFrom('', 'ab', 'AB', 'abc', '00ff')),
    uses: fc.array(fc.record({ line: text, mode: fc.constantFrom('read' as const, 'write' as const) })),
    content,
    status: fc.constantFrom('waiting' as const, 'running' as const, 'succeeded' as const),
    submittedAt: count,
    startedAt: count,
    attempt: count,
    tries: count,
    leaseUntil: count,
    nonce: text,
    base: fc.dictionary(name, fc.option(version)),
    late: fc.boolean(),
    hops: count,
  },
  {
    requiredKeys: [
      'v',
      'id',
      'kind',
      'args',
      'digest',
      'uses',
      'status',
      'submittedAt',
      'attempt',
      'tries',
      'leaseUntil',
    ],
  },
)

describe('records as items', () => {
  it('a record reads as it was put', () => {
    fc.assert(
      fc.property(record, (given) => {
        expect(recordOfItem(stored(given as OperationRecord))).toEqual(given)
      }),
    )
  })

  it('what is undefined is not there', () => {
    const given = { ...smallWrite(1), error: undefined, args: { path, contentType: undefined } }
    expect(fromWire(stored(given as unknown as OperationRecord))).not.toHaveProperty('error')
    expect(recordOfItem(stored(given as unknown as OperationRecord)).args).toStrictEqual({ path })
  })

  it('the record of a small write stays under 1 KB for all its life', () => {
    expect(itemSizeOf(stored(smallWrite(limits.inlineBodyBytes)))).toBeLessThan(1024)
    expect(itemSizeOf(stored(finishedWrite(limits.inlineBodyBytes)))).toBeLessThan(1024)
  })

  it('a record of a newer version is not read, and says so', () => {
    const newer = { ...smallWrite(1), v: 2 } as unknown as OperationRecord
    expect(() => recordOfItem(stored(newer))).toThrow('got version 2 of its record, expected 1')
  })

  it('a body outlives every operation that can still run', () => {
    const { ttl } = fromWire(bodyItem(smallWrite(1), new Uint8Array(1)))
    expect(Number(ttl) * 1000).toBeGreaterThan(submittedAt + limits.operationLifeMs)
  })

  it('bodies of two requests under one id are two items', () => {
    const one = bodyItem(smallWrite(1), new Uint8Array(1))
    const other = bodyItem({ ...smallWrite(1), digest: 'cd'.repeat(32) }, new Uint8Array(1))
    expect(one['id']).not.toEqual(other['id'])
  })
})
