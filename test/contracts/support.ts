import { randomUUID } from 'node:crypto'
import { ulid } from 'ulid'
import { limits } from '#domain/limits.ts'
import { lineOfPath } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'
import { openShard } from '#domain/schedule.ts'
import { isPortFault } from '#ports/faults.ts'
import type { GetOutcome, ObjectAttributes } from '#ports/object-store.ts'
import type { Claim, Ending } from '#ports/operation-store.ts'

/**
 * The time that the suites count from. The present, because stores delete what is long over; nothing else
 * about it matters, and no test waits for it to pass.
 */
export const start = Date.now()

/** A path that no other test uses, so that suites can share a bucket and a table. */
export const uniquePath = (label: string): string => `contracts/${label}-${randomUUID()}`

export const uniqueLine = (label: string): string => lineOfPath(uniquePath(label))

export const newId = (): string => ulid()

/** A minute of its own, years ahead, so that a test of the index meets no other test's records. */
export const uniqueTime = (): number => start + limits.lineLifeMs + Math.floor(Math.random() * 3e6) * 60_000

/** Ids that share a shard of the index with `id`. */
export const idsInShardOf = (id: string, count: number): string[] => {
  const ids: string[] = []
  while (ids.length < count) {
    const candidate = newId()
    if (openShard(candidate) === openShard(id)) ids.push(candidate)
  }
  return ids
}

/** A record as a first submit puts it. */
export const recordOf = (overrides: Partial<OperationRecord> = {}): OperationRecord => ({
  v: 1,
  id: newId(),
  kind: 'write',
  args: { path: 'a/b.txt' },
  digest: 'digest-1',
  uses: [{ line: lineOfPath('a/b.txt'), mode: 'write' }],
  status: 'waiting',
  submittedAt: start,
  attempt: 0,
  tries: 0,
  leaseUntil: 0,
  ...overrides,
})

/** A first claim, with a lease of 30 s. */
export const claimOf = (overrides: Partial<Claim> = {}): Claim => ({
  seenAttempt: 0,
  leaseUntil: start + 30_000,
  nonce: newId(),
  base: {},
  now: start,
  ...overrides,
})

export const succeeded: Ending = { status: 'succeeded', result: { etag: '"e"' }, now: start + 100 }

export const plain: ObjectAttributes = { contentType: 'text/plain', metadata: {} }

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** The content of a `get` that must have found something. */
export const contentOf = async (outcome: GetOutcome): Promise<Uint8Array> => {
  if (outcome.kind !== 'found') throw new Error(`get: got ${outcome.kind}, expected found`)
  const pieces: Uint8Array[] = []
  for await (const piece of outcome.bytes) pieces.push(piece)
  return new Uint8Array(Buffer.concat(pieces))
}

/** The ETag of an outcome that must be `done`. */
export const etagOf = (outcome: { kind: string; etag?: string }): string => {
  if (outcome.kind !== 'done' || outcome.etag === undefined)
    throw new Error(`got ${outcome.kind}, expected done`)
  return outcome.etag
}

/** Repeats what was answered with "not now", as the engine does. Anything else passes. */
export const insisting = async <T>(call: () => Promise<T>, tries = 200): Promise<T> => {
  for (let left = tries; ; left -= 1) {
    try {
      return await call()
    } catch (error) {
      if (left <= 1 || !(isPortFault(error) && error.fault === 'busy')) throw error
    }
  }
}

/** Runs the calls with at most `width` of them under way at once. */
export const inParallel = async <T>(width: number, calls: readonly (() => Promise<T>)[]): Promise<T[]> => {
  const results: T[] = []
  const queue = [...calls.entries()]
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, call] = next
      results[index] = await call()
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  return results
}

export const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** Keys that some layer between here and S3 is known to get wrong: encoding, signing, XML, sorting. */
export const oddNames: readonly string[] = [
  'with space',
  'two  spaces and a trailing one ',
  'plus+plus',
  'percent%20not-a-space%',
  'question?and=equals&and#hash',
  `single'double"backtick\``,
  'angle<brackets>&amp;',
  'back\\slash|pipe^caret~tilde',
  'colon:semicolon;comma,at@dollar$bang!star*',
  '(round)[square]{curly}',
  'ünïcödé-文件-файл',
  'decomposed-e\u0301',
  'emoji-🎈-beyond-the-first-plane',
  'dots...and..more',
  '.hidden',
]

/** `prefix` filled up to exactly `bytes` bytes of UTF-8, with characters of two bytes as far as they go. */
export const filledTo = (prefix: string, bytes: number): string => {
  const left = bytes - Buffer.byteLength(prefix)
  return prefix + 'é'.repeat(Math.floor(left / 2)) + 'x'.repeat(left % 2)
}

/** Bytes that differ from place to place, so that a shifted range shows. */
export const patternOf = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let index = 0; index < size; index += 1) bytes[index] = (index * 31 + (index >> 8)) & 255
  return bytes
}
