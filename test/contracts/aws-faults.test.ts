import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { type AwsPorts, awsPorts } from '#aws/aws-ports.ts'
import type { Deployment } from '#aws/deployment.ts'
import { systemClock } from '#aws/system-clock.ts'
import { limits } from '#domain/limits.ts'
import type { LineUse } from '#domain/line.ts'
import type { OperationRecord } from '#domain/operation.ts'
import { isPortFault, type PortFault } from '#ports/faults.ts'
import type { Mark } from '#ports/object-store.ts'
import { connectionTo, createResources, credentials } from '#test/support/aws-resources.ts'
import { type Fate, type FaultProxy, inTurn, startFaultProxy } from '#test/support/fault-proxy.ts'
import {
  bytesOf,
  contentOf,
  etagOf,
  plain,
  recordOf,
  start,
  textOf,
  uniqueLine,
  uniquePath,
} from './support.ts'

const emulator = inject('emulator')
const mark: Mark = { operationId: 'OPERATION' }

/** What S3 and DynamoDB answer, in their own form. */
const s3Error = (status: number, code: string): Fate => ({
  status,
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as told</Message></Error>`,
  headers: { 'content-type': 'application/xml' },
})
const dynamoError = (status: number, code: string, more: object = {}): Fate => ({
  status,
  body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message: 'as told', ...more }),
  headers: { 'content-type': 'application/x-amz-json-1.0' },
})

let proxy: FaultProxy
let deployment: Deployment
let ports: AwsPorts
/** Past the proxy, to see what really happened. */
let direct: AwsPorts

/** Pauses between tries pass at once. */
const clock = { ...systemClock, sleep: async () => undefined }

beforeAll(async () => {
  proxy = await startFaultProxy(emulator.endpoint)
  deployment = await createResources(emulator)
  const options = { ...connectionTo(emulator), clock, log: () => undefined }
  ports = awsPorts(deployment, { ...options, endpoint: proxy.endpoint })
  direct = awsPorts(deployment, options)
  // What the target can do is known from here on: its probe is no part of what the tests count.
  await direct.probe()
  await ports.objects.delete(uniquePath('nothing'), '"x"')
})

afterEach(() => {
  proxy.fate = () => 'pass'
})

afterAll(async () => {
  ports.close()
  direct.close()
  await proxy.close()
})

const faultOf = async (call: Promise<unknown>): Promise<PortFault> => {
  const outcome = await call.then(
    (value: unknown) => value,
    (error: unknown) => error,
  )
  if (isPortFault(outcome)) return outcome
  throw new Error(`got ${String(outcome)}, expected a PortFault`, { cause: outcome })
}

/** The fault of a call and the number of requests that it made. */
const countedFault = async (call: () => Promise<unknown>): Promise<[string, number]> => {
  const before = proxy.seen.length
  const { fault } = await faultOf(call())
  return [fault, proxy.seen.length - before]
}

const put = (path: string, objects = ports.objects) =>
  objects.put(path, bytesOf('body'), 'absent', plain, mark)

const created = async (overrides: Partial<OperationRecord> = {}): Promise<OperationRecord> => {
  const record = recordOf(overrides)
  await direct.operations.create(record)
  return record
}

const claim = { seenAttempt: 0, leaseUntil: start + 1000, nonce: 'nonce', base: {}, now: start }
const succeeded = { status: 'succeeded', now: start } as const

describe('an effect whose answer is lost', () => {
  it('a put is unanswered, and was sent once', async () => {
    const path = uniquePath('lost')
    proxy.fate = inTurn('lose')
    expect(await countedFault(() => put(path))).toEqual(['unanswered', 1])
    expect((await direct.objects.head(path))?.mark).toEqual(mark)
  })

  it('a delete is unanswered, and was sent once', async () => {
    const path = uniquePath('lost')
    const etag = etagOf(await put(path))
    proxy.fate = inTurn('lose')
    expect(await countedFault(() => ports.objects.delete(path, etag))).toEqual(['unanswered', 1])
    expect(await direct.objects.head(path)).toBeNull()
  })

  it('a completion is unanswered, and was sent once', async () => {
    const path = uniquePath('lost')
    const uploadId = await ports.objects.createUpload(path, plain, mark)
    await ports.objects.uploadPart(path, uploadId, 1, bytesOf('part'))
    const parts = (await ports.objects.parts(path, uploadId)) ?? []
    proxy.fate = inTurn('lose')
    const complete = () => ports.objects.complete(path, uploadId, parts, 'absent')
    expect(await countedFault(complete)).toEqual(['unanswered', 1])
    expect((await direct.objects.head(path))?.size).toBe(4)
  })

  it('a copy by the way round is unanswered only if its completion is, and leaves no upload', async () => {
    const [from, to] = [uniquePath('from'), uniquePath('to')]
    const etag = etagOf(await put(from))
    const copy = () => ports.objects.copy(from, etag, to, 'absent', plain, mark)
    proxy.fate = ({ method, url }) => (method === 'POST' && !url.includes('uploads') ? 'lose' : 'pass')
    expect((await faultOf(copy())).fault).toBe('unanswered')
    expect((await direct.objects.head(to))?.mark).toEqual(mark)
    proxy.fate = ({ headers }) => ('x-amz-copy-source' in headers ? 'lose' : 'pass')
    const other = () => ports.objects.copy(from, etag, `${to}-2`, 'absent', plain, mark)
    expect((await faultOf(other())).fault).toBe('busy')
    expect(await direct.objects.head(`${to}-2`)).toBeNull()
    expect(await direct.objects.uploads(to)).toEqual([])
  })

  it('an enter is unanswered, and was sent once', async () => {
    const use: LineUse = { line: uniqueLine('lost'), mode: 'write' }
    proxy.fate = inTurn('lose')
    expect(await countedFault(() => ports.lines.enter(use, 'id', start))).toEqual(['unanswered', 1])
    expect((await direct.lines.read([use.line]))[0]?.entries).toHaveLength(1)
  })
})

describe('what may be repeated is repeated, and does not notice', () => {
  it('a create finds its own record', async () => {
    const record = recordOf()
    proxy.fate = inTurn('lose')
    expect(await ports.operations.create(record)).toEqual({ kind: 'exists', record })
  })

  it('a claim recognises itself', async () => {
    const { id } = await created()
    proxy.fate = inTurn('lose', 'lose')
    const { kind, record } = await ports.operations.claim(id, claim)
    expect([kind, record?.attempt]).toEqual(['claimed', 1])
  })

  it('a finish recognises itself', async () => {
    const { id } = await created()
    await direct.operations.claim(id, claim)
    proxy.fate = inTurn('lose')
    expect((await ports.operations.finish(id, 1, succeeded)).kind).toBe('finished')
  })

  it('the end of a waiting operation recognises itself', async () => {
    const { id } = await created()
    proxy.fate = inTurn('lose')
    expect((await ports.operations.endWaiting(id, { ...succeeded, status: 'cancelled' })).kind).toBe(
      'finished',
    )
  })

  it('a joint enter draws one ticket in each line', async () => {
    const uses: LineUse[] = [uniqueLine('a'), uniqueLine('b')].map((line) => ({ line, mode: 'write' }))
    const record = recordOf({ uses })
    proxy.fate = inTurn('lose', 'lose')
    const outcome = await ports.lines.enterTogether(uses, record.id, { kind: 'create', record }, start)
    expect(outcome).toEqual({ kind: 'entered' })
    const lines = await direct.lines.read(uses.map(({ line }) => line))
    expect(lines.map(({ entries }) => entries.map(({ ticket }) => ticket))).toEqual([
      [start * 1000],
      [start * 1000],
    ])
  })

  it('a leave answers that it was gone, so that everything granted is sent', async () => {
    const use: LineUse = { line: uniqueLine('leave'), mode: 'write' }
    await direct.lines.enter(use, 'id', start)
    proxy.fate = inTurn('lose')
    expect(await ports.lines.leave(use, 'id', start)).toEqual({
      was: false,
      before: { key: use.line, entries: [] },
    })
  })

  it('a nudge that was marked without an answer is still to be sent', async () => {
    const use: LineUse = { line: uniqueLine('nudge'), mode: 'write' }
    await direct.lines.enter(use, 'id', start)
    proxy.fate = inTurn('lose')
    expect(await ports.lines.markNudged(use.line, start, 1000)).toBe(true)
    expect(await ports.lines.markNudged(use.line, start, 1000)).toBe(false)
  })

  it('reads, parts, sends', async () => {
    const path = uniquePath('reads')
    await put(path)
    const uploadId = await ports.objects.createUpload(path, plain, mark)
    const calls = [
      () => ports.objects.head(path),
      () => ports.objects.get(path),
      () => ports.objects.uploadPart(path, uploadId, 1, bytesOf('part')),
      () => ports.objects.parts(path, uploadId),
      () => ports.objects.list(path),
      () => ports.lines.read([uniqueLine('read')]),
      () => ports.queue.send('operations', recordOf().id),
    ]
    for (const call of calls) {
      proxy.fate = inTurn('lose', { status: 500, body: '' })
      await expect(call()).resolves.not.toThrow()
    }
    await direct.objects.abort(path, uploadId)
  })

  it('and gives up after some tries', async () => {
    proxy.fate = () => 'lose'
    expect(await countedFault(() => ports.objects.head('any'))).toEqual(['unanswered', 4])
  })
})

describe('answers that do not say', () => {
  it.each([
    ['500', s3Error(500, 'InternalError')],
    ['503 without a code for throttling', s3Error(503, 'ServiceUnavailable')],
    ['200 with an error inside', s3Error(200, 'InternalError')],
  ])('a completion answered %s is unanswered, and was sent once', async (_, fate) => {
    proxy.fate = inTurn(fate)
    const parts = [{ number: 1, etag: '"e"', size: 1 }]
    const complete = () => ports.objects.complete('any', 'upload', parts, 'absent')
    expect(await countedFault(complete)).toEqual(['unanswered', 1])
  })

  it('an enter answered 500 is unanswered, and was sent once', async () => {
    proxy.fate = inTurn(dynamoError(500, 'InternalServerError'))
    const use: LineUse = { line: uniqueLine('500'), mode: 'write' }
    expect(await countedFault(() => ports.lines.enter(use, 'id', start))).toEqual(['unanswered', 1])
  })
})

describe('not now', () => {
  it.each([
    ['SlowDown', s3Error(503, 'SlowDown')],
    ['ConditionalRequestConflict', s3Error(409, 'ConditionalRequestConflict')],
    ['OperationAborted', s3Error(409, 'OperationAborted')],
  ])('a put answered %s is tried again within the call', async (_, fate) => {
    const path = uniquePath('busy')
    proxy.fate = inTurn(fate, fate)
    expect((await put(path)).kind).toBe('done')
    proxy.fate = () => fate
    expect(await countedFault(() => put(path))).toEqual(['busy', 5])
  })

  it('a put that is answered "not now" and then not at all is unanswered', async () => {
    proxy.fate = inTurn(s3Error(503, 'SlowDown'), 'lose')
    expect(await countedFault(() => put(uniquePath('busy')))).toEqual(['unanswered', 2])
  })

  it('a completion answered 409 has voided its upload, and is not tried again', async () => {
    proxy.fate = inTurn(s3Error(409, 'ConditionalRequestConflict'))
    const before = proxy.seen.length
    const parts = [{ number: 1, etag: '"e"', size: 1 }]
    expect(await ports.objects.complete('any', 'upload', parts, 'absent')).toEqual({ kind: 'void' })
    expect(proxy.seen.length - before).toBe(1)
  })

  it.each(['TransactionConflictException', 'ThrottlingException', 'ProvisionedThroughputExceededException'])(
    'an enter answered %s had no effect',
    async (code) => {
      proxy.fate = inTurn(dynamoError(400, code))
      const use: LineUse = { line: uniqueLine('busy'), mode: 'write' }
      expect(await countedFault(() => ports.lines.enter(use, 'id', start))).toEqual(['busy', 1])
    },
  )

  it('a joint enter that met another had no effect', async () => {
    const record = recordOf()
    const enter = () => ports.lines.enterTogether(record.uses, record.id, { kind: 'create', record }, start)
    const reasons = { CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }] }
    proxy.fate = inTurn(dynamoError(400, 'TransactionCanceledException', reasons))
    expect((await faultOf(enter())).fault).toBe('busy')
    proxy.fate = inTurn(
      { status: 500, body: '{}' },
      dynamoError(400, 'TransactionCanceledException', reasons),
    )
    expect((await faultOf(enter())).fault).toBe('unanswered')
  })
})

describe('no entry', () => {
  it.each([
    ['AccessDenied', s3Error(403, 'AccessDenied')],
    ['SignatureDoesNotMatch', s3Error(403, 'SignatureDoesNotMatch')],
    ['ExpiredToken', s3Error(400, 'ExpiredToken')],
  ])('%s is denied', async (_, fate) => {
    proxy.fate = () => fate
    expect(await countedFault(() => put('any'))).toEqual(['denied', 1])
  })

  it('HEAD tells by its status only', async () => {
    proxy.fate = () => ({ status: 403, body: '' })
    expect((await faultOf(ports.objects.head('any'))).fault).toBe('denied')
  })

  it('DynamoDB and SQS deny in their own words', async () => {
    proxy.fate = () => dynamoError(400, 'UnrecognizedClientException')
    expect((await faultOf(ports.operations.get('any'))).fault).toBe('denied')
    proxy.fate = () => dynamoError(400, 'InvalidClientTokenId')
    expect((await faultOf(ports.queue.send('operations', 'any'))).fault).toBe('denied')
  })

  it('where nobody listens, and where no such host is, nothing was sent', async () => {
    const closed = await startFaultProxy(emulator.endpoint)
    await closed.close()
    for (const endpoint of [closed.endpoint, 'http://no-such-host.invalid:4566']) {
      const nowhere = awsPorts(deployment, { endpoint, region: emulator.region, credentials, clock })
      const calls = [
        () => put('any', nowhere.objects),
        () => nowhere.lines.enter({ line: 'f:any', mode: 'write' }, 'id', start),
        () => nowhere.operations.get('id'),
        () => nowhere.queue.send('operations', 'id'),
      ]
      for (const call of calls) expect((await faultOf(call())).fault).toBe('unreachable')
      nowhere.close()
    }
  })

  it('what is missing is called by its name', async () => {
    const missing = {
      ...deployment,
      bucket: 'no-such-bucket',
      linesTable: 'no-lines',
      operationsTable: 'no-operations',
    }
    const queueUrl = deployment.operationsQueueUrl.replace(/[^/]*$/, 'no-queue')
    const nowhere = awsPorts({ ...missing, operationsQueueUrl: queueUrl }, connectionTo(emulator))
    const told = async (call: Promise<unknown>): Promise<string> => {
      const { fault, message } = await faultOf(call)
      expect(fault).toBe('unreachable')
      return message
    }
    const use: LineUse = { line: 'f:any', mode: 'write' }
    const record = recordOf()
    expect(await told(put('any', nowhere.objects))).toContain('there is no bucket "no-such-bucket"')
    expect(await told(nowhere.lines.enter(use, 'id', start))).toContain('there is no table "no-lines"')
    expect(await told(nowhere.operations.get('id'))).toContain('there is no table "no-operations"')
    expect(await told(nowhere.queue.send('operations', 'id'))).toContain(`there is no queue ${queueUrl}`)
    const together = nowhere.lines.enterTogether([use], record.id, { kind: 'create', record }, start)
    expect(await told(together)).toContain('"no-operations"')
    nowhere.close()
  })

  it('a refusal that nobody expects is no fault: repeating it would not help', async () => {
    proxy.fate = () => s3Error(400, 'MalformedXML')
    await expect(put('any')).rejects.toThrow('objects.put: refused with 400 MalformedXML: as told')
  })
})

describe('content that breaks off', () => {
  it('is a fault, not the end', async () => {
    const path = uniquePath('long')
    const bytes = new Uint8Array(limits.readBytes).fill(7)
    await direct.objects.put(path, bytes, 'absent', plain, mark)
    proxy.fate = ({ method }) => (method === 'GET' ? 'cut' : 'pass')
    expect((await faultOf(ports.objects.get(path).then(contentOf))).fault).toBe('unanswered')
  })

  it('may be left early', async () => {
    const path = uniquePath('left')
    await direct.objects.put(path, bytesOf('some text'), 'absent', plain, mark)
    const outcome = await ports.objects.get(path)
    if (outcome.kind !== 'found') throw new Error('not found')
    for await (const piece of outcome.bytes) {
      expect(textOf(piece)).toContain('some')
      break
    }
    expect((await ports.objects.get(path)).kind).toBe('found')
  })
})
