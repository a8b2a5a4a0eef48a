import { limits } from '#domain/limits.ts'
import { documentOf, type OperationDocument, type OperationRecord } from '#domain/operation.ts'
import { explain } from '#engine/explain.ts'
import type { ReadResult } from '#operations/read.ts'
import type { Ports } from '#ports/ports.ts'
import type { LinkedReadResult } from './results.ts'

/**
 * The document of a record as users see it: with why it waits, or with a fresh link to what a large read has
 * seen.
 */
export const showRecord = async (ports: Ports, record: OperationRecord): Promise<OperationDocument> => {
  if (record.status === 'waiting') return explain(ports, record)
  return {
    ...documentOf(record),
    ...(record.result !== undefined && { result: await linkedResult(ports, record) }),
  }
}

/** Records keep no URL, since it would expire in them: it is signed for whoever asks. */
const linkedResult = async (
  ports: Ports,
  record: OperationRecord,
): Promise<Readonly<Record<string, unknown>>> => {
  const { result = {} } = record
  if (record.kind !== 'read' || result['link'] !== true) return result
  const { link: _, ...seen } = result as unknown as ReadResult
  const link = await ports.objects.link(String(record.args['path']), seen, limits.linkSeconds)
  const range = seen.range === undefined ? {} : { range: `bytes=${seen.range.start}-${seen.range.end}` }
  const linked: LinkedReadResult = { ...seen, url: link.url, headers: { ...link.headers, ...range } }
  return { ...linked }
}
