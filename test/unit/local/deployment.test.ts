import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { deploymentFrom, readDeployment, saveDeployment } from '#cli/local/deployment.ts'
import { localPaths } from '#cli/local/paths.ts'
import { temporaryDirectory } from '#test/support/environment-directory.ts'

const emulator = {
  pid: 100,
  startedAt: 'then',
  port: 24_000,
  endpoint: 'http://127.0.0.1:24000',
  auth: false,
  token: 'lockstep-1',
}

const outputs = {
  'LockstepStorage-dev': {
    BucketName: 'files',
    LinesTableName: 'lines',
    OperationsTableName: 'operations',
    OperationsQueueUrl: 'http://127.0.0.1:24000/0/operations',
    ShardsQueueUrl: 'http://127.0.0.1:24000/0/shards',
    RejectedQueueUrl: 'http://127.0.0.1:24000/0/rejected',
    ExportsOutputRefSomething: 'else',
  },
  'LockstepProcessing-dev': { UploadsQueueUrl: 'http://127.0.0.1:24000/0/uploads' },
}

const deployment = {
  endpoint: 'http://127.0.0.1:24000',
  region: 'us-east-1',
  bucket: 'files',
  linesTable: 'lines',
  operationsTable: 'operations',
  operationsQueueUrl: 'http://127.0.0.1:24000/0/operations',
  shardsQueueUrl: 'http://127.0.0.1:24000/0/shards',
  uploadsQueueUrl: 'http://127.0.0.1:24000/0/uploads',
  rejectedQueueUrl: 'http://127.0.0.1:24000/0/rejected',
  emulatorPid: 100,
}

describe('a deployment', () => {
  test('is read from the outputs of all stacks', () => {
    expect(deploymentFrom(outputs, emulator)).toEqual(deployment)
  })

  test('names the outputs that it lacks, and those that it got', () => {
    const { UploadsQueueUrl: _, ...rest } = { ...outputs['LockstepProcessing-dev'], BucketName: 'files' }
    expect(() => deploymentFrom({ 'LockstepProcessing-dev': rest }, emulator)).toThrow(
      /gave the outputs BucketName, and not LinesTableName, .*UploadsQueueUrl.*: add those to infra\/stacks/,
    )
  })

  test('comes back from its file as it was saved', () => {
    const directory = temporaryDirectory()
    saveDeployment(localPaths(directory), { ...deployment, fingerprint: 'f' })
    expect(readDeployment(directory)).toEqual({ ...deployment, fingerprint: 'f' })
  })

  test('is absent when there is no file, or one of another version', () => {
    const directory = temporaryDirectory()
    expect(readDeployment(directory)).toBeUndefined()
    writeFileSync(localPaths(directory).deploymentFile, '{"endpoint": "http://127.0.0.1:1"}')
    expect(readDeployment(directory)).toBeUndefined()
  })
})
