import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'

import { readHealth } from '#cli/local/health.ts'

const servers: ReturnType<typeof createServer>[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function serve(body: string): Promise<string> {
  const server = createServer((_, response) => response.end(body))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

test('an emulator is ready when its start-up scripts have run', async () => {
  const health = (status: string) =>
    serve(JSON.stringify({ edition: 'lockstep-1', ready_scripts: { status } }))
  expect(await readHealth(await health('running'))).toEqual({ edition: 'lockstep-1', ready: false })
  expect(await readHealth(await health('completed'))).toEqual({ edition: 'lockstep-1', ready: true })
})

test('whatever else answers at the port is no emulator', async () => {
  expect(await readHealth(await serve('<html>hello</html>'))).toBeUndefined()
  expect(await readHealth(await serve('{"status": "ok"}'))).toBeUndefined()
  expect(await readHealth('http://127.0.0.1:1')).toBeUndefined()
})
