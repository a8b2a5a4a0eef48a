import { beforeAll, describe, expect, it } from 'vitest'
import { isOperationId, timeOfId } from '#domain/identifier.ts'
import { type IdsSetup, once, type Setup } from './setups.ts'
import { numbersTo } from './support.ts'

/** The laws of `Ids`. */
export const describeIdsContract = (name: string, setup: Setup<IdsSetup>): void => {
  describe(`ids: ${name}`, () => {
    const shared = once(setup)
    let all: IdsSetup
    beforeAll(async () => {
      all = await shared()
    })

    it('an operation id is a ULID in capitals', () => {
      expect(numbersTo(100).every(() => isOperationId(all.ids.operationId()))).toBe(true)
    })

    it('an operation id tells the time at which it was made', () => {
      const before = all.clock.now()
      const time = timeOfId(all.ids.operationId())
      expect(time).toBeGreaterThanOrEqual(before)
      expect(time).toBeLessThanOrEqual(all.clock.now())
    })

    it('no two ids, and no two nonces, are the same', () => {
      expect(new Set(numbersTo(5000).map(() => all.ids.operationId())).size).toBe(5000)
      expect(new Set(numbersTo(5000).map(() => all.ids.nonce())).size).toBe(5000)
    })

    it('a nonce is short, visible, and too long to guess', () => {
      for (const nonce of numbersTo(100).map(() => all.ids.nonce()))
        expect(nonce).toMatch(/^[\x21-\x7e]{16,64}$/)
    })

    it('chance is at least 0, below 1, and not always the same', () => {
      const chances = numbersTo(1000).map(() => all.ids.chance())
      expect(chances.every((chance) => chance >= 0 && chance < 1)).toBe(true)
      const mean = chances.reduce((sum, chance) => sum + chance, 0) / chances.length
      expect(mean).toBeGreaterThan(0.4)
      expect(mean).toBeLessThan(0.6)
    })
  })
}
