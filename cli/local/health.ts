import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'

/** An emulator that is up answers in a millisecond; a busy one may take a while. */
const answerDeadlineMs = 5000

export interface Health {
  readonly edition: string
  readonly ready: boolean
}

/** What the emulator says about itself, or undefined if nothing there answers like one. */
export async function readHealth(endpoint: string): Promise<Health | undefined> {
  try {
    return parseHealth(await get(`${endpoint}/_ministack/health`))
  } catch {
    return undefined
  }
}

export function parseHealth(body: string): Health | undefined {
  const answer = JSON.parse(body) as { edition?: unknown; ready_scripts?: { status?: unknown } }
  if (typeof answer.edition !== 'string') return undefined
  return { edition: answer.edition, ready: answer.ready_scripts?.status === 'completed' }
}

/**
 * Its certificate is its own. What proves that this is our emulator is the token in the answer, and nothing
 * is sent.
 */
function get(url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const options = { timeout: answerDeadlineMs, agent: false, headers: { connection: 'close' } }
  const request = url.startsWith('https:')
    ? requestTls(url, { ...options, rejectUnauthorized: false })
    : requestPlain(url, options)
  request.on('timeout', () => request.destroy(new Error(`no answer in ${answerDeadlineMs} ms`)))
  request.on('error', reject)
  request.on('response', (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
  })
  request.end()
  return promise
}
