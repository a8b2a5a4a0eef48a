import type { Chance } from './chance.ts'
import type { KindName, Profile } from './profile.ts'

/** One operation that a client is going to submit, and what else it does with it. */
export interface Plan {
  readonly kind: KindName
  /** Arguments, without id and content. */
  readonly args: Readonly<Record<string, unknown>>
  readonly content?: Uint8Array
  /** The content goes to S3 first, in pieces of these sizes (of an append: as one object). */
  readonly pieces?: readonly number[]
  readonly thinkMs: number
  readonly cancelAfterMs?: number
  readonly resubmitAfterMs?: number
  /** The id is used once more, for something else. */
  readonly isMisused: boolean
  /** What its client does when a submit fails: so many tries in all. */
  readonly tries: number
}

const pathAt = (number: number): string => `p${number}`

export const pathsOf = (profile: Profile): string[] =>
  Array.from({ length: Math.max(profile.paths, 2) }, (_, number) => pathAt(number))

export const plansOf = (chance: Chance, profile: Profile, client: number): Plan[] =>
  Array.from({ length: profile.operationsPerClient }, (_, index) =>
    planOf(chance, profile, `${client}.${index}`),
  )

const planOf = (chance: Chance, profile: Profile, tag: string): Plan => {
  const kind = chance.weighted(profile.kinds)
  const content = kind === 'write' || kind === 'append' ? contentOf(chance, tag) : undefined
  const isUpload = content !== undefined && chance.happens(profile.upload)
  return {
    kind,
    args: argsOf(chance, profile, kind, tag),
    ...(content !== undefined && { content }),
    ...(isUpload && { pieces: piecesOf(chance, kind, content.length) }),
    thinkMs: chance.happens(0.5) ? 0 : chance.integer(0, 20_000),
    ...(chance.happens(profile.cancel) && { cancelAfterMs: chance.pick([0, 0, 1_000, 40_000]) }),
    ...(chance.happens(profile.resubmit) && { resubmitAfterMs: chance.pick([0, 0, 5_000, 90_000]) }),
    isMisused: chance.happens(profile.misuse),
    tries: chance.integer(1, 4),
  }
}

/** Mostly small; some too large for the record, for one put, for the worker (under the limits of `small-limits.ts`). */
const contentOf = (chance: Chance, tag: string): Uint8Array => {
  const size = chance.pick([0, 0, 0, 0, 30, 60, 120, 200])
  return Buffer.from(`<${tag}>`.padEnd(size, '.'))
}

/** Parts of an upload: all but the last at least as large as S3 wants them. */
const piecesOf = (chance: Chance, kind: KindName, size: number): number[] => {
  if (kind === 'append' || size < 100 || chance.happens(0.5)) return [size]
  return [50, size - 50]
}

const argsOf = (chance: Chance, profile: Profile, kind: KindName, tag: string): Record<string, unknown> => {
  const paths = pathsOf(profile)
  const path = pathAt(chance.integer(0, profile.paths - 1))
  const condition = conditionOf(chance, profile)
  switch (kind) {
    case 'read':
    case 'stat':
      return { path }
    case 'checksum':
      return { path, algorithm: chance.pick(['sha256', 'md5']) }
    case 'copy':
    case 'move': {
      const to = chance.pick(paths.filter((other) => other !== path))
      return { from: path, to, ...condition }
    }
    case 'concat': {
      const from = Array.from({ length: chance.integer(1, 3) }, () => chance.pick(paths))
      return { from, to: chance.pick(paths), ...condition }
    }
    case 'delete':
      return { path, ...condition }
    case 'write':
    case 'append':
      return {
        path,
        ...condition,
        ...(chance.happens(0.3) && { contentType: `text/${tag}`, metadata: { tag } }),
      }
  }
}

const conditionOf = (chance: Chance, profile: Profile): Record<string, string> =>
  chance.happens(profile.condition) ? { [chance.pick(['ifMatch', 'ifNoneMatch'])]: '*' } : {}
