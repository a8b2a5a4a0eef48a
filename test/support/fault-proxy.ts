import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What becomes of one request. */
export type Fate =
  /** Forwarded, and answered. */
  | 'pass'
  /** Forwarded, but the answer is lost: the connection breaks once the service has answered. */
  | 'lose'
  /** Forwarded; the answer breaks off in the middle of its body. */
  | 'cut'
  /** Not forwarded: answered so. */
  | { readonly status: number; readonly body: string; readonly headers?: Record<string, string> }

/** A request as the proxy saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** `PutItem` and the like for DynamoDB and SQS, the method for S3. */
  readonly action: string
}

/** Stands between an adapter and the emulator, and does to requests what networks and services do to them. */
export interface FaultProxy {
  readonly endpoint: string
  /** All requests so far. */
  readonly seen: Seen[]
  /** Decides about each request. Default: everything passes. */
  fate: (request: Seen) => Fate
  close(): Promise<void>
}

export const startFaultProxy = async (upstream: string): Promise<FaultProxy> => {
  const server = createServer((incoming, outgoing) => {
    handle(proxy, upstream, incoming, outgoing).catch(() => outgoing.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    fate: () => 'pass',
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

/** The fates of the first requests, one after another; all further ones pass. */
export const inTurn = (...fates: Fate[]): ((request: Seen) => Fate) => {
  const left = [...fates]
  return () => left.shift() ?? 'pass'
}

const handle = async (
  proxy: FaultProxy,
  upstream: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> => {
  const body = await read(incoming)
  const { method = '', url = '', headers } = incoming
  const action = String(headers['x-amz-target'] ?? method).replace(/^.*\./, '')
  const seen: Seen = { method, url, headers, body: body.toString(), action }
  proxy.seen.push(seen)
  const fate = proxy.fate(seen)
  if (typeof fate === 'object') {
    outgoing.writeHead(fate.status, { 'content-length': Buffer.byteLength(fate.body), ...fate.headers })
    outgoing.end(fate.body)
    return
  }
  const answer = await forward(upstream, seen, body)
  if (fate === 'lose') {
    outgoing.destroy()
    return
  }
  outgoing.writeHead(answer.status, answer.headers)
  if (fate === 'pass') outgoing.end(answer.body)
  else outgoing.write(answer.body.subarray(0, answer.body.length / 2), () => outgoing.destroy())
}

const read = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const forward = async (upstream: string, { method, url, headers }: Seen, body: Buffer) => {
  const outbound = request(new URL(url, upstream), { method, headers, agent: false })
  outbound.end(body)
  const [answer] = (await once(outbound, 'response')) as [IncomingMessage]
  return { status: answer.statusCode ?? 500, headers: answer.headers, body: await read(answer) }
}
