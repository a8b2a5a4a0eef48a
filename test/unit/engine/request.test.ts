import { describe, expect, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import { type OperationRequest, prepare } from '#engine/request.ts'

const id = '01KBRW9V00AAAAAAAAAAAAAAAA'
const options = { now: 1_000, newId: () => id }
const prepareIt = (request: OperationRequest) => prepare(request, options)
const errorOf = (request: OperationRequest): unknown => {
  try {
    return prepareIt(request)
  } catch (error) {
    return error
  }
}

const write = { kind: 'write', path: 'a', body: 'X' }

describe('a request that is not valid is refused, and the error names the field', () => {
  test.each<[OperationRequest, string]>([
    [{}, 'kind'],
    [{ kind: 7 }, 'kind'],
    [{ kind: 'paint', path: 'a' }, 'kind'],
    [{ kind: 'toString', path: 'a' }, 'kind'],
    [{ ...write, id: '' }, 'id'],
    [{ ...write, id: 7 }, 'id'],
    [{ ...write, id: 'two words' }, 'id'],
    [{ ...write, id: 'x'.repeat(limits.idempotencyKeyChars + 1) }, 'id'],
    [{ kind: 'write', body: 'X' }, 'path'],
    [{ ...write, path: 7 }, 'path'],
    [{ ...write, path: '' }, 'path'],
    [{ ...write, path: '/a' }, 'path'],
    [{ ...write, path: 'a//b' }, 'path'],
    [{ ...write, path: 'a/../b' }, 'path'],
    [{ ...write, path: 'a\nb' }, 'path'],
    [{ ...write, path: '\ud800' }, 'path'],
    [{ ...write, path: '.lockstep/staging/x' }, 'path'],
    [{ ...write, path: 'é'.repeat(limits.pathBytes / 2 + 1) }, 'path'],
    [{ ...write, paht: 'a' }, 'paht'],
    [{ ...write, ifMatch: '' }, 'ifMatch'],
    [{ ...write, contentType: 'text' }, 'contentType'],
    [{ ...write, metadata: { 'lockstep-op': 'x' } }, 'metadata.lockstep-op'],
    [{ kind: 'write', path: 'a' }, 'content'],
    [{ ...write, bodyBase64: 'WA==' }, 'content'],
    [{ ...write, body: 7 }, 'body'],
    [{ ...write, body: '\ud800' }, 'body'],
    [{ ...write, size: 1 }, 'size'],
    [{ ...write, parts: 1 }, 'parts'],
    [{ kind: 'write', path: 'a', bodyBase64: 'X' }, 'bodyBase64'],
    [{ kind: 'write', path: 'a', bytes: 'X' }, 'bytes'],
    [{ kind: 'write', path: 'a', upload: '', size: 1, parts: 1 }, 'upload'],
    [{ kind: 'write', path: 'a', upload: 'u', parts: 1 }, 'size'],
    [{ kind: 'write', path: 'a', upload: 'u', size: 1 }, 'parts'],
    [{ kind: 'write', path: 'a', upload: 'u', size: -1, parts: 1 }, 'size'],
    [{ kind: 'write', path: 'a', upload: 'u', size: limits.fileBytes + 1, parts: 1 }, 'size'],
    [{ kind: 'write', path: 'a', upload: 'u', size: 1, parts: limits.parts + 1 }, 'parts'],
    [{ kind: 'append', path: 'a', upload: '../x', size: 1 }, 'upload'],
    [{ kind: 'read', path: 'a', body: 'X' }, 'body'],
    [{ kind: 'read', path: 'a', range: { start: -1 } }, 'range.start'],
    [{ kind: 'copy', from: 'a', to: 'a' }, 'to'],
    [{ kind: 'move', from: 'a' }, 'to'],
    [{ kind: 'concat', from: [], to: 'b' }, 'from'],
    [{ kind: 'concat', from: Array.from({ length: 99 }, (_, n) => `f${n}`), to: 'b' }, 'from'],
    [{ kind: 'checksum', path: 'a', algorithm: 'sha1' }, 'algorithm'],
  ])('%j -> %s', (request, field) => {
    expect(errorOf(request)).toMatchObject({ code: 'InvalidArgument', details: { field } })
  })

  test('a body over the limit is TooLarge, and says how large it may be', () => {
    const error = errorOf({ ...write, body: 'x'.repeat(limits.bodyBytes + 1) })
    expect(error).toMatchObject({ code: 'TooLarge', details: { limitBytes: limits.bodyBytes } })
  })
})

describe('a request that is valid becomes a record', () => {
  test('a small body stands in the record, a larger one in an item of its own', () => {
    const small = prepareIt({ ...write, body: 'x'.repeat(limits.inlineBodyBytes) })
    expect(small.record.content).toMatchObject({ kind: 'inline', size: limits.inlineBodyBytes })
    expect(small.body).toBeUndefined()
    const larger = prepareIt({ ...write, body: 'x'.repeat(limits.inlineBodyBytes + 1) })
    expect(larger.record.content).toEqual({ kind: 'item', size: limits.inlineBodyBytes + 1 })
    expect(larger.body).toHaveLength(limits.inlineBodyBytes + 1)
  })

  test('the same content given as text, base64 or bytes is the same request', () => {
    const digests = [{ body: 'X' }, { bodyBase64: 'WA==' }, { bytes: new Uint8Array([0x58]) }].map(
      (content) => prepareIt({ kind: 'write', path: 'a', ...content }).record.digest,
    )
    expect(new Set(digests).size).toBe(1)
  })

  test('the digest tells requests apart by kind, arguments and content, not by the order of names', () => {
    const digestOf = (request: OperationRequest) => prepareIt(request).record.digest
    expect(digestOf({ body: 'X', path: 'a', kind: 'write' })).toBe(digestOf(write))
    const others = [
      { ...write, kind: 'append' },
      { ...write, path: 'b' },
      { ...write, body: 'Y' },
    ]
    for (const other of others) expect(digestOf(other)).not.toBe(digestOf(write))
  })

  test('any idempotency key is mapped to one id, always the same', () => {
    const [first, second] = ['my-key', 'my-key'].map((key) => prepareIt({ ...write, id: key }).record.id)
    expect(first).toBe(second)
    expect(first).toMatch(/^0{10}[0-9A-Z]{16}$/)
  })

  test('repeats of a line merge to the stronger mode', () => {
    const { record } = prepareIt({ kind: 'concat', from: ['a', 'b', 'a'], to: 'a' })
    expect(record.uses).toEqual([
      { line: 'f:a', mode: 'write' },
      { line: 'f:b', mode: 'read' },
    ])
  })
})
