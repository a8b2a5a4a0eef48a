import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LocalEnvironment } from '#cli/local/environment.ts'
import type { Cost } from '../../bench/budget/cost.ts'
import { type Budget, measureBudget } from '../../bench/budget/scenarios.ts'

const timeoutMs = 120_000

/** The promises of the design, counted on the deployment (docs/operations.md, cost per operation). */
describe('the budget', () => {
  // A deployment of its own: a message that another test left behind would be counted here.
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-budget-'))
  const environment = new LocalEnvironment({ directory, lifeline: true })
  let budget: Budget

  beforeAll(async () => {
    budget = await measureBudget(await environment.up())
  }, timeoutMs)
  afterAll(async () => {
    await environment.down()
    rmSync(directory, { recursive: true, force: true })
  }, timeoutMs)

  const costOf = (scenario: string): Cost => {
    const cost = budget.costs.find((candidate) => candidate.scenario === scenario)
    if (cost === undefined) throw new Error(`nothing was measured under ${scenario}`)
    return cost
  }

  test.for(['write, 200 bytes, new file', 'write, 200 bytes, replacing'])(
    '%s: 3 round trips to acknowledge, at most 8 write units, 2 object and 3 queue requests',
    (scenario) => {
      const cost = costOf(scenario)
      expect(cost.roundTrips, JSON.stringify(cost)).toBeLessThanOrEqual(3)
      expect(cost.writeUnits, JSON.stringify(cost)).toBeLessThanOrEqual(8)
      expect(cost.objectRequests, JSON.stringify(cost)).toBeLessThanOrEqual(2)
      expect(cost.queueRequests, JSON.stringify(cost)).toBeLessThanOrEqual(3)
    },
  )

  test('a 1 MB write: not one byte of it in any function', () => {
    expect(costOf('write, 1 MB').functionBytes).toBe(0)
  })

  test('an operation that waits costs no call', () => {
    expect(budget.waiting.whileWaiting).toBe(0)
  })

  test('a hand-off is one release and one send', () => {
    expect(budget.waiting.handOff).toEqual(['UpdateItem (line)', 'SendMessage'])
  })
})
