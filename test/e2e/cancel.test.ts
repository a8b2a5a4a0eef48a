import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { pauseFeeding } from '../../bench/measure/deployed-functions.ts'
import { connectTo, contentAt, ownPrefix } from '../support/deployed.ts'

const waiting = { timeoutMs: 60_000 }

describe('cancel', () => {
  const deployment = inject('deployment')
  const deployed = connectTo(deployment)
  const { lockstep, ports } = deployed
  const prefix = ownPrefix('cancel')
  let resume: (() => Promise<void>) | undefined

  afterEach(async () => {
    await resume?.()
    resume = undefined
  })

  test('what waits ends at once, without an effect, and those behind it move up', async () => {
    const path = `${prefix}/waiting.log`
    resume = await pauseFeeding(deployment.endpoint, 'Worker')
    const [first, second, third] = [
      await lockstep.append(path, '1\n'),
      await lockstep.append(path, '2\n'),
      await lockstep.append(path, '3\n'),
    ]
    expect((await third.document()).waiting).toMatchObject({ path, position: 2, holder: first.id })
    expect(await second.cancel()).toMatchObject({ status: 'cancelled', error: { code: 'Cancelled' } })
    const line = await lockstep.line(path)
    expect(line.holders.map(({ id }) => id)).toEqual([first.id])
    expect(line.waiters.map(({ id }) => id)).toEqual([third.id])
    await first.cancel()
    await resume()
    expect(await third.result(waiting)).toMatchObject({ offset: 0 })
    await expect(second.result(waiting)).rejects.toMatchObject({ code: 'Cancelled' })
    expect((await contentAt(deployed, path))?.toString()).toBe('3\n')
  })

  test('a cancelled upload leaves nothing behind', async () => {
    const path = `${prefix}/upload.bin`
    resume = await pauseFeeding(deployment.endpoint, 'Worker')
    const write = await lockstep.write(path, randomBytes(100_000))
    const append = await lockstep.append(path, randomBytes(100_000))
    expect(await ports.objects.uploads(path)).toHaveLength(1)
    await Promise.all([write.cancel(), append.cancel()])
    expect(await ports.objects.uploads(path)).toEqual([])
    expect((await ports.objects.list(`.lockstep/staging/${append.id}`)).files).toEqual([])
    await resume()
    await (await lockstep.append(path, 'small')).result(waiting)
    expect((await contentAt(deployed, path))?.toString()).toBe('small')
  })

  test('what runs says what it did', async () => {
    const path = `${prefix}/running.bin`
    await (await lockstep.write(path, randomBytes(40_000_000))).result(waiting)
    const checksum = await lockstep.checksum(path, 'sha256')
    for await (const { status } of lockstep.watch(checksum.id, waiting)) if (status !== 'waiting') break
    await checksum.cancel()
    const { status, error } = await checksum.wait(waiting)
    expect(['succeeded', 'cancelled']).toContain(status)
    expect(error?.code).toBe(status === 'cancelled' ? 'Cancelled' : undefined)
    expect(await lockstep.line(path)).toMatchObject({ holders: [], waiters: [] })
  })

  test('what is over stays as it is', async () => {
    const done = await lockstep.append(`${prefix}/done.log`, 'x')
    await done.result(waiting)
    expect(await done.cancel()).toMatchObject({ status: 'succeeded' })
  })
})
