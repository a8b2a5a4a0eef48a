import { afterAll, describe, expect, test } from 'vitest'
import { effectDefects } from '#test/support/effect-defects.ts'
import { PatchedThread } from '#test/support/patched-thread.ts'
import { runDefects } from '#test/support/run-defects.ts'
import { submitDefects } from '#test/support/submit-defects.ts'
import { sightings, unsighted } from './sightings.ts'
import { runInThread } from './threads.ts'

/** Holds have scenarios and unit tests; nobody in the simulation holds anything yet. */
const defects = [...submitDefects, ...runDefects, ...effectDefects]

const thread = new PatchedThread()
afterAll(() => thread.close())

/** What needs more seeds than this is left to `main.ts --defects`. */
const quickSeeds = 100
/** Schedules change with every change of the engine: a defect may come up somewhat later. */
const slack = 3

const quick = defects.filter(({ name }) => (sightings[name] ?? Number.POSITIVE_INFINITY) <= quickSeeds)

describe('the simulation can fail', () => {
  test.each(quick)('it notices that $name', async ({ patches }) => {
    const batch = { first: 1, runs: slack * quickSeeds, mostFailures: 1 }
    const { failures } = await runInThread(thread, batch, patches)
    expect(failures).toHaveLength(1)
  })

  test('each defect was sighted, or there is a reason why not', () => {
    const known = [...Object.keys(sightings), ...Object.keys(unsighted)]
    expect(known.toSorted()).toEqual(defects.map(({ name }) => name).toSorted())
  })
})
