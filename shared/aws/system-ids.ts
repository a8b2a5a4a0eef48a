import { randomBytes } from 'node:crypto'
import { monotonicFactory } from 'ulid'
import type { Ids } from '#ports/ids.ts'

/** 96 bits, which nobody guesses and no two claims share; 16 characters, since it stands in every record. */
const nonceBytes = 12

const nextUlid = monotonicFactory()

/** Ids of one process grow even within a millisecond, so that they sort in the order of the submits. */
export const systemIds: Ids = {
  operationId: () => nextUlid(),
  nonce: () => randomBytes(nonceBytes).toString('base64url'),
  chance: () => Math.random(),
}
