import type { AwsPorts } from '#aws/aws-ports.ts'
import { lineOfPath } from '#domain/line.ts'
import { prepare } from '#engine/request.ts'

export interface HeldLine {
  /** Of the operation that everybody else waits for. */
  readonly id: string
  /** Lets it run. */
  release(): Promise<void>
}

/**
 * Stops everything on a path: an operation (a `delete` of what must not be there yet) stands at the head of
 * its line, and nobody is told. It looks like a submitter that died half-way, so the sweeper sets it free
 * after a minute or two.
 */
export const holdLine = async (ports: AwsPorts, path: string): Promise<HeldLine> => {
  const id = ports.ids.operationId()
  const now = ports.clock.now()
  const { record } = prepare({ id, kind: 'delete', path }, { now, newId: () => id })
  await ports.operations.create(record)
  await ports.lines.enter({ line: lineOfPath(path), mode: 'write' }, id, now)
  return { id, release: () => ports.queue.send('operations', id) }
}
