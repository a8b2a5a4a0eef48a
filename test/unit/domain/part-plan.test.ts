import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '#domain/limits.ts'
import {
  gatherMaxBytes,
  maxPlanBytes,
  maxSegments,
  type Piece,
  type Plan,
  type PlannedPart,
  planParts,
  preferredCopyBytes,
  type Segment,
} from '#domain/part-plan.ts'

const MIN = limits.partMinBytes
const GIB = 1024 ** 3

/** Sizes around every edge, and anything up to 5 GiB. */
const size = fc.oneof(
  fc.constantFrom(0, 1, MIN - 1, MIN, MIN + 1, gatherMaxBytes - 1, gatherMaxBytes, gatherMaxBytes + 1),
  fc.constantFrom(preferredCopyBytes - 1, preferredCopyBytes, preferredCopyBytes + 1, 5 * GIB),
  fc.integer({ min: 0, max: 3 * MIN }),
  fc.integer({ min: 0, max: 5 * GIB }),
)

const objectSegment = (path: string, bytes: number): Segment => ({
  kind: 'object',
  path,
  etag: `"${path}"`,
  size: bytes,
})

const segments: fc.Arbitrary<Segment[]> = fc
  .tuple(fc.array(size, { maxLength: 98 }), fc.option(fc.integer({ min: 0, max: 3 * gatherMaxBytes })))
  .map(([sizes, body]) => [
    ...sizes.map((bytes, index) => objectSegment(`s${index}`, bytes)),
    ...(body === null ? [] : [{ kind: 'body', size: body } as const]),
  ])

const piecesOf = (plan: Plan): readonly Piece[] =>
  plan.kind === 'put'
    ? plan.pieces
    : plan.parts.flatMap((part) => (part.kind === 'copy' ? [part.source] : part.pieces))

const partsOf = (plan: Plan): readonly PlannedPart[] => (plan.kind === 'put' ? [] : plan.parts)

const nameOf = (piece: Segment): string => (piece.kind === 'object' ? `${piece.path} ${piece.etag}` : 'body')

/** Runs of bytes with neighbours of the same segment joined: equal lists = equal bytes. */
const runs = (pieces: readonly { name: string; start: number; size: number }[]) => {
  const joined: { name: string; start: number; size: number }[] = []
  for (const piece of pieces) {
    const last = joined.at(-1)
    if (last?.name === piece.name && last.start + last.size === piece.start) last.size += piece.size
    else joined.push({ ...piece })
  }
  return joined
}

const sum = (sizes: readonly { size: number }[]): number => sizes.reduce((total, one) => total + one.size, 0)

const breaksCopyRule = (part: PlannedPart): boolean =>
  part.kind === 'copy' && part.source.size < part.source.of && part.source.of <= MIN

describe('planParts', () => {
  it('covers exactly the bytes of the segments, in order', () => {
    fc.assert(
      fc.property(segments, (list) => {
        const plan = planParts(list)
        const wanted = list
          .filter((one) => one.size > 0)
          .map((one) => ({ name: nameOf(one), start: 0, size: one.size }))
        const got = piecesOf(plan).map((one) => ({ name: nameOf(one), start: one.start, size: one.size }))
        expect(runs(got)).toEqual(wanted)
        expect(plan.size).toBe(sum(list))
        expect(sum(plan.kind === 'put' ? plan.pieces : plan.parts)).toBe(plan.size)
      }),
    )
  })

  it("keeps S3's limits on the size and number of parts, and on ranges of small objects", () => {
    fc.assert(
      fc.property(segments, (list) => {
        const parts = partsOf(planParts(list))
        expect(parts.length).toBeLessThanOrEqual(limits.parts)
        expect(parts.slice(0, -1).every((part) => part.size >= MIN)).toBe(true)
        expect(parts.every((part) => part.size >= 1 && part.size <= limits.partMaxBytes)).toBe(true)
        expect(parts.some(breaksCopyRule)).toBe(false)
      }),
    )
  })

  it('never holds 10 MiB or more in memory at once', () => {
    fc.assert(
      fc.property(segments, (list) => {
        const plan = planParts(list)
        const held = plan.kind === 'put' ? [plan] : plan.parts.filter((part) => part.kind === 'gather')
        for (const one of held) {
          expect(one.size).toBe(sum(one.pieces))
          expect(one.size).toBeLessThan(gatherMaxBytes)
        }
      }),
    )
  })

  it('reads less than 10 MiB of each source: the rest of a large one is copied where it lies', () => {
    fc.assert(
      fc.property(segments, (list) => {
        const read = partsOf(planParts(list)).flatMap((part) => (part.kind === 'gather' ? part.pieces : []))
        for (const source of list.filter((one) => one.kind === 'object')) {
          expect(sum(read.filter((piece) => nameOf(piece) === nameOf(source)))).toBeLessThan(gatherMaxBytes)
        }
      }),
    )
    expect.hasAssertions()
  })

  it('holds at the largest: 5 TiB, and as many segments as it takes', () => {
    const whole = planParts([objectSegment('a', maxPlanBytes)])
    expect(whole.kind === 'parts' && whole.parts.length <= limits.parts).toBe(true)
    const many = planParts(
      Array.from({ length: maxSegments }, (_, index) => objectSegment(`s${index}`, 5 * GIB)),
    )
    expect(many.kind === 'parts' && many.parts.length <= limits.parts).toBe(true)
    const mixed = Array.from({ length: maxSegments }, (_, index) =>
      objectSegment(`s${index}`, index % 2 ? 5 * GIB : 1),
    )
    const plan = planParts(mixed)
    expect(plan.kind === 'parts' && plan.parts.length <= limits.parts).toBe(true)
  })

  it('refuses what it cannot plan', () => {
    expect(() => planParts([objectSegment('a', maxPlanBytes), objectSegment('b', 1)])).toThrow(RangeError)
    const tooMany = Array.from({ length: maxSegments + 1 }, (_, index) => objectSegment(`s${index}`, 1))
    expect(() => planParts(tooMany)).toThrow(/1001 segments, at most 1000/)
  })

  it('puts what is small, empty files included', () => {
    expect(planParts([])).toEqual({ kind: 'put', pieces: [], size: 0 })
    expect(planParts([objectSegment('a', 0)])).toEqual({ kind: 'put', pieces: [], size: 0 })
    expect(planParts([objectSegment('a', MIN - 1), { kind: 'body', size: 16 }]).kind).toBe('put')
  })

  it('appends to a file of 5 MiB and more without reading it', () => {
    const plan = planParts([objectSegment('a', MIN), { kind: 'body', size: 16 }])
    expect(plan.kind === 'parts' && plan.parts.map((part) => [part.kind, part.size])).toEqual([
      ['copy', MIN],
      ['gather', 16],
    ])
  })

  it('copies a small last source whole, without a range', () => {
    const plan = planParts([objectSegment('a', 9 * MIN), objectSegment('b', 7)])
    expect(plan.kind === 'parts' && plan.parts.at(-1)).toMatchObject({
      kind: 'copy',
      source: { path: 'b', start: 0, size: 7, of: 7 },
    })
  })

  it('fills a small piece between large ones with the beginning of the next', () => {
    const plan = planParts([objectSegment('a', 2 * MIN), objectSegment('b', 10), objectSegment('c', 3 * MIN)])
    expect(plan.kind === 'parts' && plan.parts.map((part) => [part.kind, part.size])).toEqual([
      ['copy', 2 * MIN],
      ['gather', MIN],
      ['copy', 2 * MIN + 10],
    ])
  })
})
