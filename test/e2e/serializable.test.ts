import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { connectTo, finalRecords, ownPrefix } from '../support/deployed.ts'
import { differencesFromReplay, submitAtOnce } from '../support/mixed-run.ts'
import { randomRequests } from '../support/random-requests.ts'
import { type Recording, recordTickets } from '../support/recorded-tickets.ts'

const operationCount = 500
const pathCount = 8

/** Most operations wait for others, so that the run takes as long as its longest chain. Far more than it needs. */
const deadlineMs = 240_000

describe('operations at once look like operations one after another', () => {
  const deployment = inject('deployment')
  const deployed = connectTo(deployment)
  const seed = Date.now() % 1_000_000
  let recording: Recording

  beforeAll(async () => {
    recording = await recordTickets(deployment.endpoint)
  })
  afterAll(() => recording.stop())

  test(
    `${operationCount} random operations over ${pathCount} files end as a run in ticket order (seed ${seed})`,
    async () => {
      const prefix = ownPrefix('mix')
      const paths = Array.from({ length: pathCount }, (_, number) => `${prefix}/${number}.txt`)
      const requests = await submitAtOnce(deployed, randomRequests(seed, operationCount, paths))
      const records = await finalRecords(deployed.ports, [...requests.keys()], deadlineMs)
      const { tickets } = recording
      expect(await differencesFromReplay(deployed, { paths, requests, records, tickets })).toEqual([])
    },
    deadlineMs,
  )
})
