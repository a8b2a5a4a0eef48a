import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import { internalPrefix } from '#domain/path.ts'
import { connectTo, ownPrefix, sizeAt, until } from '../support/deployed.ts'
import { type Recording, recordTickets } from '../support/recorded-tickets.ts'

const MIB = 1024 * 1024
const timeoutMs = 120_000
const waiting = { timeoutMs }

describe('large files', () => {
  const deployment = inject('deployment')
  const deployed = connectTo(deployment)
  const { lockstep, ports } = deployed
  const prefix = ownPrefix('large')
  const block = randomBytes(24 * MIB)
  let throughFunctions = 0
  let recording: Recording

  beforeAll(async () => {
    const onCall = ({ service, bytes }: { service: string; bytes: number }): void => {
      if (service === 's3') throughFunctions += bytes
    }
    recording = await recordTickets(deployment.endpoint, { onCall })
  })
  afterAll(() => recording.stop())

  /** What functions exchanged with S3 while `work` ran: XML of multipart calls, never content. */
  const bytesThroughFunctions = async (work: () => Promise<unknown>): Promise<number> => {
    const before = throughFunctions
    await work()
    return throughFunctions - before
  }

  async function* blocks(count: number): AsyncGenerator<Uint8Array> {
    for (let number = 0; number < count; number += 1) yield block
  }

  const digestOf = (count: number): string => {
    const hash = createHash('sha256')
    for (let number = 0; number < count; number += 1) hash.update(block)
    return hash.digest('hex')
  }

  /** Read as a stream, as a whole: no pair of bytes can be out of place. */
  const digestAt = async (path: string): Promise<string> => {
    const hash = createHash('sha256')
    const read = await (await lockstep.read(path)).result(waiting)
    for await (const piece of lockstep.bytes(path, read)) hash.update(piece)
    return hash.digest('hex')
  }

  test(
    'a written stream goes straight to S3: no function sees a byte of it',
    async () => {
      const path = `${prefix}/written`
      const bytes = await bytesThroughFunctions(async () => {
        const result = await (await lockstep.write(path, blocks(2), { contentType: 'x/y' })).result(waiting)
        expect(result.size).toBe(2 * block.length)
      })
      expect(bytes).toBeLessThan(64 * 1024)
      expect(await digestAt(path)).toBe(digestOf(2))
      expect(await (await lockstep.stat(path)).result(waiting)).toMatchObject({ contentType: 'x/y' })
      expect(await ports.objects.uploads(prefix)).toEqual([])
    },
    timeoutMs,
  )

  test(
    'a large append is staged and joined within S3, and nothing is left behind',
    async () => {
      const path = `${prefix}/appended`
      await (await lockstep.append(path, block)).result(waiting)
      const bytes = await bytesThroughFunctions(async () => {
        const result = await (await lockstep.append(path, block)).result(waiting)
        expect(result).toMatchObject({ offset: block.length, size: 2 * block.length })
      })
      expect(bytes).toBeLessThan(64 * 1024)
      expect(await digestAt(path)).toBe(digestOf(2))
      await until(
        'the staged bodies to be discarded: after the end, and after the lines were left',
        async () => {
          const { files } = await ports.objects.list(`${internalPrefix}staging/`)
          return files.length === 0 ? files : undefined
        },
      )
      expect(await ports.objects.uploads('')).toEqual([])
    },
    timeoutMs,
  )

  test(
    'a small append to a large file moves no more than the least part',
    async () => {
      const path = `${prefix}/log`
      await (await lockstep.write(path, blocks(1))).result(waiting)
      const bytes = await bytesThroughFunctions(async () => {
        const result = await (await lockstep.append(path, 'the end')).result(waiting)
        expect(result).toMatchObject({ offset: block.length, size: block.length + 7 })
      })
      expect(bytes).toBeLessThan(64 * 1024)
      const read = await (await lockstep.read(path, { range: { start: block.length - 1 } })).result(waiting)
      // One random byte before it may or may not make it text.
      const bytesRead = Buffer.from(
        read.body ?? read.bodyBase64 ?? '',
        read.body === undefined ? 'base64' : 'utf8',
      )
      expect(bytesRead.subarray(1).toString()).toBe('the end')
    },
    timeoutMs,
  )

  test(
    'over 256 MiB: concat, copy, checksum and move run in the shards function, in order',
    async () => {
      const count = 12
      const size = count * block.length
      expect(size).toBeGreaterThan(limits.smallWorkBytes)
      await lockstep.write(`${prefix}/block`, blocks(1))
      const operations = [
        await lockstep.concat(Array<string>(count).fill(`${prefix}/block`), `${prefix}/joined`),
        await lockstep.copy(`${prefix}/joined`, `${prefix}/copied`),
        await lockstep.move(`${prefix}/joined`, `${prefix}/moved`),
      ]
      const checksum = await lockstep.checksum(`${prefix}/moved`, 'sha256')
      const results = await Promise.all(operations.map((operation) => operation.result(waiting)))
      expect(results.map((result) => result.size)).toEqual([size, size, size])
      expect((await checksum.result(waiting)).digest).toBe(digestOf(count))
      const records = await ports.operations.getMany([...operations, checksum].map(({ id }) => id))
      expect(records.every(({ work }) => work?.large === true)).toBe(true)
      expect(await sizeAt(deployed, `${prefix}/joined`)).toBeUndefined()
      expect(await sizeAt(deployed, `${prefix}/copied`)).toBe(size)
      expect(await ports.objects.uploads(prefix)).toEqual([])
    },
    timeoutMs,
  )
})
