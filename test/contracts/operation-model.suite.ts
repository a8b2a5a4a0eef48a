import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isFinal, type OperationRecord } from '#domain/operation.ts'
import { doneShard, openShard } from '#domain/schedule.ts'
import type { OperationStore } from '#ports/operation-store.ts'
import type { OperationStoreSetup, Setup } from './setups.ts'
import { claimOf, recordOf, uniqueTime } from './support.ts'

const actions = ['claim', 'amend', 'endLease', 'finish', 'endWaiting', 'cancel', 'settle'] as const

interface Step {
  readonly action: (typeof actions)[number]
  /** How far behind the newest attempt this caller is. */
  readonly behind: number
  readonly laterMs: number
}

const steps = fc.array(
  fc.record<Step>({
    action: fc.constantFrom(...actions, 'claim'),
    behind: fc.nat({ max: 1 }),
    laterMs: fc.nat({ max: 1000 }),
  }),
  { maxLength: 20 },
)

const leaseMs = 600

const act = async (
  operations: OperationStore,
  before: OperationRecord,
  { action, behind }: Step,
  now: number,
) => {
  const { id } = before
  const attempt = before.attempt - behind
  const claim = claimOf({
    seenAttempt: attempt,
    now,
    leaseUntil: now + leaseMs,
    base: { seen: { etag: `"${now}"`, size: 1 } },
  })
  if (action === 'claim') await operations.claim(id, claim)
  else if (action === 'amend') await operations.amend(id, attempt, { work: { large: now % 2 === 0 } })
  else if (action === 'endLease') await operations.endLease(id, attempt)
  else if (action === 'finish') await operations.finish(id, attempt, { status: 'succeeded', now })
  else if (action === 'endWaiting') await operations.endWaiting(id, { status: 'cancelled', now })
  else if (action === 'cancel') await operations.requestCancel(id, now)
  else await operations.settle(before)
}

/** What one call may make of a record, whoever makes it. */
const expectLawfulChange = (
  before: OperationRecord,
  after: OperationRecord,
  step: Step,
  now: number,
): void => {
  if (isFinal(before.status)) expect(after).toEqual(before)
  expect([0, 1]).toContain(after.attempt - before.attempt)
  if (after.attempt > before.attempt) {
    expect(step).toMatchObject({ action: 'claim', behind: 0 })
    expect(before.status === 'waiting' || before.leaseUntil <= now).toBe(true)
    expect(after).toMatchObject({ status: 'running', leaseUntil: now + leaseMs, tries: before.tries + 1 })
  }
  if (before.base !== undefined) expect(after.base).toEqual(before.base)
  if (before.startedAt !== undefined) expect(after.startedAt).toBe(before.startedAt)
  if (before.cancelRequestedAt !== undefined) expect(after.cancelRequestedAt).toBeDefined()
  if (step.behind > 0 && before.attempt > 0 && step.action === 'amend') expect(after).toEqual(before)
  expect(isFinal(after.status)).toBe(after.finishedAt !== undefined)
}

/** Random sequences of calls on one record: whatever the order, these never break. */
export const describeOperationInvariants = (setup: Setup<OperationStoreSetup>, runs: number): void => {
  describe('any sequence of calls', () => {
    it('attempts grow, bases stay, ends last, and the index names the record exactly once', async () => {
      const { operations } = await setup()
      const holds = fc.asyncProperty(steps, async (sequence) => {
        const submittedAt = uniqueTime()
        let record = recordOf({ submittedAt })
        await operations.create(record)
        let now = submittedAt
        for (const step of sequence) {
          now += step.laterMs
          await act(operations, record, step, now)
          const after = await operations.get(record.id)
          if (after === undefined) throw new Error('the record vanished')
          expectLawfulChange(record, after, step, now)
          record = after
        }
        const shards = [openShard(record.id), doneShard(record.id)]
        // The longest run lasts 20 s and the latest due time is minutes after it; 15 more minutes see all.
        const range = { from: submittedAt, to: submittedAt + 900_000, limit: 100 }
        const pages = await Promise.all(shards.map((shard) => operations.schedule(shard, range)))
        const places = pages.map(({ ids }) => ids.filter((id) => id === record.id).length)
        expect(places).toEqual(expectedPlaces(record, sequence))
      })
      await fc.assert(holds, { numRuns: runs })
    })
  })
}

const expectedPlaces = (record: OperationRecord, sequence: readonly Step[]): [number, number] => {
  if (!isFinal(record.status)) return [1, 0]
  if (record.late !== true) return [0, 1]
  const end = sequence.findIndex(({ action }) => action === 'endWaiting')
  return sequence.slice(end + 1).some(({ action }) => action === 'settle') ? [0, 1] : [1, 0]
}
