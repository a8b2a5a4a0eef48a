import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClients } from '#aws/clients.ts'
import { LocalEnvironment } from '#cli/local/environment.ts'
import { listFunctionProcesses } from '#cli/local/function-processes.ts'
import { Lockstep } from '#client/index.ts'
import { prepare } from '#engine/request.ts'
import {
  connectTo,
  contentAt,
  type Deployed,
  finalRecords,
  ownPrefix,
  putOutside,
  until,
} from '../support/deployed.ts'
import { rejectedMessages, sendRaw } from '../support/queues.ts'

const MIB = 1024 * 1024
const setUpMs = 180_000
/** The sweeper comes by every minute. */
const timeoutMs = 150_000
const waiting = { timeoutMs }

/** A deployment of its own, on an emulator that checks every signature and every policy. */
describe('with permissions enforced', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-auth-'))
  const environment = new LocalEnvironment({ directory, auth: true, lifeline: true })
  const trusted = getCACertificates('default')
  const prefix = ownPrefix('permissions')
  const at = (name: string): string => `${prefix}/${name}`
  let deployed: Deployed

  beforeAll(async () => {
    const deployment = await environment.up()
    setDefaultCACertificates([...trusted, readFileSync(deployment.certificateFile ?? '', 'utf8')])
    deployed = connectTo(deployment)
  }, setUpMs)
  afterAll(async () => {
    setDefaultCACertificates(trusted)
    await environment.down()
    rmSync(directory, { recursive: true, force: true })
  })

  test('every function may do what it must', { timeout: timeoutMs }, async () => {
    const { lockstep, ports } = deployed
    // For the sweeper, which is not called by us: a submit that stopped half-way, long ago.
    const options = { now: Date.now() - 10 * 60_000, newId: () => ports.ids.operationId() }
    const stopped = prepare({ kind: 'append', path: at('stopped'), body: 'x' }, options).record
    await ports.operations.create(stopped)

    await lockstep.write(at('a'), 'A', { metadata: { by: 'test' } })
    await lockstep.append(at('a'), 'B')
    await lockstep.append(at('a'), 'x'.repeat(20_000))
    await lockstep.copy(at('a'), at('b'))
    await lockstep.move(at('b'), at('c'))
    await lockstep.concat([at('a'), at('c')], at('d'))
    const last = [
      await lockstep.delete(at('a')),
      await lockstep.read(at('d')),
      await lockstep.stat(at('d')),
      await lockstep.checksum(at('d'), 'crc32c'),
    ]
    for (const operation of last) await operation.result(waiting)
    expect((await contentAt(deployed, at('d')))?.length).toBe(2 * 20_002)

    await lockstep.write(at('block'), Buffer.alloc(40 * MIB, 'x'))
    await lockstep.concat(Array<string>(7).fill(at('block')), at('large'))
    const large = await lockstep.move(at('large'), at('moved'))
    expect(await large.result(waiting)).toMatchObject({ size: 280 * MIB })

    await putOutside(deployed, `inbox/${prefix}`, 'by rule')
    await until('the rule to file it', () => contentAt(deployed, `filed/${prefix}`))
    const corrupt = `corrupt ${prefix}`
    await sendRaw(deployed, deployed.deployment.operationsQueueUrl, corrupt)
    await rejectedMessages(deployed, (body) => body === corrupt, 1)

    const records = await finalRecords(ports, [stopped.id], timeoutMs)
    expect(records.get(stopped.id)?.status, 'what the sweeper had to complete').toBe('succeeded')
  })

  test('a wrong secret is AccessDenied', async () => {
    const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wrong' }
    const stranger = new Lockstep({ ...deployed.deployment, credentials })
    await expect(stranger.stat('a')).rejects.toMatchObject({ code: 'AccessDenied', retryable: false })
  })

  test.runIf(process.platform === 'linux')('no function may do what it need not', async () => {
    const { bucket, operationsTable, operationsQueueUrl } = deployed.deployment
    const uploads = await clientsOf('Uploads')
    const put = new PutObjectCommand({ Bucket: bucket, Key: at('by-uploads'), Body: 'x' })
    await expect(uploads.s3.send(put)).rejects.toMatchObject({ name: 'AccessDenied' })
    const receive = new ReceiveMessageCommand({ QueueUrl: operationsQueueUrl })
    await expect(uploads.sqs.send(receive)).rejects.toThrow(/not authorized|denied/i)
    const sweeper = await clientsOf('Sweeper')
    const remove = new DeleteObjectCommand({ Bucket: bucket, Key: at('d') })
    await expect(sweeper.s3.send(remove)).rejects.toMatchObject({ name: 'AccessDenied' })
    const record = new PutItemCommand({ TableName: operationsTable, Item: { id: { S: 'x' } } })
    await expect(sweeper.dynamo.send(record)).rejects.toThrow(/not authorized|denied/i)
    expect(await contentAt(deployed, at('d'))).toBeDefined()
  })

  /** With the very credentials that the platform gave to the function. */
  const clientsOf = async (functionName: string) => {
    const { emulatorPid, endpoint, region } = deployed.deployment
    const [sandbox] = await listFunctionProcesses(emulatorPid, functionName)
    if (sandbox === undefined) throw new Error(`no sandbox of ${functionName} is there`)
    const variables = readFileSync(`/proc/${sandbox.pid}/environ`, 'utf8').split('\0')
    const variable = (name: string): string =>
      variables.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
    const credentials = {
      accessKeyId: variable('AWS_ACCESS_KEY_ID'),
      secretAccessKey: variable('AWS_SECRET_ACCESS_KEY'),
      sessionToken: variable('AWS_SESSION_TOKEN'),
    }
    return createClients({ endpoint, region, credentials })
  }
})
