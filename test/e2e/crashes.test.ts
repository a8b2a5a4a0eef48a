import { createHash, randomBytes } from 'node:crypto'
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { killFunctionProcesses } from '#cli/local/function-processes.ts'
import type { Call } from '../../bench/measure/counting-proxy.ts'
import { connectTo, finalRecords, ownPrefix } from '../support/deployed.ts'
import { differencesFromReplay, submitAtOnce } from '../support/mixed-run.ts'
import { randomRequests, seededRandom } from '../support/random-requests.ts'
import { type Recording, recordTickets } from '../support/recorded-tickets.ts'

const operationCount = 500
/** Many: each crash stops the lines that it hits for as long as a message stays hidden. */
const pathCount = 60
const killCount = 6

/** 288 MiB: more than the worker takes, in more parts than are copied side by side. */
const blockBytes = 24 * 1024 * 1024
const blockCount = 12
const partsBeforeKill = 4

/**
 * As deployed, a crash costs 40 s (worker 30 s, lease 34 s, visibility 40 s), and 70 s in the shards function. Here the same
 * relations hold, scaled down: the lease ends 4 s after the timeout, and the message is visible again 2 s after that.
 */
const timeoutSeconds = { Worker: 6, Shards: 14 }
const leaseAndMarginSeconds = 6
const asDeployedSeconds = { worker: 40, shards: 70 }

const deadlineMs = 240_000

describe.concurrent('functions that are killed', () => {
  const deployment = inject('deployment')
  const deployed = connectTo(deployment)
  const { lockstep, ports } = deployed
  const seed = Date.now() % 1_000_000
  const random = seededRandom(seed)
  const large = ownPrefix('crash-large')
  const killed: number[] = []
  let callsUntilKill = Number.POSITIVE_INFINITY
  let kills = 0
  let partsCopied = 0
  let recording: Recording

  const nextKill = (): number => 100 + Math.floor(random() * 200)

  const kill = (functionName: string): void =>
    void killFunctionProcesses(deployment.emulatorPid, functionName).then((pids) => killed.push(...pids))

  /** Kills in the moment when a call has taken effect and its answer is still on the way. */
  const onCall = ({ action, path }: Call): void => {
    if (action === 'UploadPartCopy' && path.includes(large)) {
      partsCopied += 1
      if (partsCopied === partsBeforeKill) kill('Shards')
    }
    callsUntilKill -= 1
    if (callsUntilKill > 0 || kills >= killCount) return
    kills += 1
    callsUntilKill = nextKill()
    kill('')
  }

  const setVisibility = async (worker: number, shards: number): Promise<void> => {
    const seconds = [
      [deployment.operationsQueueUrl, worker],
      [deployment.shardsQueueUrl, shards],
    ] as const
    for (const [QueueUrl, visibility] of seconds) {
      const Attributes = { VisibilityTimeout: String(visibility) }
      await deployed.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }))
    }
  }

  beforeAll(async () => {
    const { Worker, Shards } = timeoutSeconds
    await setVisibility(Worker + leaseAndMarginSeconds, Shards + leaseAndMarginSeconds)
    recording = await recordTickets(deployment.endpoint, { timeoutSeconds, onCall })
  })
  afterAll(async () => {
    await recording.stop()
    await setVisibility(asDeployedSeconds.worker, asDeployedSeconds.shards)
  })

  test(`whoever dies, ${operationCount} acknowledged operations end, as a run in ticket order would (seed ${seed})`, {
    timeout: deadlineMs,
  }, async () => {
    const prefix = ownPrefix('crash')
    const paths = Array.from({ length: pathCount }, (_, number) => `${prefix}/${number}.txt`)
    callsUntilKill = nextKill()
    const requests = await submitAtOnce(deployed, randomRequests(seed, operationCount, paths))
    const records = await finalRecords(ports, [...requests.keys()], deadlineMs)
    expect(kills, 'rounds of killing').toBe(killCount)
    expect(killed.length, 'processes killed').toBeGreaterThanOrEqual(killCount)
    expect([...records.values()].filter(({ attempt }) => attempt > 1).length, 'taken over').toBeGreaterThan(0)
    const { tickets } = recording
    expect(await differencesFromReplay(deployed, { paths, requests, records, tickets })).toEqual([])
  })

  test('a shard that dies in the middle of a large file is taken over, and nothing is left behind', {
    timeout: deadlineMs,
  }, async () => {
    const block = randomBytes(blockBytes)
    await lockstep.write(`${large}/block`, block)
    const concat = await lockstep.concat(Array<string>(blockCount).fill(`${large}/block`), `${large}/joined`)
    const checksum = await lockstep.checksum(`${large}/joined`, 'sha256')
    const joined = await concat.wait({ timeoutMs: deadlineMs })
    expect(joined).toMatchObject({ status: 'succeeded', result: { size: blockCount * blockBytes } })
    // The worker that handed it over, the shard that died, and the one that took over.
    expect(joined.attempt).toBeGreaterThan(2)
    const hash = createHash('sha256')
    for (let number = 0; number < blockCount; number += 1) hash.update(block)
    expect((await checksum.result({ timeoutMs: deadlineMs })).digest).toBe(hash.digest('hex'))
    expect(await ports.objects.uploads(large)).toEqual([])
  })
})
