import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { killFunctionProcesses } from '#cli/local/function-processes.ts'
import { connectTo, finalRecords, ownPrefix } from '../support/deployed.ts'
import { differencesFromReplay, submitAtOnce } from '../support/mixed-run.ts'
import { randomRequests, seededRandom } from '../support/random-requests.ts'
import { type Recording, recordTickets } from '../support/recorded-tickets.ts'

const operationCount = 500
/** More than in the test without crashes: each crash stops the lines that it hits for as long as a message stays hidden. */
const pathCount = 60
const killCount = 6

/**
 * As deployed, a crash costs 40 s (worker 30 s, lease 34 s, visibility 40 s). Here the same relations hold, scaled down:
 * worker 6 s, lease 10 s, visibility 12 s.
 */
const workerTimeoutSeconds = 6
const visibilitySeconds = 12
const deployedVisibilitySeconds = 40

const deadlineMs = 240_000

describe('functions that are killed', () => {
  const deployment = inject('deployment')
  const deployed = connectTo(deployment)
  const seed = Date.now() % 1_000_000
  const random = seededRandom(seed)
  const killed: number[] = []
  let callsUntilKill = Number.POSITIVE_INFINITY
  let kills = 0
  let recording: Recording

  const nextKill = (): number => 100 + Math.floor(random() * 400)
  const setVisibility = (seconds: number) =>
    deployed.sqs.send(
      new SetQueueAttributesCommand({
        QueueUrl: deployment.operationsQueueUrl,
        Attributes: { VisibilityTimeout: String(seconds) },
      }),
    )

  /** Kills everything that runs in the moment when some call has taken effect and its answer is still on the way. */
  const onCall = (): void => {
    callsUntilKill -= 1
    if (callsUntilKill > 0 || kills >= killCount) return
    kills += 1
    callsUntilKill = nextKill()
    void killFunctionProcesses(deployment.emulatorPid).then((pids) => killed.push(...pids))
  }

  beforeAll(async () => {
    await setVisibility(visibilitySeconds)
    recording = await recordTickets(deployment.endpoint, { workerTimeoutSeconds, onCall })
  })
  afterAll(async () => {
    await recording.stop()
    await setVisibility(deployedVisibilitySeconds)
  })

  test(
    `whoever dies, ${operationCount} acknowledged operations end, and as a run in ticket order would (seed ${seed})`,
    async () => {
      const prefix = ownPrefix('crash')
      const paths = Array.from({ length: pathCount }, (_, number) => `${prefix}/${number}.txt`)
      callsUntilKill = nextKill()
      const requests = await submitAtOnce(deployed, randomRequests(seed, operationCount, paths))
      const records = await finalRecords(deployed.ports, [...requests.keys()], deadlineMs)
      expect(kills, 'rounds of killing').toBe(killCount)
      expect(killed.length, 'processes killed').toBeGreaterThanOrEqual(killCount)
      expect([...records.values()].filter(({ attempt }) => attempt > 1).length, 'taken over').toBeGreaterThan(
        0,
      )
      const { tickets } = recording
      expect(await differencesFromReplay(deployed, { paths, requests, records, tickets })).toEqual([])
    },
    deadlineMs,
  )
})
