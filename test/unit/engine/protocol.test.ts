import { describe, test } from 'vitest'
import { scenarios } from './scenarios/scenarios.ts'

describe('the protocol holds', () => {
  for (const scenario of Object.values(scenarios)) test(scenario.law, () => scenario.play())
})
