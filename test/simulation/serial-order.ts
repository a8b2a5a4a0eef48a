import { Violation } from './violation.ts'

/** Of each operation: its ticket in each of its lines. */
export type Tickets = ReadonlyMap<string, ReadonlyMap<string, number>>

/**
 * One order of the operations that agrees with the tickets of every line. There is one, since operations enter
 * all their lines at once: if there is none, that was not so.
 */
export const serialOrder = (tickets: Tickets): string[] => {
  const lines = linesOf(tickets)
  const order: string[] = []
  const left = new Set(tickets.keys())
  while (left.size > 0) {
    const next = [...left].find((id) =>
      [...(tickets.get(id)?.keys() ?? [])].every((line) => lines.get(line)?.[0] === id),
    )
    if (next === undefined) throw new Violation('order', `no serial order of ${[...left].join(', ')}`)
    for (const line of tickets.get(next)?.keys() ?? []) lines.get(line)?.shift()
    left.delete(next)
    order.push(next)
  }
  return order
}

const linesOf = (tickets: Tickets): Map<string, string[]> => {
  const entries = new Map<string, { id: string; ticket: number }[]>()
  for (const [id, own] of tickets) {
    for (const [line, ticket] of own) entries.set(line, [...(entries.get(line) ?? []), { id, ticket }])
  }
  const sorted = [...entries].map(
    ([line, all]) => [line, all.toSorted((a, b) => a.ticket - b.ticket).map(({ id }) => id)] as const,
  )
  return new Map(sorted)
}
