import pLimit from 'p-limit'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Lockstep } from '#client/index.ts'
import { localCredentials } from '#cli/local/network.ts'
import { lineOfPath } from '#domain/line.ts'
import { connectTo, contentAt, finalRecords, ownPrefix } from '../support/deployed.ts'
import { randomRequests } from '../support/random-requests.ts'
import { orderOf, type Recording, recordTickets } from '../support/recorded-tickets.ts'
import { endingOf, Replay } from '../support/replay.ts'

const operationCount = 500
const pathCount = 8
const clientCount = 4
const submitsAtOnce = 16

describe('operations at once look like operations one after another', () => {
  const deployment = inject('deployment')
  const deployed = connectTo(deployment)
  const seed = Date.now() % 1_000_000
  let recording: Recording

  beforeAll(async () => {
    recording = await recordTickets(deployment.endpoint)
  })
  afterAll(() => recording.stop())

  test(`${operationCount} random operations over ${pathCount} files end as a run in ticket order (seed ${seed})`, async () => {
    const prefix = ownPrefix('mix')
    const paths = Array.from({ length: pathCount }, (_, number) => `${prefix}/${number}.txt`)
    const requests = randomRequests(seed, operationCount, paths)
    const clients = Array.from(
      { length: clientCount },
      () => new Lockstep({ ...deployment, credentials: localCredentials }),
    )
    const limit = pLimit(submitsAtOnce)
    const submitted = await Promise.all(
      requests.map((request, number) =>
        limit(async () => {
          const client = clients[number % clientCount] ?? deployed.lockstep
          return [(await client.submit({ ...request })).id, request] as const
        }),
      ),
    )
    const byId = new Map(submitted)
    const records = await finalRecords(deployed.ports, [...byId.keys()])

    const ours = new Map(paths.map((path) => [lineOfPath(path), recording.tickets.get(lineOfPath(path)) ?? new Map()]))
    const order = orderOf(ours)
    expect(order.toSorted(), 'every operation was seen in its lines').toEqual([...byId.keys()].toSorted())
    const replay = new Replay()
    for (const id of order) {
      const [request, record] = [byId.get(id), records.get(id)]
      if (request === undefined || record === undefined) throw new Error(`unknown operation ${id}`)
      const expected = replay.apply(request)
      expect({ id, request, ...endingOf(record, expected) }).toEqual({ id, request, ...expected })
    }
    for (const path of paths) {
      expect((await contentAt(deployed, path))?.toString(), path).toBe(replay.files.get(path))
    }
  })
})
