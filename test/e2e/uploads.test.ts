import { afterEach, describe, expect, inject, test } from 'vitest'
import type { OperationDocument } from '#client/index.ts'
import { limits } from '#domain/limits.ts'
import { listFunctions, reconfigure } from '../../bench/measure/deployed-functions.ts'
import { connectTo, contentAt, ownPrefix, putOutside, until } from '../support/deployed.ts'
import { rejectedMessages, s3Event, sendRaw } from '../support/queues.ts'

describe('files put by any S3 tool trigger what the rules say', () => {
  const deployment = inject('deployment')
  const deployed = connectTo(deployment)
  const { lockstep } = deployed
  const run = ownPrefix('uploads')
  let restore: (() => Promise<void>) | undefined

  afterEach(async () => {
    await restore?.()
    restore = undefined
  })

  const operationsOn = async (path: string): Promise<OperationDocument[]> => {
    const found: OperationDocument[] = []
    for await (const document of lockstep.list({ path })) found.push(document)
    return found
  }

  test('each rule does what it says, with names as S3 encodes them', async () => {
    const name = `${run} a+b%20\u00fc (1)`
    await putOutside(deployed, `inbox/${name}`, 'moved')
    await putOutside(deployed, `incoming/${name}.csv`, 'copied')
    await putOutside(deployed, `incoming/${name}.txt`, 'summed')
    const moved = await until('the move', () => contentAt(deployed, `filed/${name}`))
    expect(moved.toString()).toBe('moved')
    const copied = await until('the copy', () => contentAt(deployed, `processed/${name}.csv`))
    expect(copied.toString()).toBe('copied')
    const [checksum] = await until('the checksum', async () => {
      const all = await operationsOn(`incoming/${name}.txt`)
      return all.some(({ status }) => status === 'succeeded') ? all : undefined
    })
    expect(checksum).toMatchObject({ kind: 'checksum', status: 'succeeded' })
    await until('the inbox to be empty', async () =>
      (await contentAt(deployed, `inbox/${name}`)) === undefined ? true : undefined,
    )
  })

  test('an event that comes many times submits once', async () => {
    const key = `incoming/${run}-twice.txt`
    await putOutside(deployed, key, 'once')
    await until('its operation', async () => ((await operationsOn(key)).length > 0 ? true : undefined))
    const sequencer = 'F'.repeat(16)
    const event = s3Event({ key, sequencer })
    for (let times = 0; times < 5; times += 1) await sendRaw(deployed, deployment.uploadsQueueUrl, event)
    // The same event once more beside another: when that one has been seen to, so has this.
    const marker = `incoming/${run}-marker.txt`
    await sendRaw(
      deployed,
      deployment.uploadsQueueUrl,
      s3Event({ key, sequencer }, { key: marker, sequencer }),
    )
    await until('the marker', async () => ((await operationsOn(marker)).length > 0 ? true : undefined))
    const all = await until('both events of the file', async () => {
      const found = await operationsOn(key)
      return found.length >= 2 ? found : undefined
    })
    expect(all.length).toBe(2)
  })

  test('an event that is older than the newest seen for its path is dropped', async () => {
    const key = `incoming/${run}-late.txt`
    const marker = `incoming/${run}-late-marker.txt`
    const records = [
      { key, sequencer: '00000000000000A2' },
      { key, sequencer: '00000000000000A1' },
      { key: marker, sequencer: '00000000000000A1' },
    ]
    await sendRaw(deployed, deployment.uploadsQueueUrl, s3Event(...records))
    await until('the marker', async () => ((await operationsOn(marker)).length > 0 ? true : undefined))
    expect(await operationsOn(key)).toHaveLength(1)
  })

  test('a file that was deleted is no arrival', async () => {
    const key = `incoming/${run}-deleted.txt`
    const marker = `incoming/${run}-deleted-marker.txt`
    const records = [
      { key, sequencer: 'A1', eventName: 'ObjectRemoved:Delete' },
      { key: marker, sequencer: 'A1' },
    ]
    await sendRaw(deployed, deployment.uploadsQueueUrl, s3Event(...records))
    await until('the marker', async () => ((await operationsOn(marker)).length > 0 ? true : undefined))
    expect(await operationsOn(key)).toEqual([])
  })

  test(`rules that trigger rules end after ${limits.hops} hops, and that is recorded`, async () => {
    const rules = [
      {
        prefix: 'inbox/',
        suffix: '.loop',
        operations: [{ kind: 'copy', from: '{path}', to: 'inbox/{stem}+.loop' }],
      },
    ]
    const functions = await listFunctions(deployment.endpoint)
    const uploads = functions.find(({ FunctionName }) => FunctionName.includes('Uploads'))
    if (uploads === undefined) throw new Error('no function for uploads is deployed')
    const variables = { LOCKSTEP_RULES: JSON.stringify(rules) }
    restore = await reconfigure(deployment.endpoint, uploads, { variables })
    const at = (hops: number): string => `inbox/${run}-cycle${'+'.repeat(hops)}.loop`
    await putOutside(deployed, at(0), 'round and round')
    const [rejected] = await rejectedMessages(deployed, (body) => body.includes(`${run}-cycle`), 1)
    expect(rejected?.reason).toContain('cycle')
    expect((await contentAt(deployed, at(limits.hops)))?.toString()).toBe('round and round')
    expect(await contentAt(deployed, at(limits.hops + 1))).toBeUndefined()
  })
})
