#!/usr/bin/env node
/**
 * The command, for whatever Node starts it. The program itself is TypeScript that Node 24 runs as it is; an
 * older Node hands over to the one in node_modules, at the price of a second start.
 */
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const neededMajor = 24

const here = dirname(fileURLToPath(import.meta.url))

if (Number.parseInt(process.versions.node, 10) >= neededMajor) await start()
else await handOver()

/** What was compiled is kept for the next start: that halves the time of it, and saves 30 MB. */
async function start() {
  module.enableCompileCache()
  await import('./main.ts')
}

async function handOver() {
  const { spawn } = await import('node:child_process')
  const { existsSync } = await import('node:fs')
  const node = join(here, '..', 'node_modules', '.bin', 'node')
  if (!existsSync(node)) {
    console.error(
      `lockstep needs Node ${neededMajor} or newer, this is ${process.version}, and ${node} is not there: ` +
        `run npm ci in the checkout, or install Node ${neededMajor}.`,
    )
    process.exitCode = 2
    return
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  // What is sent to this process alone must reach the one that does the work. A terminal sends Ctrl-C to
  // both, so
  // that one gets it twice: stopping twice is stopping.
  /** @type {NodeJS.Signals[]} */
  const passOn = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of passOn) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`${node} cannot be run (${error.message}): run npm ci in the checkout.`)
    process.exitCode = 2
  })
  child.on('exit', (code, signal) => {
    for (const name of passOn) process.removeAllListeners(name)
    // Ending by the same signal tells a shell the truth about why.
    if (signal === null) process.exitCode = code ?? 1
    else process.kill(process.pid, signal)
  })
}
