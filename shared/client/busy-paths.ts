import { subjectOfLine } from '#domain/line.ts'
import type { Status } from '#domain/operation.ts'
import { listOperations } from '#engine/explain.ts'
import type { Ports } from '#ports/ports.ts'

const openStatuses = ['running', 'waiting'] as const satisfies readonly Status[]

/** Open operations looked at per status: beyond that, the busiest lines are among them all the same. */
const mostOperations = 1000

/**
 * The paths in whose lines an open operation stands, in alphabetical order. Lines of names are not among
 * them.
 */
export const busyPaths = async (ports: Ports): Promise<string[]> => {
  const paths = new Set<string>()
  for (const status of openStatuses) {
    for await (const record of listOperations(ports, { status, limit: mostOperations })) {
      for (const use of record.uses) {
        const subject = subjectOfLine(use.line)
        if ('path' in subject) paths.add(subject.path)
      }
    }
  }
  return [...paths].sort()
}
