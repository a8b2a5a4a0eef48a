import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLockstepError, type LockstepError } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import { parseArguments } from '#operations/arguments.ts'
import { kindNames, kindOf } from '#operations/registry.ts'

const parse = (kind: string, args: unknown): unknown => parseArguments(kindOf(kind), args)

const refusal = (action: () => unknown): LockstepError => {
  try {
    action()
  } catch (error) {
    if (isLockstepError(error)) return error
    throw error
  }
  throw new Error('expected an error')
}

const messageOf = (kind: string, args: unknown): string => {
  const error = refusal(() => parse(kind, args))
  expect(error.code).toBe('InvalidArgument')
  return error.message
}

describe('the registry', () => {
  it('knows the kinds in the order of the documentation', () => {
    expect(kindNames).toEqual([
      'write',
      'append',
      'read',
      'stat',
      'copy',
      'move',
      'delete',
      'concat',
      'checksum',
      'hold',
    ])
    for (const name of kindNames) expect(kindOf(name).kind).toBe(name)
  })

  it.each(['wirte', '', 'toString', '__proto__', 7, undefined])(
    'refuses %j and lists what there is',
    (name) => {
      const error = refusal(() => kindOf(name))
      expect(error.code).toBe('InvalidArgument')
      expect(error.message).toMatch(/^kind: got .*, expected one of write, append, read, .*hold\.$/)
    },
  )
})

describe('arguments', () => {
  it.each([
    ['write', {}, 'path: got nothing, expected a path (text).'],
    ['write', { path: 7 }, 'path: got 7, expected a path (text).'],
    ['write', { path: '/a' }, 'path: got "/a", expected no leading "/".'],
    [
      'read',
      { path: '.lockstep/x' },
      'path: got ".lockstep/x", expected a path outside ".lockstep/", which is reserved.',
    ],
    ['stat', 'a.txt', 'arguments: got "a.txt", expected an object (path, ifMatch).'],
    ['stat', null, 'arguments: got null, expected an object (path, ifMatch).'],
    ['stat', { pth: 'a' }, 'pth: got "a", expected one of the arguments of stat (path, ifMatch).'],
    ['copy', { from: 'a', to: 'a' }, 'to: got "a", expected another path than "from".'],
    ['move', { from: 'a', to: 'a' }, 'to: got "a", expected another path than "from".'],
    ['concat', { from: 'a', to: 'b' }, 'from: got "a", expected a list of 1 to 98 paths.'],
    ['concat', { from: [], to: 'b' }, 'from: got [], expected a list of 1 to 98 paths.'],
    [
      'concat',
      { from: ['a', 'b//c'], to: 'b' },
      'from[1]: got "b//c", expected no empty segment (no "//", no trailing "/").',
    ],
    [
      'checksum',
      { path: 'a', algorithm: 'sha1' },
      'algorithm: got "sha1", expected one of sha256, crc32, crc32c, crc64nvme, md5.',
    ],
    [
      'checksum',
      { path: 'a' },
      'algorithm: got nothing, expected one of sha256, crc32, crc32c, crc64nvme, md5.',
    ],
    ['read', { path: 'a', range: '0-5' }, 'range: got "0-5", expected an object {start, end}.'],
    [
      'read',
      { path: 'a', range: { start: -1 } },
      'range.start: got -1, expected a whole number of bytes, 0 or more.',
    ],
    [
      'read',
      { path: 'a', range: { start: 0.5 } },
      'range.start: got 0.5, expected a whole number of bytes, 0 or more.',
    ],
    [
      'read',
      { path: 'a', range: { end: 3 } },
      'range.start: got nothing, expected a whole number of bytes, 0 or more.',
    ],
    ['read', { path: 'a', range: { start: 5, end: 4 } }, 'range.end: got 4, expected at least the start, 5.'],
    ['read', { path: 'a', range: { start: 5, stop: 9 } }, 'range.stop: got 9, expected no such field.'],
    [
      'write',
      { path: 'a', contentType: 'text' },
      'contentType: got "text", expected a media type like "text/plain; charset=utf-8".',
    ],
    ['write', { path: 'a', metadata: ['x'] }, 'metadata: got ["x"], expected an object of texts.'],
    ['write', { path: 'a', metadata: { n: 1 } }, 'metadata.n: got 1, expected a text as value.'],
    [
      'write',
      { path: 'a', metadata: { n: 'é' } },
      'metadata.n: got "é", expected printable ASCII, no space at either end.',
    ],
    [
      'write',
      { path: 'a', metadata: { n: ' x' } },
      'metadata.n: got " x", expected printable ASCII, no space at either end.',
    ],
    [
      'write',
      { path: 'a', metadata: { N: 'x', n: 'y' } },
      'metadata.n: got "y", expected names that differ in more than their case.',
    ],
    [
      'write',
      { path: 'a', metadata: { 'Lockstep-op': 'x' } },
      'metadata.Lockstep-op: got "x", expected a name that does not start with "lockstep-", which is reserved.',
    ],
    [
      'write',
      { path: 'a', metadata: { 'a b': 'x' } },
      'metadata.a b: got "x", expected a name of letters, digits and -._ (it travels as an HTTP header).',
    ],
    ['write', { path: 'a', ifMatch: 1 }, 'ifMatch: got 1, expected an ETag (text), or "*".'],
  ])('%s %j is refused with a message that says it all', (kind, args, message) => {
    expect(messageOf(kind, args)).toBe(message)
  })

  it.each(['', '""', '"a', 'a, b', '"a", "b"', 'W/"a"', 'ä'])('%j is not an ETag', (etag) => {
    expect(messageOf('write', { path: 'a', ifNoneMatch: etag })).toMatch(
      /^ifNoneMatch: got .* expected one ETag as given by stat/,
    )
  })

  it('takes ETags with and without quotes, and keeps them as S3 gives them', () => {
    expect(parse('write', { path: 'a', ifMatch: 'abc', ifNoneMatch: '"abc"' })).toEqual({
      path: 'a',
      ifMatch: '"abc"',
      ifNoneMatch: '"abc"',
    })
    expect(parse('write', { path: 'a', ifMatch: '*' })).toEqual({ path: 'a', ifMatch: '*' })
  })

  it('says how much metadata there is and how much may be', () => {
    const fits = { path: 'a', metadata: { n: 'x'.repeat(limits.metadataBytes - 1) } }
    expect(parse('write', fits)).toEqual(fits)
    const message = messageOf('write', { path: 'a', metadata: { n: 'x'.repeat(limits.metadataBytes) } })
    expect(message).toMatch(/expected at most 1920 bytes of names and values in all \(this has 1921\)\.$/)
  })

  it('keeps metadata names in lower case, unusual ones too', () => {
    const metadata = Object.fromEntries([
      ['Some-Name', 'x'],
      ['__proto__', 'y'],
      ['empty', ''],
    ])
    const args = parse('write', { path: 'a', metadata }) as { metadata: object }
    expect(Object.entries(args.metadata)).toEqual([
      ['some-name', 'x'],
      ['__proto__', 'y'],
      ['empty', ''],
    ])
  })

  it('counts undefined as not given', () => {
    const args = parse('write', { path: 'a', contentType: undefined, ifMatch: undefined }) as object
    expect(Object.keys(args)).toEqual(['path'])
  })

  it('takes 98 sources, and refuses 99', () => {
    const from = Array.from({ length: 98 }, (_, index) => `s/${index}`)
    expect(parse('concat', { from, to: 't' })).toEqual({ from, to: 't' })
    expect(messageOf('concat', { from: [...from, 'more'], to: 't' })).toMatch(
      /expected a list of 1 to 98 paths\.$/,
    )
  })

  it('names every kind in the message of an unknown argument', () => {
    for (const kind of kindNames) {
      expect(messageOf(kind, { nonsense: 1 })).toMatch(
        new RegExp(`^nonsense: got 1, expected one of the arguments of ${kind} \\(.*\\)\\.$`),
      )
    }
  })

  /** Undefined if it is refused as it should be. */
  const outcomeOf = (kind: string, given: unknown): unknown => {
    try {
      return parse(kind, given)
    } catch (error) {
      if (isLockstepError(error) && error.code === 'InvalidArgument') return undefined
      throw error
    }
  }

  it('are refused with InvalidArgument, or accepted and then accepted again unchanged', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kindNames), fc.anything(), fc.object(), (kind, anything, object) => {
        for (const given of [anything, object, { path: 'a' }, { path: 'a', from: 'b', to: 'c', ...object }]) {
          const once = outcomeOf(kind, given)
          expect(once === undefined ? undefined : parse(kind, once)).toEqual(once)
        }
      }),
    )
  })
})

describe('lines', () => {
  const usesOf = (kind: string, args: object) => {
    const module = kindOf(kind)
    const parsed = parse(kind, args) as Record<string, unknown>
    const uses = module.uses(parsed).map((use) => `${use.mode} ${use.line}`)
    return { uses, touches: module.touches(parsed) }
  }

  it.each([
    ['write', { path: 'a' }, ['write f:a'], ['a']],
    ['append', { path: 'a' }, ['write f:a'], ['a']],
    ['read', { path: 'a' }, ['read f:a'], ['a']],
    ['stat', { path: 'a' }, ['read f:a'], ['a']],
    ['copy', { from: 'a', to: 'b' }, ['read f:a', 'write f:b'], ['a', 'b']],
    ['move', { from: 'a', to: 'b' }, ['write f:a', 'write f:b'], ['a', 'b']],
    ['delete', { path: 'a' }, ['write f:a'], ['a']],
    ['concat', { from: ['a', 'b', 'a'], to: 'b' }, ['read f:a', 'read f:b', 'write f:b'], ['a', 'b']],
    ['checksum', { path: 'a', algorithm: 'md5' }, ['read f:a'], ['a']],
  ])('%s %j stands in %j', (kind, args, uses, touches) => {
    expect(usesOf(kind, args)).toEqual({ uses, touches })
  })
})
