import { encodeTime } from 'ulid'
import type { Clock } from '#ports/clock.ts'
import type { Ids } from '#ports/ids.ts'

/**
 * Numbers in [0, 1) that follow from the seed. Mulberry32 (Tommy Ettinger, public domain): 32 bits of state,
 * good enough for choices in a simulation, not for secrets.
 */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const ulidTimeChars = 10
const ulidRandomChars = 16
const nonceChars = 20

/** Ids and chance that follow from a seed and the clock: the same run again makes the same ids. */
export class SeededIds implements Ids {
  readonly #clock: Clock
  readonly #random: () => number

  constructor(clock: Clock, seed: number) {
    this.#clock = clock
    this.#random = seededRandom(seed)
  }

  operationId(): string {
    return encodeTime(this.#clock.now(), ulidTimeChars) + this.#text(ulidRandomChars)
  }

  nonce(): string {
    return this.#text(nonceChars)
  }

  chance(): number {
    return this.#random()
  }

  #text(chars: number): string {
    return Array.from({ length: chars }, () => alphabet[Math.floor(this.#random() * alphabet.length)]).join(
      '',
    )
  }
}
