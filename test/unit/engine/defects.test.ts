import { afterAll, describe, expect, test } from 'vitest'
import { defects } from '#test/support/defects.ts'
import { PatchedThread } from '#test/support/patched-thread.ts'
import { scenarios } from './scenarios/scenarios.ts'

const thread = new PatchedThread()
afterAll(() => thread.close())

const module = new URL('./scenarios/scenarios.ts', import.meta.url).href

describe('a rule left out is noticed', () => {
  test.each(defects)('$name', async ({ patches, scenario }) => {
    const answer = await thread.call({ patches, module, function: 'violationOf', argument: scenario })
    expect(answer.kind, JSON.stringify(answer)).toBe('returned')
    if (answer.kind === 'returned') expect(answer.value).toMatch(/^AssertionError/)
  })

  test('every law has a defect that breaks it', () => {
    const broken = new Set(defects.map(({ scenario }) => scenario))
    expect(Object.keys(scenarios).filter((name) => !broken.has(name))).toEqual([])
  })

  test('the same thread without a patch notices nothing', async () => {
    const argument = 'hand-off'
    const answer = await thread.call({ patches: [], module, function: 'violationOf', argument })
    expect(answer).toEqual({ kind: 'returned', value: undefined })
  })
})
