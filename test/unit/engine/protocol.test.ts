import { describe, test } from 'vitest'
import { scenarios } from './scenarios/scenarios.ts'

describe('the protocol holds', () => {
  for (const { law, play } of Object.values(scenarios)) test(law, play)
})
