import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { discover } from '#client/discover.ts'
import { temporaryDirectory } from '#test/support/environment-directory.ts'

const deployment = {
  bucket: 'files',
  linesTable: 'lines',
  operationsTable: 'operations',
  operationsQueueUrl: 'http://127.0.0.1:1/operations',
  shardsQueueUrl: 'http://127.0.0.1:1/shards',
  rejectedQueueUrl: 'http://127.0.0.1:1/rejected',
}

const variables = {
  LOCKSTEP_BUCKET: 'files',
  LOCKSTEP_LINES_TABLE: 'lines',
  LOCKSTEP_OPERATIONS_TABLE: 'operations',
  LOCKSTEP_OPERATIONS_QUEUE_URL: 'http://127.0.0.1:1/operations',
  LOCKSTEP_SHARDS_QUEUE_URL: 'http://127.0.0.1:1/shards',
  LOCKSTEP_REJECTED_QUEUE_URL: 'http://127.0.0.1:1/rejected',
}

/** Nobody listens at port 1. */
const refused = 'http://127.0.0.1:1'

const saveLocal = (saved: object): string => {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, '.local'))
  writeFileSync(join(directory, '.local', 'deployment.json'), JSON.stringify(saved))
  return directory
}

describe('a deployment', () => {
  test('named part by part is taken before anything else', async () => {
    const found = await discover(
      { ...deployment, region: 'eu-west-1' },
      { ...variables, LOCKSTEP_BUCKET: 'other' },
    )
    expect(found).toMatchObject({ source: 'options', deployment, connection: { region: 'eu-west-1' } })
  })

  test('named in part is refused, with what is missing', async () => {
    await expect(discover({ bucket: 'files' }, {})).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringContaining('linesTable') as string,
    })
  })

  test('is found in the environment', async () => {
    const found = await discover({}, { ...variables, AWS_ENDPOINT_URL: refused })
    expect(found).toMatchObject({
      source: 'environment',
      deployment,
      connection: { endpoint: refused, region: 'us-east-1', credentials: { accessKeyId: 'test' } },
    })
    await expect(discover({}, { LOCKSTEP_BUCKET: 'files' })).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringContaining('LOCKSTEP_LINES_TABLE') as string,
    })
  })

  test('of the local environment is found from any directory below it, with its endpoint', async () => {
    const directory = saveLocal({ ...deployment, endpoint: refused, region: 'us-east-1', emulatorPid: 1 })
    const below = join(directory, 'a', 'b')
    mkdirSync(below, { recursive: true })
    const found = await discover({ directories: ['/nowhere', below] }, {})
    expect(found).toMatchObject({
      source: 'local',
      deployment,
      connection: { endpoint: refused, region: 'us-east-1', credentials: { secretAccessKey: 'test' } },
      origin: expect.stringContaining(directory) as string,
    })
  })

  test('of the local environment is not meant when a stack, a stage or an endpoint is named', async () => {
    const directories = [saveLocal({ ...deployment, endpoint: refused, region: 'us-east-1' })]
    const connection = { endpoint: refused, directories }
    for (const [options, stack] of [
      [{ stack: 'Mine', ...connection }, 'Mine'],
      [{ stage: 'prod', ...connection }, 'LockstepStorage-prod'],
      [connection, 'LockstepStorage-dev'],
    ] as const) {
      await expect(discover(options, {})).rejects.toMatchObject({
        code: 'Unreachable',
        message: expect.stringContaining(`${stack} in us-east-1 at ${refused}`) as string,
      })
    }
    await expect(discover({ directories }, { AWS_ENDPOINT_URL: refused })).rejects.toMatchObject({
      code: 'Unreachable',
    })
  })

  test('that is saved by another version is not taken', async () => {
    const directories = [saveLocal({ endpoint: refused, bucket: 'files' })]
    await expect(discover({ directories, endpoint: refused }, {})).rejects.toMatchObject({
      code: 'Unreachable',
    })
  })
})
