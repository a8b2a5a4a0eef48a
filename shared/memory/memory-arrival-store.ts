import { limits } from '#domain/limits.ts'
import type { ArrivalStore } from '#ports/arrival-store.ts'
import { type Turn, yieldOnce } from './memory-tables.ts'

/** The newest S3 event per path, in memory. */
export class MemoryArrivalStore implements ArrivalStore {
  readonly #newest = new Map<string, { sequencer: string; ttl: number }>()
  readonly #turn: Turn

  constructor(options: { turn?: Turn } = {}) {
    this.#turn = options.turn ?? yieldOnce
  }

  async note(path: string, sequencer: string, now: number): Promise<'newest' | 'same' | 'older'> {
    await this.#turn()
    const known = this.#newest.get(path)
    const order = known === undefined ? 1 : compareSequencers(sequencer, known.sequencer)
    if (order > 0) this.#newest.set(path, { sequencer, ttl: now + limits.arrivalLifeMs })
    return order > 0 ? 'newest' : order === 0 ? 'same' : 'older'
  }

  /** Deletes what is old enough, as TTL does. */
  collectExpired(now: number): void {
    for (const [path, { ttl }] of this.#newest) if (ttl <= now) this.#newest.delete(path)
  }
}

/** S3: the shorter right-padded with zeros, then compared as text. */
const compareSequencers = (a: string, b: string): number => {
  const length = Math.max(a.length, b.length)
  const [left, right] = [a, b].map((text) => text.toUpperCase().padEnd(length, '0')) as [string, string]
  return left < right ? -1 : left > right ? 1 : 0
}
