import { styleText } from 'node:util'
import { type Deployment, LocalEnvironment } from './environment.ts'
import { LocalEnvironmentError } from './errors.ts'

/** `npm start`: the local environment, up and deployed until Ctrl-C. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

async function main(): Promise<void> {
  const stop = new AbortController()
  for (const signal of signals) process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  const onProgress = (message: string) => console.error(`${message} ...`)
  try {
    const deployment = await new LocalEnvironment({ signal: stop.signal, onProgress }).up()
    console.log(explain(deployment))
    await untilAborted(stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) report(error)
  }
  console.error('\nStopping the emulator; what is stored stays for the next start ...')
  // Without the signal: it is what ended the rest, and the emulator must end all the same.
  await new LocalEnvironment({ onProgress }).down()
}

function report(error: unknown): void {
  console.error(error instanceof LocalEnvironmentError ? error.message : error)
  process.exitCode = 1
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  // Nothing else keeps the process running: the emulator is on its own.
  const keepAlive = setInterval(() => undefined, 2 ** 30)
  signal.addEventListener('abort', () => {
    clearInterval(keepAlive)
    resolve()
  })
  return promise
}

function explain(deployment: Deployment): string {
  const strong = (text: string) => styleText('bold', text)
  return `
${strong('Lockstep is up')} at ${deployment.endpoint}, in region ${deployment.region}.
Its files are in the bucket ${deployment.bucket}.

In another terminal, in this checkout:
  ${strong('npx lockstep write hello.txt README.md --wait')}
  ${strong('npx lockstep append hello.txt package.json --wait')}
  ${strong('npx lockstep read hello.txt')}
  ${strong('npx lockstep --help')}

Any S3 tool sees the files:
  AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=${deployment.region} \\
    aws --endpoint-url ${deployment.endpoint} s3 ls s3://${deployment.bucket}

${strong('Ctrl-C')} stops it and keeps what is stored; npx lockstep local reset deletes that.`
}

await main()
