import { seededRandom } from '#memory/seeded-ids.ts'

/** Everything that a run leaves to chance comes from here, so that the seed decides all of it. */
export class Chance {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  happens(probability: number): boolean {
    return this.#random() < probability
  }

  /** From `least` to `most`, both inclusive. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1))
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[Math.floor(this.#random() * values.length)]
    if (value === undefined) throw new RangeError('nothing to pick from')
    return value
  }

  /** By weight; at least one weight must be positive. */
  weighted<Name extends string>(weights: Readonly<Partial<Record<Name, number>>>): Name {
    const entries = Object.entries(weights) as [Name, number][]
    let left = this.#random() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    throw new RangeError('no weight is positive')
  }

  /** A seed for somebody's own chance, so that one more draw here does not change everything there. */
  seed(): number {
    return Math.floor(this.#random() * 2 ** 32)
  }
}
