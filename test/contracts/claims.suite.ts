import { beforeAll, expect, it } from 'vitest'
import type { OperationRecord } from '#domain/operation.ts'
import type { OperationStore } from '#ports/operation-store.ts'
import type { OperationStoreSetup, Setup } from './setups.ts'
import { claimOf, newId, numbersTo, recordOf, start, succeeded } from './support.ts'

/** The laws of {@link OperationStore.claim} and of the lease. */
export const describeClaims = (setup: Setup<OperationStoreSetup>): void => {
  let operations: OperationStore
  beforeAll(async () => {
    ;({ operations } = await setup())
  })
  const created = async (): Promise<OperationRecord> => {
    const record = recordOf()
    await operations.create(record)
    return record
  }

  it('the first claim starts the operation', async () => {
    const record = await created()
    const claim = claimOf({ base: { 'a/b.txt': null }, now: start + 5 })
    const outcome = await operations.claim(record.id, claim)
    const { leaseUntil, nonce, base } = claim
    const running = { status: 'running', attempt: 1, tries: 1, leaseUntil, nonce, base, startedAt: start + 5 }
    expect(outcome).toEqual({ kind: 'claimed', record: { ...record, ...running } })
    expect(await operations.get(record.id)).toEqual(outcome.record)
  })

  it('claim is refused while the lease lives', async () => {
    const { id } = await created()
    const first = await operations.claim(id, claimOf({ leaseUntil: start + 1000 }))
    const second = await operations.claim(id, claimOf({ seenAttempt: 1, now: start + 999 }))
    expect(second).toEqual({ kind: 'refused', record: first.record })
    expect(await operations.get(id)).toEqual(first.record)
  })

  it('a claim at the end of the lease is a takeover: attempt and tries grow, the start stays', async () => {
    const { id } = await created()
    const first = await operations.claim(id, claimOf({ leaseUntil: start + 1000 }))
    const claim = claimOf({ seenAttempt: 1, now: start + 1000, leaseUntil: start + 9000 })
    const second = await operations.claim(id, claim)
    const { nonce, leaseUntil } = claim
    const expected = { ...first.record, attempt: 2, tries: 2, leaseUntil, nonce }
    expect(second).toEqual({ kind: 'claimed', record: expected })
  })

  it('the base is that of the first claim', async () => {
    const { id } = await created()
    const base = { 'a/b.txt': { etag: '"one"', size: 3, versionId: 'v1' }, 'c.txt': null }
    await operations.claim(id, claimOf({ base, leaseUntil: start }))
    const later = claimOf({ seenAttempt: 1, base: { 'a/b.txt': null } })
    expect((await operations.claim(id, later)).record?.base).toEqual(base)
  })

  it('an empty base is a base', async () => {
    const { id } = await created()
    await operations.claim(id, claimOf({ base: {}, leaseUntil: start }))
    const later = claimOf({ seenAttempt: 1, base: { 'a/b.txt': null } })
    expect((await operations.claim(id, later)).record?.base).toEqual({})
  })

  it('a claim is refused if the attempt has moved on, even when no lease lives', async () => {
    const { id } = await created()
    const first = await operations.claim(id, claimOf({ leaseUntil: start }))
    const stale = await operations.claim(id, claimOf({ seenAttempt: 0, now: start + 1 }))
    expect(stale).toEqual({ kind: 'refused', record: first.record })
    const early = await operations.claim(id, claimOf({ seenAttempt: 2, now: start + 1 }))
    expect(early).toEqual({ kind: 'refused', record: first.record })
  })

  it('a repeated claim recognises its own earlier try by the nonce, and changes nothing', async () => {
    const { id } = await created()
    const claim = claimOf()
    const first = await operations.claim(id, claim)
    const again = { ...claim, now: start + 50, leaseUntil: start + 90_000, base: { 'a/b.txt': null } }
    expect(await operations.claim(id, again)).toEqual(first)
    expect(await operations.claim(id, { ...again, now: start + 90_000 })).toEqual(first)
    expect(await operations.get(id)).toEqual(first.record)
  })

  it('a nonce of an attempt that was taken over claims nothing', async () => {
    const { id } = await created()
    const claim = claimOf({ leaseUntil: start })
    await operations.claim(id, claim)
    const second = await operations.claim(id, claimOf({ seenAttempt: 1 }))
    expect(await operations.claim(id, claim)).toEqual({ kind: 'refused', record: second.record })
  })

  it('a nonce claims nothing but the attempt that it was drawn for', async () => {
    const { id } = await created()
    const claim = claimOf()
    const { record } = await operations.claim(id, claim)
    for (const seenAttempt of [1, 2]) {
      expect(await operations.claim(id, { ...claim, seenAttempt })).toEqual({ kind: 'refused', record })
    }
  })

  it('a nonce of an attempt that has ended claims nothing', async () => {
    const { id } = await created()
    const claim = claimOf()
    await operations.claim(id, claim)
    const { record } = await operations.finish(id, 1, succeeded)
    expect(await operations.claim(id, claim)).toEqual({ kind: 'refused', record })
  })

  it('a final operation is never claimed', async () => {
    const { id } = await created()
    const { record } = await operations.endWaiting(id, { status: 'cancelled', now: start })
    expect(await operations.claim(id, claimOf())).toEqual({ kind: 'refused', record })
  })

  it('a claim of what does not exist is refused and creates nothing', async () => {
    const id = newId()
    expect(await operations.claim(id, claimOf())).toEqual({ kind: 'refused', record: undefined })
    expect(await operations.get(id)).toBeUndefined()
  })

  it('of concurrent claims exactly one succeeds, and the others see it', async () => {
    const { id } = await created()
    const outcomes = await Promise.all(numbersTo(20).map(() => operations.claim(id, claimOf())))
    expect(outcomes.filter(({ kind }) => kind === 'claimed')).toHaveLength(1)
    expect(new Set(outcomes.map(({ record }) => record?.nonce)).size).toBe(1)
    expect((await operations.get(id))?.attempt).toBe(1)
  })

  it('an attempt that lets go can be taken over at once', async () => {
    const { id } = await created()
    const { record } = await operations.claim(id, claimOf())
    await operations.endLease(id, 1)
    expect(await operations.get(id)).toEqual({ ...record, leaseUntil: 0 })
    expect((await operations.claim(id, claimOf({ seenAttempt: 1 }))).kind).toBe('claimed')
  })

  it('an old attempt cannot end the lease of a newer one, of a waiting or of a final operation', async () => {
    const { id } = await created()
    await operations.endLease(id, 0)
    expect((await operations.get(id))?.status).toBe('waiting')
    await operations.claim(id, claimOf({ leaseUntil: start }))
    const { record } = await operations.claim(id, claimOf({ seenAttempt: 1 }))
    await operations.endLease(id, 1)
    expect(await operations.get(id)).toEqual(record)
    const { record: final } = await operations.finish(id, 2, succeeded)
    await operations.endLease(id, 2)
    expect(await operations.get(id)).toEqual(final)
    const nobody = newId()
    await operations.endLease(nobody, 1)
    expect(await operations.get(nobody)).toBeUndefined()
  })
}
