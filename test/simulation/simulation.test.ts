import { afterAll, describe, expect, test } from 'vitest'
import { PatchedThread } from '#test/support/patched-thread.ts'
import { knownSeeds } from './known-seeds.ts'
import { runInThread, runOnAllProcessors } from './threads.ts'

const thread = new PatchedThread()
afterAll(() => thread.close())

const freshRuns = 300

describe('the simulation', () => {
  test(`${freshRuns} fresh seeds find nothing wrong`, async () => {
    const first = Math.floor(Math.random() * 2 ** 31)
    const { failures } = await runOnAllProcessors({ first, runs: freshRuns, mostFailures: 1 })
    const told = failures.map(({ seed, profile, violation }) => ({ seed, profile, ...violation }))
    expect(told, `seeds from ${first}; again: node test/simulation/main.ts --seed N --runs 1`).toEqual([])
  })

  test('one seed decides everything: the same run again is the same, step by step', async () => {
    const batch = { first: 4242, runs: 20, mostFailures: 1 }
    const [once, again] = [await runInThread(thread, batch), await runInThread(thread, batch)]
    expect(again.fingerprint).toBe(once.fingerprint)
    expect((await runInThread(thread, { ...batch, first: 4243 })).fingerprint).not.toBe(once.fingerprint)
  })

  test.each(knownSeeds)('seed $seed, which once found that $found', async ({ seed, profile }) => {
    const { failures } = await runInThread(thread, { first: seed, runs: 1, profile, mostFailures: 1 })
    expect(failures).toEqual([])
  })
})
