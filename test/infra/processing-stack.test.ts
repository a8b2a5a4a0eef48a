import { describe, expect, test } from 'vitest'
import { limits } from '#domain/limits.ts'
import { readableReference, resourceOf, resourcesOf, synthesize } from './templates.ts'

const dev = synthesize('dev')
const prod = synthesize('prod')

const functions = ['Worker', 'Shards', 'Uploads', 'Sweeper', 'DeadLetters'] as const

function functionNamed(name: string, { processing } = dev) {
  return resourceOf(processing, 'AWS::Lambda::Function', `Processing${name}Function`).Properties
}

function environmentOf(name: string): Record<string, unknown> {
  const { Variables } = functionNamed(name)['Environment'] as { readonly Variables: Record<string, unknown> }
  return Variables
}

test('there are the five functions and no hidden one', () => {
  const ids = Object.keys(resourcesOf(dev.processing, 'AWS::Lambda::Function'))
  expect(ids.map((id) => readableReference({ Ref: id })).sort()).toEqual(
    functions.map((name) => `Processing${name}Function`).sort(),
  )
})

test.each([dev, prod])('no custom resource anywhere', ({ storage, processing }) => {
  const types = [storage, processing].flatMap((template) => {
    const { Resources } = template.toJSON() as {
      readonly Resources: Record<string, { readonly Type: string }>
    }
    return Object.values(Resources).map((resource) => resource.Type)
  })
  expect(types.filter((type) => /^Custom::|CustomResource/.test(type))).toEqual([])
})

describe.each(functions)('%s', (name) => {
  test('runs on the current Node, without tracing, and may take part in loops', () => {
    expect(functionNamed(name)).toMatchObject({
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Architectures: ['arm64'],
      // Waking a successor is a loop to Lambda: it would drop the 17th waiter of a line.
      RecursiveLoop: 'Allow',
    })
    expect(functionNamed(name)).not.toHaveProperty('TracingConfig')
    expect(functionNamed(name)).not.toHaveProperty('FunctionName')
  })

  test.each([
    [dev, 7, 'Delete'],
    [prod, 90, 'Retain'],
  ] as const)('logs to its own group, kept as long as the stage says', (stage, days, policy) => {
    const logging = functionNamed(name, stage)['LoggingConfig'] as Record<string, unknown>
    expect(readableReference(logging['LogGroup'])).toBe(`Processing${name}Logs`)
    expect(logging['LogFormat']).toBe('JSON')
    const group = resourceOf(stage.processing, 'AWS::Logs::LogGroup', `Processing${name}Logs`)
    expect(group).toMatchObject({ Properties: { RetentionInDays: days }, DeletionPolicy: policy })
  })
})

describe('environment', () => {
  const common = {
    LOCKSTEP_BUCKET: 'StorageFilesBucket',
    LOCKSTEP_LINES_TABLE: 'StorageTablesLines',
    LOCKSTEP_OPERATIONS_TABLE: 'StorageTablesOperations',
    LOCKSTEP_OPERATIONS_QUEUE_URL: 'StorageQueuesOperationsQueue',
    LOCKSTEP_SHARDS_QUEUE_URL: 'StorageQueuesShardsQueue',
    LOCKSTEP_REJECTED_QUEUE_URL: 'StorageQueuesRejected',
  }

  function readableEnvironment(name: string): Record<string, string> {
    const variables = Object.entries(environmentOf(name))
    return Object.fromEntries(variables.map(([key, value]) => [key, readableReference(value)]))
  }

  test.each(['Worker', 'Shards', 'Sweeper'])('%s finds where everything is', (name) => {
    expect(readableEnvironment(name)).toEqual(common)
  })

  const rules = [
    {
      prefix: 'incoming/',
      suffix: '.csv',
      operations: [{ kind: 'copy', from: '{path}', to: 'processed/{name}' }],
    },
    {
      prefix: 'incoming/',
      suffix: '.txt',
      operations: [{ kind: 'checksum', path: '{path}', algorithm: 'sha256' }],
    },
    { prefix: 'inbox/', operations: [{ kind: 'move', from: '{path}', to: 'filed/{name}' }] },
  ]

  test('the uploads function finds the rules', () => {
    const { LOCKSTEP_RULES, ...rest } = readableEnvironment('Uploads')
    expect(rest).toEqual(common)
    expect(JSON.parse(LOCKSTEP_RULES ?? '')).toEqual(rules)
  })

  test('the dead-letters function finds them too', () => {
    const { LOCKSTEP_RULES, ...rest } = readableEnvironment('DeadLetters')
    expect(rest).toEqual(common)
    expect(JSON.parse(LOCKSTEP_RULES ?? '')).toEqual(rules)
  })
})

describe('event sources', () => {
  const mappings = Object.values(resourcesOf(dev.processing, 'AWS::Lambda::EventSourceMapping')).map(
    ({ Properties: { FunctionName, EventSourceArn, ...rest } }) => ({
      consumer: readableReference(FunctionName),
      queue: readableReference(EventSourceArn),
      ...rest,
    }),
  )

  test('each queue feeds its function at once, in batches of which only the failed part returns', () => {
    const settings = { FunctionResponseTypes: ['ReportBatchItemFailures'], BatchSize: 10 }
    const byQueue = mappings.sort((one, other) => one.queue.localeCompare(other.queue))
    expect(byQueue).toEqual([
      { consumer: 'ProcessingDeadLettersFunction', queue: 'StorageQueuesOperationsDeadLetters', ...settings },
      { consumer: 'ProcessingWorkerFunction', queue: 'StorageQueuesOperationsQueue', ...settings },
      { consumer: 'ProcessingDeadLettersFunction', queue: 'StorageQueuesShardsDeadLetters', ...settings },
      { consumer: 'ProcessingShardsFunction', queue: 'StorageQueuesShardsQueue', ...settings, BatchSize: 1 },
      { consumer: 'ProcessingDeadLettersFunction', queue: 'StorageQueuesUploadsDeadLetters', ...settings },
      { consumer: 'ProcessingUploadsFunction', queue: 'StorageQueuesUploadsQueue', ...settings },
    ])
  })

  test('a message stays hidden a little longer than the function that took it can live', () => {
    expect(mappings).toHaveLength(6)
    for (const { consumer, queue } of mappings) {
      const { Timeout } = resourceOf(dev.processing, 'AWS::Lambda::Function', consumer).Properties
      const { VisibilityTimeout } = resourceOf(dev.storage, 'AWS::SQS::Queue', queue).Properties
      // The lease ends between the two; and no more than needed, since it is what a crash costs.
      const margin = Number(VisibilityTimeout) - Number(Timeout)
      expect(margin).toBeGreaterThan(limits.leaseMarginMs / 1000)
      expect(margin).toBeLessThanOrEqual(10)
    }
  })

  test.each([
    ['Worker', 30],
    ['Shards', 30],
    ['Uploads', 30],
    ['Sweeper', 60],
    ['DeadLetters', 30],
  ])('%s is killed after %d s', (name, seconds) => expect(functionNamed(name)['Timeout']).toBe(seconds))
})

describe('sweeper', () => {
  test('runs every minute, and a sweep that failed is not repeated', () => {
    const { ScheduleExpression, State, Targets } = resourceOf(dev.processing, 'AWS::Events::Rule').Properties
    expect({ ScheduleExpression, State }).toEqual({ ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' })
    const targets = Targets as readonly { readonly Arn: unknown; readonly RetryPolicy: unknown }[]
    expect(targets.map((target) => readableReference(target.Arn))).toEqual(['ProcessingSweeperFunction'])
    const retry = { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 }
    expect(targets[0]?.RetryPolicy).toEqual(retry)
    expect(resourceOf(dev.processing, 'AWS::Lambda::EventInvokeConfig').Properties).toMatchObject(retry)
  })

  test('has an execution of its own in prod, and asks a new account for none in dev', () => {
    expect(functionNamed('Sweeper', prod)['ReservedConcurrentExecutions']).toBe(1)
    expect(functionNamed('Sweeper')).not.toHaveProperty('ReservedConcurrentExecutions')
  })
})

test('the functions can be found by these outputs', () => {
  const outputs = Object.entries(dev.processing.findOutputs('*')).map(([id, output]) => {
    return [id, readableReference(output['Value'])]
  })
  expect(Object.fromEntries(outputs)).toEqual({
    WorkerFunctionName: 'ProcessingWorkerFunction',
    ShardsFunctionName: 'ProcessingShardsFunction',
    UploadsFunctionName: 'ProcessingUploadsFunction',
    SweeperFunctionName: 'ProcessingSweeperFunction',
    DeadLettersFunctionName: 'ProcessingDeadLettersFunction',
  })
})
