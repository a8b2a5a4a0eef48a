import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

import { loopback } from './network.ts'

/**
 * Below the ports that Linux (from 32768) and macOS (from 49152) give to outgoing connections, so that a port
 * that was free once is most likely free again at the next start; above those that well-known services use.
 */
const lowest = 20_000
const highest = 29_999

/** A machine with this many of them taken in a row is out of the ordinary: then the system picks. */
const randomTries = 20

/**
 * A port that nobody listens on. Someone else may take it before it is used, so whoever uses it must be ready
 * to ask again.
 */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < randomTries; tries += 1) {
    const port = randomInt(lowest, highest + 1)
    if (await isFree(port)) return port
  }
  const port = await listenOnce(0)
  if (port === undefined)
    throw new Error(`This machine gives out no port on ${loopback}: see that loopback is up.`)
  return port
}

export async function isFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined
}

function listenOnce(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port: wanted, host: loopback, exclusive: true }, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : undefined
      server.close(() => resolve(port))
    })
  })
}
