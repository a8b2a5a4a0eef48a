import { beforeAll, describe, expect, it } from 'vitest'
import type { ArrivalStore } from '#ports/arrival-store.ts'
import { type ArrivalStoreSetup, once, type Setup } from './setups.ts'
import { filledTo, numbersTo, oddNames, start, uniquePath } from './support.ts'

/** The laws of {@link ArrivalStore}. */
export const describeArrivalStoreContract = (name: string, setup: Setup<ArrivalStoreSetup>): void => {
  describe(`arrival store: ${name}`, () => {
    const shared = once(setup)
    let arrivals: ArrivalStore
    beforeAll(async () => {
      ;({ arrivals } = await shared())
    })

    it('the first event of a path is the newest', async () => {
      expect(await arrivals.note(uniquePath('arrival'), '0055AED6DCD90281E5', start)).toBe('newest')
    })

    it('a later event is newer, an earlier one is older, the event itself is the same', async () => {
      const path = uniquePath('arrival')
      const note = (sequencer: string) => arrivals.note(path, sequencer, start)
      expect(await note('0055AED6DCD90281E5')).toBe('newest')
      expect(await note('0055AED6DCD90281E5')).toBe('same')
      expect(await note('0055AED6DCD90281E6')).toBe('newest')
      expect(await note('0055AED6DCD90281E5')).toBe('older')
      expect(await note('0055AED6DCD90281E6')).toBe('same')
    })

    it('the shorter of two sequencers is padded with zeros on its right', async () => {
      const path = uniquePath('arrival')
      const note = (sequencer: string) => arrivals.note(path, sequencer, start)
      expect(await note('0055')).toBe('newest')
      expect(await note('005500')).toBe('same')
      expect(await note('005501')).toBe('newest')
      expect(await note('0055')).toBe('older')
      expect(await note('00550100')).toBe('same')
      expect(await note('0056')).toBe('newest')
      expect(await note('0055FFFFFFFFFFFFFFFF')).toBe('older')
    })

    it('the case of the digits does not matter', async () => {
      const path = uniquePath('arrival')
      expect(await arrivals.note(path, 'ab', start)).toBe('newest')
      expect(await arrivals.note(path, 'AB', start)).toBe('same')
      expect(await arrivals.note(path, 'AC', start)).toBe('newest')
      expect(await arrivals.note(path, 'ab', start)).toBe('older')
    })

    it('the time of noting does not matter', async () => {
      const path = uniquePath('arrival')
      expect(await arrivals.note(path, '0B', start + 5000)).toBe('newest')
      expect(await arrivals.note(path, '0C', start)).toBe('newest')
      expect(await arrivals.note(path, '0B', start + 9000)).toBe('older')
    })

    it('paths are apart, odd as they may be', async () => {
      const paths = [
        ...oddNames.map((odd) => `${uniquePath('odd')}/${odd}`),
        filledTo(uniquePath('long'), 1024),
      ]
      for (const path of paths) expect(await arrivals.note(path, '05', start)).toBe('newest')
      for (const path of paths) expect(await arrivals.note(path, '05', start)).toBe('same')
    })

    it('of concurrent events the newest stays, and each is told once', async () => {
      const path = uniquePath('arrival')
      const sequencers = numbersTo(20).map((n) => n.toString(16).padStart(4, '0'))
      await Promise.all(sequencers.map((sequencer) => arrivals.note(path, sequencer, start)))
      expect(await arrivals.note(path, sequencers.at(-1) ?? '', start)).toBe('same')
      expect(await arrivals.note(path, sequencers.at(-2) ?? '', start)).toBe('older')
      const twin = uniquePath('arrival')
      const notes = await Promise.all(numbersTo(10).map(() => arrivals.note(twin, '07', start)))
      expect(notes.filter((note) => note === 'newest')).toHaveLength(1)
      expect(notes.filter((note) => note === 'same')).toHaveLength(9)
    })
  })
}
