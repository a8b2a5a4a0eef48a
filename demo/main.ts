import { randomBytes } from 'node:crypto'
import { LocalEnvironment } from '#cli/local/environment.ts'
import { LocalEnvironmentError } from '#cli/local/errors.ts'
import { appendTogether } from './appends.ts'
import { comeBack, killWorker } from './crash.ts'
import { tidyUp } from './tidy-up.ts'
import { Transcript } from './transcript.ts'
import { transferFile } from './transfers.ts'
import { uploadFiles } from './uploads.ts'
import { connect, type World } from './world.ts'

/**
 * `npm run demo`: Lockstep on this machine, shown on real files. Every claim that it prints is checked, and one that does
 * not hold makes it exit with 1. Read the steps in the order in which they are called below.
 */
const show = async (world: World): Promise<void> => {
  const victim = await killWorker(world)
  await uploadFiles(world)
  await appendTogether(world)
  await transferFile(world)
  await comeBack(world, victim)
}

const main = async (): Promise<void> => {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  }
  const onProgress = (message: string) => console.error(`${message} ...`)
  const environment = new LocalEnvironment({ signal: stop.signal, onProgress })
  const { state } = await environment.status()
  try {
    await run(environment, stop.signal)
  } catch (error) {
    console.error(
      error instanceof LocalEnvironmentError || stop.signal.aborted ? (error as Error).message : error,
    )
    process.exitCode = 1
  } finally {
    // Without the signal: it may be what ended the rest, and the emulator must end all the same.
    if (state !== 'up') {
      onProgress('It was down before the demo: stopping it')
      await new LocalEnvironment({ onProgress }).down()
    }
  }
}

const run = async (environment: LocalEnvironment, signal: AbortSignal): Promise<void> => {
  const deployment = await environment.up()
  const transcript = new Transcript()
  const { lockstep, s3 } = connect(deployment)
  const world = {
    deployment,
    lockstep,
    s3,
    run: `demo-${randomBytes(3).toString('hex')}`,
    transcript,
    signal,
  }
  transcript.begin(
    `Lockstep is up on this machine: bucket, tables, queues and functions at ${deployment.endpoint}.`,
  )
  try {
    await show(world)
  } finally {
    await tidyUp(world)
  }
  const { failed } = transcript.end()
  if (failed > 0) process.exitCode = 1
}

await main()
