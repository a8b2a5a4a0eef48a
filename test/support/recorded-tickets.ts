import type { WireItem } from '#aws/dynamo-items.ts'
import { lineOfItem } from '#aws/line-items.ts'
import { type Call, CountingProxy } from '../../bench/measure/counting-proxy.ts'
import { listFunctions, reconfigure } from '../../bench/measure/deployed-functions.ts'

/** By line, the ticket that each operation held in it. */
export type Tickets = ReadonlyMap<string, ReadonlyMap<string, number>>

export interface Recording {
  readonly tickets: Tickets
  /** Puts the functions back as they were. */
  stop(): Promise<void>
}

export interface RecordingOptions {
  /** Of the worker, in seconds: a shorter one shortens what a crash costs. Default: as deployed. */
  readonly workerTimeoutSeconds?: number
  /** Told each call of a function when it has taken effect and before the function has the answer. */
  readonly onCall?: (call: Call) => void
}

/**
 * Stands between the deployed functions and DynamoDB, and notes the tickets that it sees in lines. Every operation that ever
 * stood in a line is there: whoever leaves is answered with the line as it was just before.
 */
export const recordTickets = async (endpoint: string, options: RecordingOptions = {}): Promise<Recording> => {
  const tickets = new Map<string, Map<string, number>>()
  const onCall = (call: Call): void => {
    note(tickets, call)
    options.onCall?.(call)
  }
  const proxy = new CountingProxy({ by: 'functions', endpoint, onCall })
  const variables = { AWS_ENDPOINT_URL: await proxy.start() }
  const restore: (() => Promise<void>)[] = []
  for (const configuration of await listFunctions(endpoint)) {
    const isWorker = configuration.FunctionName.includes('Worker')
    const { workerTimeoutSeconds } = options
    const settings =
      isWorker && workerTimeoutSeconds ? { variables, timeoutSeconds: workerTimeoutSeconds } : { variables }
    restore.push(await reconfigure(endpoint, configuration, settings))
  }
  return {
    tickets,
    async stop() {
      for (const undo of restore) await undo()
      await proxy.stop()
    },
  }
}

const note = (tickets: Map<string, Map<string, number>>, { action, request, answer }: Call): void => {
  if (action !== 'UpdateItem') return
  const { Key } = request as { Key?: WireItem }
  const { Attributes } = answer as { Attributes?: WireItem }
  const line = Key?.['line']?.S
  if (line === undefined || Attributes === undefined) return
  const known = tickets.get(line) ?? new Map<string, number>()
  tickets.set(line, known)
  for (const { id, ticket } of lineOfItem(line, Attributes).entries) known.set(id, ticket)
}

/**
 * One order of all operations that agrees with the order of the tickets in every line. Throws if there is none: then two
 * operations that share two lines passed each other.
 */
export const orderOf = (tickets: Tickets): string[] => {
  const after = new Map<string, Set<string>>()
  const before = new Map<string, number>()
  for (const line of tickets.values()) {
    const ids = [...line].sort(([, a], [, b]) => a - b).map(([id]) => id)
    for (const [index, id] of ids.entries()) {
      before.set(id, before.get(id) ?? 0)
      const next = ids[index + 1]
      if (next === undefined) continue
      const followers = after.get(id) ?? new Set<string>()
      after.set(id, followers)
      if (followers.has(next)) continue
      followers.add(next)
      before.set(next, (before.get(next) ?? 0) + 1)
    }
  }
  const ready = [...before].filter(([, count]) => count === 0).map(([id]) => id)
  const order: string[] = []
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    order.push(id)
    for (const next of after.get(id) ?? []) {
      const left = (before.get(next) ?? 0) - 1
      before.set(next, left)
      if (left === 0) ready.push(next)
    }
  }
  if (order.length !== before.size) throw new Error('the tickets of different lines contradict each other')
  return order
}
