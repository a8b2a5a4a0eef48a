import pLimit from 'p-limit'
import { localCredentials } from '#cli/local/network.ts'
import { Lockstep } from '#client/index.ts'
import { lineOfPath } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'
import { contentAt, type Deployed } from './deployed.ts'
import { orderOf, type Tickets } from './recorded-tickets.ts'
import { type Ending, endingOf, Replay, type Request } from './replay.ts'

/** Submits on their way at once: as many as a busy service has. */
const submitsAtOnce = 16

/** Submits all from several clients at once, in no particular order. Resolves when each is acknowledged. */
export const submitAtOnce = async (
  { deployment }: Pick<Deployed, 'deployment'>,
  requests: readonly Request[],
  clientCount = 4,
): Promise<Map<string, Request>> => {
  const options = { ...deployment, credentials: localCredentials }
  const clients = Array.from({ length: clientCount }, () => new Lockstep(options))
  const limit = pLimit(submitsAtOnce)
  const submitted = requests.map((request, number) =>
    limit(async () => {
      const client = clients[number % clientCount]
      const operation = await client?.submit({ ...request })
      return [operation?.id ?? '', request] as const
    }),
  )
  const byId = new Map(await Promise.all(submitted))
  await Promise.all(clients.map((client) => client.close()))
  return byId
}

/** Where what happened differs from a run of one operation after another. */
export interface Difference {
  readonly what: string
  readonly found: unknown
  readonly expected: unknown
}

/** `tickets` of the lines of these paths alone. */
export const ticketsOf = (tickets: Tickets, paths: readonly string[]): Tickets =>
  new Map(paths.map((path) => [lineOfPath(path), tickets.get(lineOfPath(path)) ?? new Map<string, number>()]))

/**
 * Replays all in the order of their tickets, and gives every difference in how operations ended and in what the files hold
 * now. `hadNoEffect`: errors of operations that never ran, and which a sequential run knows nothing of.
 */
export const differencesFromReplay = async (
  deployed: Deployed,
  run: {
    readonly paths: readonly string[]
    readonly requests: ReadonlyMap<string, Request>
    readonly records: ReadonlyMap<string, OperationRecord>
    readonly tickets: Tickets
    readonly hadNoEffect?: readonly string[]
  },
): Promise<Difference[]> => {
  const order = orderOf(ticketsOf(run.tickets, run.paths))
  const differences: Difference[] = []
  const note = (what: string, found: unknown, expected: unknown): void => {
    if (JSON.stringify(found) !== JSON.stringify(expected)) differences.push({ what, found, expected })
  }
  note('operations seen in lines', order.toSorted(), [...run.requests.keys()].toSorted())
  const replay = new Replay()
  for (const id of order) {
    const [request, record] = [run.requests.get(id), run.records.get(id)]
    if (request === undefined || record === undefined) continue
    if (run.hadNoEffect?.includes(record.error?.code ?? '')) continue
    const expected: Ending = replay.apply(request)
    note(`${id} (attempt ${record.attempt}) ${JSON.stringify(request)}`, endingOf(record, expected), expected)
  }
  for (const path of run.paths) {
    note(`content of ${path}`, (await contentAt(deployed, path))?.toString(), replay.files.get(path))
  }
  return differences
}
