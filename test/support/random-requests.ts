import type { Request } from './replay.ts'

/** Numbers from 0 up to 1 that follow from the seed: the "mulberry32" generator, good enough to choose by. */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** How often each kind is chosen, in parts of a hundred. Many touch two files. */
const weights = {
  append: 28,
  write: 14,
  copy: 14,
  move: 14,
  delete: 6,
  concat: 6,
  read: 8,
  stat: 5,
  checksum: 5,
} as const

type Kind = keyof typeof weights

/** `count` requests of all kinds over a few paths, so that most of them meet others. */
export const randomRequests = (seed: number, count: number, paths: readonly string[]): Request[] => {
  const random = seededRandom(seed)
  const below = (bound: number): number => Math.floor(random() * bound)
  const onePath = (): string => paths[below(paths.length)] ?? ''
  const twoPaths = (): [string, string] => {
    const first = below(paths.length)
    const second = (first + 1 + below(paths.length - 1)) % paths.length
    return [paths[first] ?? '', paths[second] ?? '']
  }
  const kinds = Object.entries(weights).flatMap(([kind, weight]) => Array<Kind>(weight).fill(kind as Kind))
  const make = (number: number): Request => {
    const kind = kinds[below(kinds.length)] ?? 'append'
    const [from, to] = twoPaths()
    const guard = random() < 0.1 ? { ifNoneMatch: '*' } : {}
    switch (kind) {
      case 'append':
      case 'write':
        return {
          kind,
          path: from,
          body: `${kind} ${number} ${'x'.repeat(below(60))}\n`,
          ...(kind === 'write' && guard),
        }
      case 'copy':
      case 'move':
        return { kind, from, to, ...guard }
      case 'concat':
        return { kind, from: [from, to], to: onePath(), ...guard }
      case 'checksum':
        return { kind, path: from, algorithm: 'md5' }
      case 'delete':
      case 'read':
      case 'stat':
        return { kind, path: from }
    }
  }
  return Array.from({ length: count }, (_, number) => make(number))
}
