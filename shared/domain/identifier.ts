import { createHash } from 'node:crypto'
import { decodeTime, encodeTime, isValid } from 'ulid'
import { invalid } from './errors.ts'
import { limits } from './limits.ts'

/** Ids are ULIDs in capitals: 26 characters, sortable by the time of the submit. */
export const isOperationId = (value: unknown): value is string =>
  typeof value === 'string' && isValid(value) && value === value.toUpperCase()

/**
 * Any other idempotency key (1 to 128 visible characters) is mapped to one id. Its time part is zero: a key tells no time,
 * so such an operation counts as old, which at worst sends one redundant message per line and half minute.
 */
export const operationIdOf = (key: unknown, field = 'id'): string => {
  if (isOperationId(key)) return key
  if (typeof key !== 'string' || !/^[\x21-\x7e]+$/.test(key) || key.length > limits.idempotencyKeyChars) {
    throw invalid(field, key, `a ULID, or 1 to ${limits.idempotencyKeyChars} visible ASCII characters`)
  }
  return derivedId(0, 'key', key)
}

/** An id that follows from its parts alone, so that whoever derives it again submits the same operation. */
export const derivedId = (timeMs: number, ...parts: string[]): string =>
  encodeTime(timeMs, 10) +
  crockford(createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 10))

/** Epoch ms at which the id was made, by the clock of who made it; 0 for a mapped key. */
export const timeOfId = (id: string): number => decodeTime(id)

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** 10 bytes as 16 characters of Crockford's base 32, the alphabet of ULIDs. */
const crockford = (bytes: Uint8Array): string => {
  let bits = 0n
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte)
  let text = ''
  for (let shift = 75n; shift >= 0n; shift -= 5n) text += alphabet[Number((bits >> shift) & 31n)]
  return text
}
