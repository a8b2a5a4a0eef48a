import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LineEntry, Mode } from '#domain/line.ts'
import type { LineStore } from '#ports/line-store.ts'
import type { LineStoreSetup, Setup } from './setups.ts'
import { newId, start, uniqueLine } from './support.ts'

/** What a line is, in a dozen lines: the reference that every store is held against. */
class ReferenceLine {
  entries: LineEntry[] = []
  nudgedAt: number | undefined
  #next: number | undefined

  enter(id: string, mode: Mode, now: number): 'entered' | 'present' {
    if (this.entries.some((entry) => entry.id === id && entry.mode === mode)) return 'present'
    const ticket = this.#next ?? now * 1000
    this.#next = ticket + 1
    this.entries = [...this.entries, { id, mode, ticket }]
    return 'entered'
  }

  leave(id: string, mode: Mode): boolean {
    const left = this.entries.filter((entry) => entry.id !== id || entry.mode !== mode)
    const was = left.length < this.entries.length
    this.entries = left
    return was
  }

  nudge(now: number, everyMs: number): boolean {
    if (this.#next === undefined || now - (this.nudgedAt ?? Number.NEGATIVE_INFINITY) < everyMs) return false
    this.nudgedAt = now
    return true
  }

  snapshot(key: string): object {
    return { key, entries: this.entries, ...(this.nudgedAt !== undefined && { nudgedAt: this.nudgedAt }) }
  }
}

interface Step {
  readonly kind: 'enter' | 'leave' | 'nudge'
  readonly who: number
  readonly mode: Mode
  readonly laterMs: number
}

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom('enter', 'enter', 'leave', 'nudge'),
    who: fc.nat({ max: 3 }),
    mode: fc.constantFrom('read', 'write'),
    laterMs: fc.nat({ max: 20_000 }),
  }),
  { maxLength: 25 },
)

const everyMs = 30_000

const runStep = async (
  lines: LineStore,
  key: string,
  model: ReferenceLine,
  step: Step & { id: string; now: number },
) => {
  const { kind, id, mode, now } = step
  if (kind === 'enter') {
    const outcome = await lines.enter({ line: key, mode }, id, now)
    expect(outcome.kind).toBe(model.enter(id, mode, now))
    expect(outcome.line).toEqual(model.snapshot(key))
  } else if (kind === 'leave') {
    const before = model.snapshot(key)
    const outcome = await lines.leave({ line: key, mode }, id, now)
    expect(outcome).toEqual({ was: model.leave(id, mode), before })
  } else {
    expect(await lines.markNudged(key, now, everyMs)).toBe(model.nudge(now, everyMs))
  }
}

/** Random sequences of calls on one line, each answer compared with the reference. */
export const describeLineModel = (setup: Setup<LineStoreSetup>, runs: number): void => {
  describe('any sequence of calls', () => {
    it('answers as the reference line does', async () => {
      const { lines } = await setup()
      const holds = fc.asyncProperty(steps, async (sequence) => {
        const [key, model, ids] = [uniqueLine('model'), new ReferenceLine(), [0, 1, 2, 3].map(newId)]
        let now = start
        for (const step of sequence) {
          now += step.laterMs
          await runStep(lines, key, model, { ...step, id: ids[step.who] ?? '', now })
        }
        expect(await lines.read([key])).toEqual([model.snapshot(key)])
      })
      await fc.assert(holds, { numRuns: runs })
    })
  })
}
