import type { WireItem } from '#aws/dynamo-items.ts'
import { lineOfItem } from '#aws/line-items.ts'
import type { Deployment } from '#cli/local/environment.ts'
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
  /** By a part of the function's name. A shorter timeout shortens what a crash costs. Default: as deployed. */
  readonly timeoutSeconds?: Readonly<Record<string, number>>
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
    const short = Object.entries(options.timeoutSeconds ?? {}).find(([name]) =>
      configuration.FunctionName.includes(name),
    )
    const settings = short === undefined ? { variables } : { variables, timeoutSeconds: short[1] }
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

/**
 * The same for the calls of clients, which are told their tickets when they enter: use the deployment that it gives. The
 * functions then run at their full speed.
 */
export const recordAtClients = async (
  deployment: Deployment,
): Promise<Recording & { readonly deployment: Deployment }> => {
  const tickets = new Map<string, Map<string, number>>()
  const onCall = (call: Call): void => note(tickets, call)
  const proxy = new CountingProxy({ by: 'clients', endpoint: deployment.endpoint, onCall })
  const endpoint = await proxy.start()
  return { tickets, deployment: { ...deployment, endpoint }, stop: () => proxy.stop() }
}

/** Of the lines in an answer: to who enters or leaves one, or reads several. */
const note = (tickets: Map<string, Map<string, number>>, { action, request, answer }: Call): void => {
  if (action === 'UpdateItem') {
    const { Key } = request as { Key?: WireItem }
    const { Attributes } = answer as { Attributes?: WireItem }
    noteLine(tickets, Key?.['line']?.S, Attributes)
  } else if (action === 'BatchGetItem') {
    const { Responses = {} } = answer as { Responses?: Record<string, WireItem[]> }
    for (const item of Object.values(Responses).flat()) noteLine(tickets, item['line']?.S, item)
  }
}

const noteLine = (
  tickets: Map<string, Map<string, number>>,
  line: string | undefined,
  item: WireItem | undefined,
): void => {
  if (line === undefined || item === undefined) return
  const known = tickets.get(line) ?? new Map<string, number>()
  tickets.set(line, known)
  for (const { id, ticket } of lineOfItem(line, item).entries) known.set(id, ticket)
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
