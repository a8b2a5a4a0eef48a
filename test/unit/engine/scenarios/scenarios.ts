import { effectScenarios } from './effect-scenarios.ts'
import { holdScenarios } from './hold-scenarios.ts'
import { runScenarios } from './run-scenarios.ts'
import type { Scenario } from './scenario.ts'
import { submitScenarios } from './submit-scenarios.ts'

export const scenarios: Readonly<Record<string, Scenario>> = {
  ...submitScenarios,
  ...runScenarios,
  ...effectScenarios,
  ...holdScenarios,
}

/** For a thread with patched modules: what went wrong, or undefined. */
export const violationOf = async (name: string): Promise<string | undefined> => {
  const scenario = scenarios[name]
  if (scenario === undefined) throw new TypeError(`no scenario ${name}`)
  try {
    await scenario.play()
    return undefined
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
}
