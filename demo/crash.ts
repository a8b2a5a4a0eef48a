import { createReadStream } from 'node:fs'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { killFunctionProcesses } from '#cli/local/function-processes.ts'
import type { Operation } from '#client/index.ts'
import { sha256OfFile } from './digests.ts'
import { nodeItself } from './real-files.ts'
import { megabytes } from './transcript.ts'
import { patienceMs, until } from './until.ts'
import type { World } from './world.ts'

/** The operation that lost its worker. */
export interface Victim {
  readonly operation: Operation<{ digest: string }>
  readonly digest: Promise<string>
  readonly startedAt: number
}

/** An operation that ends before the signal reaches its worker proves nothing: then another one is started. */
const tries = 5

/**
 * Kills the worker while it computes the checksum of a large file. What follows takes a while, as it must: nobody may take
 * over until the dead worker can be presumed dead. So this comes first, and {@link comeBack} last.
 */
export const killWorker = async (world: World): Promise<Victim> => {
  const { transcript, lockstep, deployment, run } = world
  transcript.step('A worker process is killed in the middle of its work')
  const node = nodeItself()
  const digest = sha256OfFile(node.file)
  const path = `demo/${run}/${node.name}`
  await putFile(world, path, node.file, node.size)
  transcript.say(
    `A plain S3 client put the program that runs this demo, ${megabytes(node.size)}, at ${path}.`,
  )
  for (let attempt = 1; ; attempt += 1) {
    const operation = await lockstep.checksum(path, 'sha256')
    const startedAt = performance.now()
    await untilRunning(operation, world.signal)
    const killed = await killFunctionProcesses(deployment.emulatorPid, 'Worker')
    const { status } = await operation.document()
    if (status === 'running' && killed.length > 0) {
      transcript.say(
        `Its checksum ${operation.id} was being computed when the worker (process ${killed.join(', ')}) got SIGKILL.`,
        'The rest of the demo goes on; at its end we see what became of that operation.',
      )
      return { operation, digest, startedAt }
    }
    if (attempt === tries) throw new Error(`The worker was faster than the signal ${tries} times: try again.`)
  }
}

/** The promise: what was accepted is done, whatever dies. */
export const comeBack = async ({ transcript, signal }: World, victim: Victim): Promise<void> => {
  const { operation, startedAt } = victim
  transcript.step('Back to the operation whose worker was killed')
  const before = await operation.document()
  if (before.status === 'running') {
    transcript.say('Its message is still hidden, as long as its dead worker might be alive. Waiting for it.')
  }
  const after = await operation.wait({ timeoutMs: patienceMs, signal })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
  transcript.say(
    `${operation.id} is ${after.status}, ${seconds} s after it was submitted, at attempt ${after.attempt}.`,
  )
  const digest = await victim.digest
  transcript.check(
    'the operation was done all the same',
    after.status === 'succeeded',
    JSON.stringify(after.error),
  )
  transcript.check('by another worker than the first', after.attempt > 1, `attempt ${after.attempt}`)
  transcript.check(
    `its SHA-256 is that of the file on disk: ${digest.slice(0, 16)}...`,
    after.result?.['digest'] === digest,
    String(after.result?.['digest']),
  )
}

const putFile = async (
  { s3, deployment }: World,
  path: string,
  file: string,
  size: number,
): Promise<void> => {
  const body = createReadStream(file)
  await s3.send(
    new PutObjectCommand({ Bucket: deployment.bucket, Key: path, Body: body, ContentLength: size }),
  )
}

const untilRunning = (operation: Victim['operation'], signal: AbortSignal): Promise<unknown> =>
  until(`${operation.id} to start`, signal, async () =>
    (await operation.document()).status === 'waiting' ? undefined : true,
  )
