import {
  grantedIds,
  isGranted,
  type Line,
  type LineEntry,
  lineOfPath,
  type Mode,
  positionOf,
  subjectOfLine,
  titleOfLine,
} from '#domain/line.ts'
import {
  documentOf,
  isFinal,
  type OperationDocument,
  type OperationRecord,
  type Status,
  type Waiting,
} from '#domain/operation.ts'
import { doneShards, openShards } from '#domain/schedule.ts'
import type { Ports } from '#ports/ports.ts'

/** The document of a record, with why it waits if it does. */
export const explain = async (ports: Ports, record: OperationRecord): Promise<OperationDocument> => {
  if (record.status !== 'waiting') return documentOf(record)
  return documentOf(record, await waitingOf(ports, record))
}

const waitingOf = async (ports: Ports, record: OperationRecord): Promise<Waiting | undefined> => {
  const lines = await ports.lines.read(record.uses.map((use) => use.line))
  const line = lines.find((candidate) => !isGranted(candidate, record.id))
  const head = line?.entries[0]
  if (line === undefined || head === undefined || head.id === record.id) return undefined
  const holder = await ports.operations.get(head.id)
  return {
    path: titleOfLine(line.key),
    position: positionOf(line, record.id),
    holder: head.id,
    ...(holder?.startedAt !== undefined && { heldSince: new Date(holder.startedAt).toISOString() }),
  }
}

/** One operation in a line, as people see it. */
export interface LinePlace {
  readonly id: string
  readonly kind: string
  readonly mode: Mode
  readonly ticket: number
  readonly status: Status
  readonly submittedAt: string
  /** Since when it holds the line (runs), if it does. */
  readonly since?: string
}

/** A line: who is granted, and who waits, both in the order of their turns. It is that of a path, or of a name. */
export interface LineDocument {
  readonly path?: string
  readonly name?: string
  readonly holders: readonly LinePlace[]
  readonly waiters: readonly LinePlace[]
}

/** `key`: of the line. */
export const describeLine = async (ports: Ports, key: string): Promise<LineDocument> => {
  const [line] = await ports.lines.read([key])
  if (line === undefined || line.entries.length === 0)
    return { ...subjectOfLine(key), holders: [], waiters: [] }
  const records = await recordsOf(ports, line)
  const places = line.entries.map((entry) => placeOf(entry, records.get(entry.id)))
  const granted = new Set(grantedIds(line))
  return {
    ...subjectOfLine(key),
    holders: places.filter(({ id }) => granted.has(id)),
    waiters: places.filter(({ id }) => !granted.has(id)),
  }
}

const recordsOf = async (ports: Ports, line: Line): Promise<Map<string, OperationRecord>> => {
  const found = new Map<string, OperationRecord>()
  for (let from = 0; from < line.entries.length; from += 100) {
    const ids = line.entries.slice(from, from + 100).map(({ id }) => id)
    for (const record of await ports.operations.getMany(ids)) found.set(record.id, record)
  }
  return found
}

const placeOf = ({ id, mode, ticket }: LineEntry, record: OperationRecord | undefined): LinePlace => ({
  id,
  kind: record?.kind ?? 'unknown',
  mode,
  ticket,
  status: record?.status ?? 'waiting',
  submittedAt: new Date(record?.submittedAt ?? 0).toISOString(),
  ...(record?.startedAt !== undefined && { since: new Date(record.startedAt).toISOString() }),
})

export interface ListOptions {
  readonly status?: Status
  readonly path?: string
  /** At most this many, default 100. */
  readonly limit?: number
}

/** Open operations (oldest due first), then finished ones of the last days, newest first. */
export async function* listOperations(
  ports: Ports,
  options: ListOptions = {},
): AsyncGenerator<OperationRecord> {
  let left = options.limit ?? 100
  const isOpenOnly = options.status !== undefined && !isFinal(options.status)
  const parts = [
    { shards: openShards(), newestFirst: false },
    ...(isOpenOnly ? [] : [{ shards: doneShards(), newestFirst: true }]),
  ]
  for (const { shards, newestFirst } of parts) {
    for (const record of await pageOfAll(ports, shards, newestFirst, options)) {
      if (left <= 0) return
      left -= 1
      yield record
    }
  }
}

/** The first `limit` matches over all shards of one part of the index, in order of time. */
const pageOfAll = async (
  ports: Ports,
  shards: readonly string[],
  newestFirst: boolean,
  options: ListOptions,
): Promise<OperationRecord[]> => {
  const found = (
    await Promise.all(shards.map((shard) => matchesIn(ports, shard, newestFirst, options)))
  ).flat()
  const timeOf = (record: OperationRecord): number => record.finishedAt ?? record.submittedAt
  return found.sort((a, b) => (newestFirst ? timeOf(b) - timeOf(a) : timeOf(a) - timeOf(b)))
}

const matchesIn = async (
  ports: Ports,
  shard: string,
  newestFirst: boolean,
  { status, path, limit = 100 }: ListOptions,
): Promise<OperationRecord[]> => {
  const matches: OperationRecord[] = []
  let cursor: string | undefined
  do {
    const page = await ports.operations.schedule(shard, {
      newestFirst,
      limit: 100,
      ...(cursor !== undefined && { cursor }),
    })
    const records = page.ids.length === 0 ? [] : await ports.operations.getMany(page.ids)
    const byId = new Map(records.map((record) => [record.id, record]))
    for (const id of page.ids) {
      const record = byId.get(id)
      if (record !== undefined && isMatch(record, status, path)) matches.push(record)
    }
    cursor = page.cursor
  } while (cursor !== undefined && matches.length < limit)
  return matches
}

const isMatch = (record: OperationRecord, status: Status | undefined, path: string | undefined): boolean =>
  (status === undefined || record.status === status) &&
  (path === undefined || record.uses.some((use) => use.line === lineOfPath(path)))
