import type { Status } from '#domain/operation.ts'
import { listOperations } from '#engine/explain.ts'
import type { Ports } from '#ports/ports.ts'

const openStatuses = ['running', 'waiting'] as const satisfies readonly Status[]

/** Open operations looked at per status: beyond that, the busiest lines are among them all the same. */
const mostOperations = 1000

/**
 * The lines in which an open operation stands: first those of paths, then those of names, in alphabetical
 * order.
 */
export const busyLines = async (ports: Ports): Promise<string[]> => {
  const lines = new Set<string>()
  for (const status of openStatuses) {
    for await (const record of listOperations(ports, { status, limit: mostOperations })) {
      for (const use of record.uses) lines.add(use.line)
    }
  }
  return [...lines].sort()
}
