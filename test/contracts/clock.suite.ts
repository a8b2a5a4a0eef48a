import { beforeAll, describe, expect, it } from 'vitest'
import type { Clock } from '#ports/clock.ts'
import { type ClockSetup, once, type Setup } from './setups.ts'

/** Long enough to tell two sleeps apart on a busy machine, short enough for a real clock. */
const stepMs = 20

/** The laws of {@link Clock}. */
export const describeClockContract = (name: string, setup: Setup<ClockSetup>): void => {
  describe(`clock: ${name}`, () => {
    const shared = once(setup)
    let clock: Clock
    let pass: ClockSetup['pass']
    beforeAll(async () => {
      ;({ clock, pass } = await shared())
    })

    it('the time is whole milliseconds since 1970', () => {
      expect(Number.isInteger(clock.now())).toBe(true)
      expect(clock.now()).toBeGreaterThan(Date.UTC(2025, 0, 1))
    })

    it('a sleep lasts as long as asked for', async () => {
      const before = clock.now()
      const sleep = clock.sleep(stepMs)
      await pass(stepMs)
      await sleep
      // A real timer may fire a millisecond early by the wall clock.
      expect(clock.now() - before).toBeGreaterThanOrEqual(stepMs - 1)
    })

    it('a sleep of nothing, or less, ends at once', async () => {
      const { signal } = new AbortController()
      const sleeps = Promise.all([clock.sleep(0), clock.sleep(-5), clock.sleep(0, signal)])
      await expect(sleeps).resolves.toHaveLength(3)
    })

    it('sleepers wake in the order of their times', async () => {
      const order: string[] = []
      const sleeps = [
        clock.sleep(3 * stepMs).then(() => order.push('third')),
        clock.sleep(stepMs).then(() => order.push('first')),
        clock.sleep(2 * stepMs).then(() => order.push('second')),
      ]
      await pass(3 * stepMs)
      await Promise.all(sleeps)
      expect(order).toEqual(['first', 'second', 'third'])
    })

    it('an aborted signal ends a sleep with its reason', async () => {
      const controller = new AbortController()
      const reason = new Error('enough')
      const sleep = clock.sleep(3_600_000, controller.signal)
      controller.abort(reason)
      await expect(sleep).rejects.toBe(reason)
    })

    it('a sleep under a signal aborted before ends at once with its reason', async () => {
      const reason = new Error('never began')
      await expect(clock.sleep(3_600_000, AbortSignal.abort(reason))).rejects.toBe(reason)
      await expect(clock.sleep(0, AbortSignal.abort(reason))).rejects.toBe(reason)
    })

    it('an abort after the sleep does nothing', async () => {
      const controller = new AbortController()
      const sleep = clock.sleep(stepMs, controller.signal)
      await pass(stepMs)
      await sleep
      controller.abort(new Error('too late'))
      await expect(sleep).resolves.toBeUndefined()
    })
  })
}
