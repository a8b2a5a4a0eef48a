import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { watchedPrefixes } from '#infra/constructs/watched-prefixes.ts'

/** Few letters, so that prefixes overlap often; some that S3 does not take literally. */
const anyLetter = fc.constantFrom('a', 'b', '/', '-', ' ', '*', '+', 'é', '😀')
const anyPrefix = fc.string({ unit: anyLetter, maxLength: 6 })
const anyPrefixes = fc.array(anyPrefix, { maxLength: 12 })

const watch = (prefixes: readonly string[]) => watchedPrefixes(prefixes.map((prefix) => ({ prefix })))

describe('the watched prefixes', () => {
  test.each([
    { rules: [], watched: [] },
    { rules: ['incoming/', 'inbox/', 'incoming/'], watched: ['inbox/', 'incoming/'] },
    { rules: ['a/b/', 'a/', 'a/c/d/'], watched: ['a/'] },
    { rules: ['a', 'ab', 'a/'], watched: ['a'] },
    // Not prefixes of each other, although one sorts between another and what it covers.
    { rules: ['a/', 'a-b/', 'a/b'], watched: ['a-b/', 'a/'] },
    { rules: ['year=2026/', 'year=2027/'], watched: ['year'] },
    { rules: ['', 'a/'], watched: [''] },
  ])('of $rules are $watched', ({ rules, watched }) => {
    expect(watch(rules)).toEqual(watched)
  })

  test('announce every file that a rule asks for', () => {
    fc.assert(
      fc.property(anyPrefixes, fc.string(), (prefixes, rest) => {
        const watched = watch(prefixes)
        for (const prefix of prefixes) {
          expect(watched.filter((start) => `${prefix}${rest}`.startsWith(start))).toHaveLength(1)
        }
      }),
    )
  })

  test('never overlap, which S3 would refuse', () => {
    fc.assert(
      fc.property(anyPrefixes, (prefixes) => {
        const watched = watch(prefixes)
        for (const [index, one] of watched.entries()) {
          for (const other of watched.toSpliced(index, 1)) expect(other.startsWith(one)).toBe(false)
        }
      }),
    )
  })

  test('hold only characters that S3 and the emulators read alike', () => {
    fc.assert(
      fc.property(anyPrefixes, (prefixes) => {
        for (const start of watch(prefixes)) expect(start).toMatch(/^[A-Za-z0-9/._-]*$/)
      }),
    )
  })

  test('watch no more than the plain start of some rule', () => {
    fc.assert(
      fc.property(anyPrefixes, (prefixes) => {
        for (const start of watch(prefixes)) {
          const covered = prefixes.filter(
            (prefix) =>
              prefix === start ||
              (prefix.startsWith(start) && /^[^A-Za-z0-9/._-]/.test(prefix.slice(start.length))),
          )
          expect(covered).not.toEqual([])
        }
      }),
    )
  })

  test('do not depend on the order of the rules, so that a reordering deploys nothing', () => {
    fc.assert(
      fc.property(anyPrefixes, (prefixes) => {
        expect(watch(prefixes.toReversed())).toEqual(watch(prefixes))
      }),
    )
  })
})
