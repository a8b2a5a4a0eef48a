import { type ErrorDocument, LockstepError } from '#domain/errors.ts'
import type { OperationRecord } from '#domain/operation.ts'

/** How holds, and operations under them, end other than by success: in words. */

export const holdLost = (hold: string): LockstepError =>
  new LockstepError(
    'LeaseLost',
    `hold: ${hold} is not held any more (released, broken, or its lease ended). Nothing was changed; take ` +
      'the lock again, and look at what is there before you go on.',
    { details: { hold } },
  )

export const leaseEnded = ({ id, leaseUntil }: OperationRecord): ErrorDocument =>
  new LockstepError(
    'LeaseLost',
    `The lease of hold ${id} ended at ${new Date(leaseUntil).toISOString()}, ` +
      'and its holder had not extended it.',
    { details: { hold: id } },
  ).toDocument()

export const waitedTooLong = (id: string, timeoutMs: number): ErrorDocument =>
  new LockstepError('Timeout', `Hold ${id} was not granted within the ${timeoutMs} ms that it would wait.`, {
    details: { hold: id, timeoutMs },
  }).toDocument()

export const givenUp = (id: string): ErrorDocument =>
  new LockstepError('Cancelled', `Hold ${id} was given up while it waited.`).toDocument()

/** Who broke a hold, and why: kept in its record. */
export interface Breaking {
  readonly by: string
  readonly reason?: string | undefined
}

export const broken = (id: string, { by, reason }: Breaking): ErrorDocument =>
  new LockstepError(
    'Cancelled',
    `Hold ${id} was broken by ${by}${reason === undefined ? '' : `: ${reason}`}`,
    {
      details: { hold: id, brokenBy: by, ...(reason !== undefined && { reason }) },
    },
  ).toDocument()
