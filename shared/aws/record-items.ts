import { limits } from '#domain/limits.ts'
import type { LineUse } from '#domain/line.ts'
import type { Base, Content, ObjectVersion, OperationRecord } from '#domain/operation.ts'
import { fromWire, type Item, toWire, ttlOf, type WireItem } from './dynamo-items.ts'

/**
 * An item of the Operations table. A write costs one unit per KB of the whole item, whatever part changes, so
 * what can be told from the rest, or is the default, is left out, and what is long is packed:
 *
 *   digest    hex as bytes
 *   uses      'w' or 'r' before the line's key
 *   content   inline content as bytes; anything else as it is
 *   base      each version as [etag, size, versionId], an ETag that is an MD5 as bytes
 *   tries, leaseUntil   not there = 0
 *
 * Beside the record's own fields: `shard` and `at` (the index), `ttl`.
 */
interface PackedRecord extends Item {
  readonly uses: readonly string[]
  readonly content?: unknown
  readonly base?: PackedBase
}

type PackedVersion = readonly [etag: string | Uint8Array, size: number, versionId?: string] | null
export type PackedBase = Readonly<Record<string, PackedVersion>>

/** The record without its place in the index. */
export const packRecord = (record: OperationRecord): Item => {
  const { digest, uses, content, base, tries, leaseUntil, ...plain } = record
  return {
    ...plain,
    digest: packDigest(digest),
    uses: uses.map(packUse),
    ...(content !== undefined && { content: content.kind === 'inline' ? content.bytes : content }),
    ...(base !== undefined && { base: packBase(base) }),
    ...(tries !== 0 && { tries }),
    ...(leaseUntil !== 0 && { leaseUntil }),
  }
}

/** Throws if a newer version wrote it: better one message that comes again than a record misread. */
export const recordOfItem = (wire: WireItem): OperationRecord => {
  const { shard: _shard, at: _at, ttl: _ttl, ...item } = fromWire(wire) as PackedRecord
  if (item['v'] !== 1) {
    throw new Error(
      `operation ${String(item['id'])}: got version ${String(item['v'])} of its record, expected 1`,
    )
  }
  const { digest, uses, content, base, ...plain } = item
  return {
    tries: 0,
    leaseUntil: 0,
    ...plain,
    digest: unpackDigest(digest),
    uses: uses.map(unpackUse),
    ...(content !== undefined && { content: unpackContent(content) }),
    ...(base !== undefined && { base: unpackBase(base) }),
  } as unknown as OperationRecord
}

const packDigest = (digest: string): string | Uint8Array =>
  /^(?:[0-9a-f]{2})+$/.test(digest) ? Buffer.from(digest, 'hex') : digest

const unpackDigest = (packed: unknown): string =>
  packed instanceof Uint8Array ? Buffer.from(packed).toString('hex') : String(packed)

const packUse = (use: LineUse): string => (use.mode === 'read' ? 'r' : 'w') + use.line

const unpackUse = (packed: string): LineUse => ({
  line: packed.slice(1),
  mode: packed.startsWith('r') ? 'read' : 'write',
})

const unpackContent = (packed: unknown): Content =>
  packed instanceof Uint8Array ? { kind: 'inline', bytes: packed, size: packed.length } : (packed as Content)

export const packBase = (base: Base): PackedBase =>
  Object.fromEntries(
    Object.entries(base).map(([path, version]) => [path, version === null ? null : packVersion(version)]),
  )

const packVersion = ({ etag, size, versionId }: ObjectVersion): PackedVersion =>
  versionId === undefined ? [packEtag(etag), size] : [packEtag(etag), size, versionId]

const packEtag = (etag: string): string | Uint8Array =>
  /^"[0-9a-f]{32}"$/.test(etag) ? Buffer.from(etag.slice(1, -1), 'hex') : etag

const unpackEtag = (packed: string | Uint8Array): string =>
  typeof packed === 'string' ? packed : `"${Buffer.from(packed).toString('hex')}"`

const unpackBase = (packed: PackedBase): Base =>
  Object.fromEntries(
    Object.entries(packed).map(([path, version]) => [path, version === null ? null : unpackVersion(version)]),
  )

const unpackVersion = ([etag, size, versionId]: NonNullable<PackedVersion>): ObjectVersion => ({
  etag: unpackEtag(etag),
  size,
  ...(versionId !== undefined && { versionId }),
})

/** With the digest, so that another request under the same id cannot replace the first one's body. */
export const bodyId = (record: Pick<OperationRecord, 'id' | 'digest'>): string =>
  `body#${record.id}#${record.digest}`

/** Kept for twice the life of an operation from its submit: none that can still run loses its body. */
export const bodyItem = (record: OperationRecord, bytes: Uint8Array): WireItem =>
  toWire({ id: bodyId(record), bytes, ttl: ttlOf(record.submittedAt + 2 * limits.operationLifeMs) })
