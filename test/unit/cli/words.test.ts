import { describe, expect, test } from 'vitest'
import { targetsOf } from '#cli/commands/put.ts'
import { parseRange } from '#cli/commands/read.ts'
import { collectMetadata, countOf } from '#cli/flags.ts'
import { ageOf, parseDuration, sizeText } from '#cli/measures.ts'

const refused = (field: string) =>
  expect.objectContaining({
    code: 'InvalidArgument',
    details: expect.objectContaining({ field }) as object,
  }) as Error

describe('a word of the command line', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['0s', 0],
  ])('is a duration: %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each(['30', 's', '-1s', '1 s', '1d', ''])('is no duration, so it is refused: "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow(refused('--timeout'))
  })

  test('is a range of bytes, with an end or without', () => {
    expect(parseRange('0-99')).toEqual({ start: 0, end: 99 })
    expect(parseRange('100-')).toEqual({ start: 100 })
    for (const text of ['-5', 'a-b', '1', '1-2-3']) expect(() => parseRange(text)).toThrow(refused('--range'))
  })

  test('is a metadata entry; the value may hold "="', () => {
    expect(collectMetadata('b=2=3', collectMetadata('a=1', undefined))).toEqual({ a: '1', b: '2=3' })
    for (const text of ['a', '=1', '']) expect(() => collectMetadata(text, {})).toThrow(refused('--metadata'))
  })

  test('is a count from 1', () => {
    expect(countOf('--limit')('10')).toBe(10)
    for (const text of ['0', '-1', '1.5', 'x', ''])
      expect(() => countOf('--limit')(text)).toThrow(refused('--limit'))
  })
})

describe('put', () => {
  test('puts one file at exactly the path, and several into a folder under their own names', () => {
    expect(targetsOf(['dir/a.txt', 'b.txt'])).toEqual([{ file: 'dir/a.txt', path: 'b.txt' }])
    expect(targetsOf(['dir/a.txt', 'in/'])).toEqual([{ file: 'dir/a.txt', path: 'in/a.txt' }])
    expect(targetsOf(['a', 'x/b', 'in/'])).toEqual([
      { file: 'a', path: 'in/a' },
      { file: 'x/b', path: 'in/b' },
    ])
  })

  test('refuses what would put two files at one path, or one without a name', () => {
    for (const words of [['a'], ['a', 'b', 'c'], ['-', 'in/'], []]) {
      expect(() => targetsOf(words)).toThrow(refused('PATH'))
    }
  })
})

describe('for people', () => {
  test('sizes and ages are short', () => {
    expect([0, 1023, 1024, 1.5 * 1024 ** 3].map(sizeText)).toEqual(['0 B', '1023 B', '1.0 KiB', '1.5 GiB'])
    const now = Date.parse('2026-01-10T00:00:00Z')
    const ages = [
      '2026-01-09T23:59:48Z',
      '2026-01-09T23:50:00Z',
      '2026-01-09T20:00:00Z',
      '2026-01-05T00:00:00Z',
    ]
    expect(ages.map((from) => ageOf(from, now))).toEqual(['12 s', '10 min', '4 h', '5 d'])
  })
})
