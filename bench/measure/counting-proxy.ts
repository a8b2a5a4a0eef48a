import { once } from 'node:events'
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { noUnits, type Units, unitsOf } from './capacity.ts'
import { type CallName, nameCall } from './service-calls.ts'

/** One call that went through a proxy, with everything that it cost. */
export interface Call extends CallName {
  /** Who called: the name given to the proxy. */
  readonly by: string
  /** Of the request: for S3, bucket and key. */
  readonly path: string
  /** Of the bodies, both ways: what the caller had to send and to receive. */
  readonly bytes: number
  readonly status: number
  readonly units: Units
  /** What DynamoDB was asked and answered, parsed. */
  readonly request?: unknown
  readonly answer?: unknown
}

/**
 * Stands between one caller and the emulator and counts everything that passes, so that no instrumented client can forget
 * a call. DynamoDB is made to say what each call consumes: the proxy adds `ReturnConsumedCapacity` to the request.
 * It cannot stand before a service that checks signatures.
 */
export class CountingProxy {
  readonly #by: string
  readonly #upstream: URL
  readonly #onCall: (call: Call) => void
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 })

  constructor(options: { by: string; endpoint: string; onCall: (call: Call) => void }) {
    this.#by = options.by
    this.#upstream = new URL(options.endpoint)
    this.#onCall = options.onCall
    this.#server = createServer((incoming, outgoing) => {
      this.#pass(incoming, outgoing).catch(() => outgoing.destroy())
    })
    // Longer than any client keeps an idle connection: it must be the client that closes it.
    this.#server.keepAliveTimeout = 60_000
  }

  /** Resolves to the endpoint to give to the caller. */
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
    this.#agent.destroy()
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = incoming
    const name = nameCall(method, url, incoming.headers)
    const sent = await buffer(incoming)
    const body = name.service === 'dynamodb' ? withCapacityAsked(sent) : sent
    const { answered, received } = await this.#forward(incoming, body)
    const status = answered.statusCode ?? 0
    // Noted before the caller has the answer, so that whoever sees an effect finds its calls counted.
    this.#onCall({
      ...name,
      by: this.#by,
      path: decodeURIComponent(url.split('?')[0] ?? ''),
      bytes: sent.byteLength + received.byteLength,
      status,
      ...detailsOf(name, body, received),
    })
    outgoing.writeHead(status, answered.headers)
    outgoing.end(received)
  }

  async #forward(
    incoming: IncomingMessage,
    body: Buffer,
  ): Promise<{ answered: IncomingMessage; received: Buffer }> {
    const { 'transfer-encoding': _, expect: __, ...headers } = incoming.headers
    const forwarded = request({
      agent: this.#agent,
      host: this.#upstream.hostname,
      port: this.#upstream.port,
      path: incoming.url,
      method: incoming.method,
      headers: { ...headers, 'content-length': body.byteLength },
    })
    forwarded.end(body)
    const [answered] = (await once(forwarded, 'response')) as [IncomingMessage]
    return { answered, received: await buffer(answered) }
  }
}

const detailsOf = (
  { service, action }: CallName,
  sent: Buffer,
  received: Buffer,
): Pick<Call, 'units' | 'request' | 'answer'> => {
  if (service !== 'dynamodb') return { units: noUnits }
  const answer: unknown = JSON.parse(received.toString() || '{}')
  return { units: unitsOf(action, answer), request: JSON.parse(sent.toString()), answer }
}

const withCapacityAsked = (sent: Buffer): Buffer =>
  Buffer.from(
    JSON.stringify({ ...(JSON.parse(sent.toString()) as object), ReturnConsumedCapacity: 'INDEXES' }),
  )
