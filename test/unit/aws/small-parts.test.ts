import { describe, expect, it } from 'vitest'
import { deploymentFromEnvironment } from '#aws/deployment.ts'
import { namesIn, valuesOf } from '#aws/dynamo-items.ts'
import { insisting } from '#aws/insisting.ts'
import { attributeInput } from '#aws/object-attributes.ts'
import { copySourceOf, versionIdOf } from '#aws/s3-target.ts'
import { cursorOf, startOf } from '#aws/schedule-cursor.ts'
import { PortFault } from '#ports/faults.ts'

describe('the deployment in the environment', () => {
  const complete = {
    LOCKSTEP_BUCKET: 'bucket',
    LOCKSTEP_LINES_TABLE: 'lines',
    LOCKSTEP_OPERATIONS_TABLE: 'operations',
    LOCKSTEP_OPERATIONS_QUEUE_URL: 'https://operations',
    LOCKSTEP_SHARDS_QUEUE_URL: 'https://shards',
    LOCKSTEP_REJECTED_QUEUE_URL: 'https://rejected',
  }

  it('is read whole', () => {
    expect(deploymentFromEnvironment(complete)).toEqual({
      bucket: 'bucket',
      linesTable: 'lines',
      operationsTable: 'operations',
      operationsQueueUrl: 'https://operations',
      shardsQueueUrl: 'https://shards',
      rejectedQueueUrl: 'https://rejected',
    })
  })

  it('every variable that is missing or empty is named', () => {
    const environment = { ...complete, LOCKSTEP_BUCKET: undefined, LOCKSTEP_LINES_TABLE: '' }
    expect(() => deploymentFromEnvironment(environment)).toThrow(
      expect.objectContaining({
        name: 'MissingVariables',
        variables: ['LOCKSTEP_BUCKET', 'LOCKSTEP_LINES_TABLE'],
        message: expect.stringContaining('LOCKSTEP_BUCKET, LOCKSTEP_LINES_TABLE') as string,
      }),
    )
  })
})

describe('expressions', () => {
  it('stand for attributes by their names', () => {
    expect(namesIn('SET #a = :a, #b = :b', '#a = :c AND attribute_exists(#long_1)')).toEqual({
      '#a': 'a',
      '#b': 'b',
      '#long_1': 'long_1',
    })
  })

  it('leave out what is undefined', () => {
    expect(valuesOf({ a: 1, b: undefined, c: [null, true] })).toEqual({
      ':a': { N: '1' },
      ':c': { L: [{ NULL: true }, { BOOL: true }] },
    })
  })
})

describe('copy sources', () => {
  it('are percent-encoded, except for slashes', () => {
    expect(copySourceOf('bucket', 'a/b c+d%20é?x')).toBe('bucket/a/b%20c%2Bd%2520%C3%A9%3Fx')
  })
})

describe('version ids', () => {
  it('of a bucket without versions pin nothing', () => {
    expect(versionIdOf('null')).toEqual({})
    expect(versionIdOf(undefined)).toEqual({})
    expect(versionIdOf('v1')).toEqual({ versionId: 'v1' })
  })
})

describe('attributes', () => {
  const mark = { operationId: 'OPERATION' }

  it('carry the mark among the metadata', () => {
    expect(attributeInput({ metadata: { a: 'b' } }, { ...mark, hops: 3 }).Metadata).toEqual({
      a: 'b',
      'lockstep-op': 'OPERATION',
      'lockstep-hops': '3',
    })
  })

  it('cannot fake a mark', () => {
    const faked = { metadata: { 'lockstep-op': 'FAKED' } }
    expect(attributeInput(faked, mark).Metadata).toEqual({ 'lockstep-op': 'OPERATION' })
  })

  it('that a header cannot carry are refused by name', () => {
    const attributes = { metadata: {}, contentDisposition: 'attachment; filename="ü"' }
    expect(() => attributeInput(attributes, mark)).toThrow('contentDisposition: got')
  })

  it('of encryption and tags are told in the words of S3', () => {
    const encryption = { algorithm: 'aws:kms', keyId: 'key', bucketKey: true }
    const input = attributeInput({ metadata: {}, encryption, tags: { 'a b': 'c&d' } }, mark)
    expect(input).toMatchObject({
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'key',
      BucketKeyEnabled: true,
      Tagging: 'a+b=c%26d',
    })
    expect(attributeInput({ metadata: {}, tags: {} }, mark)).not.toHaveProperty('Tagging')
  })
})

describe('cursors', () => {
  it('lead back to where they were made', () => {
    expect(startOf('open#07', cursorOf({ id: 'ID', at: 5 }))).toEqual({
      shard: { S: 'open#07' },
      at: { N: '5' },
      id: { S: 'ID' },
    })
  })

  it.each(['', 'x', Buffer.from('{}').toString('base64url'), Buffer.from('["a", 1]').toString('base64url')])(
    'that are none are refused: %s',
    (cursor) => {
      expect(() => startOf('open#07', cursor)).toThrow(RangeError)
    },
  )
})

describe('insisting', () => {
  const pauses: number[] = []
  const world = {
    clock: {
      now: () => 0,
      sleep: async (ms: number) => {
        pauses.push(ms)
      },
    },
    ids: { operationId: () => '', nonce: () => '', chance: () => 1 },
  }

  it('pauses longer each time, and then gives the fault to the caller', async () => {
    const busy = new PortFault('busy', 'port.call')
    await expect(insisting(world, () => Promise.reject(busy))).rejects.toBe(busy)
    expect(pauses).toEqual([50, 100, 200, 400])
  })

  it('does not repeat what may have taken effect', async () => {
    let calls = 0
    const call = async () => {
      calls += 1
      throw new PortFault('unanswered', 'port.call')
    }
    await expect(insisting(world, call)).rejects.toMatchObject({ fault: 'unanswered' })
    expect(calls).toBe(1)
  })
})
