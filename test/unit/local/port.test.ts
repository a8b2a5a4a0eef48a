import { createServer } from 'node:net'
import { expect, test } from 'vitest'

import { findFreePort, isFree } from '#cli/local/port.ts'

test('a found port can be listened on', async () => {
  const port = await findFreePort()
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  expect(await isFree(port)).toBe(false)
  await new Promise((resolve) => server.close(resolve))
  expect(await isFree(port)).toBe(true)
})

test('a found port is none that the system gives to outgoing connections', async () => {
  const port = await findFreePort()
  expect(port).toBeGreaterThanOrEqual(20_000)
  expect(port).toBeLessThan(30_000)
})
