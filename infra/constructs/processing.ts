import { Rule as EventRule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { Construct } from 'constructs'
import type { Rule } from '#domain/rule.ts'
import { serializeRules } from '../rules.ts'
import type { StageSettings } from '../stage.ts'
import { EngineFunction } from './engine-function.ts'
import { objectWildcards, policyStatements } from './grants.ts'
import { acknowledgeObjectWildcards } from './object-wildcards.ts'
import type { Storage } from './storage.ts'
import { type FunctionName, sweepInterval } from './timings.ts'

/**
 * Operations and events are small and mostly wait for S3 and DynamoDB, so that a function works on ten side
 * by side. A shard is bound by bandwidth and gets a sandbox of its own.
 */
const batchSizes = { operations: 10, shards: 1, uploads: 10, deadLetters: 10 }

/** Processor and network share grow with memory: most for those that move bytes. */
const memorySizesMiB: Readonly<Record<FunctionName, number>> = {
  worker: 512,
  shards: 1024,
  uploads: 256,
  sweeper: 256,
  'dead-letters': 512,
}

export interface ProcessingProps {
  readonly settings: StageSettings
  readonly rules: readonly Rule[]
  readonly storage: Storage
}

/** Everything that runs: the functions, what feeds them, and what they may do. */
export class Processing extends Construct {
  readonly worker: EngineFunction
  readonly shards: EngineFunction
  readonly uploads: EngineFunction
  readonly sweeper: EngineFunction
  readonly deadLetters: EngineFunction

  constructor(scope: Construct, id: string, props: ProcessingProps) {
    super(scope, id)
    const { operations, shards, uploads } = props.storage.queues
    this.worker = this.create('Worker', 'worker', props)
    this.shards = this.create('Shards', 'shards', props)
    const rules = { LOCKSTEP_RULES: serializeRules(props.rules) }
    this.uploads = this.create('Uploads', 'uploads', props, rules)
    this.sweeper = this.create('Sweeper', 'sweeper', props)
    // An upload that ended here is a file that nobody has seen to: it is judged by the rules there.
    this.deadLetters = this.create('DeadLetters', 'dead-letters', props, rules)

    this.worker.consume('Operations', operations.queue, batchSizes.operations)
    this.shards.consume('Shards', shards.queue, batchSizes.shards)
    this.uploads.consume('Uploads', uploads.queue, batchSizes.uploads)
    this.deadLetters.consume('Operations', operations.deadLetters, batchSizes.deadLetters)
    this.deadLetters.consume('Shards', shards.deadLetters, batchSizes.deadLetters)
    this.deadLetters.consume('Uploads', uploads.deadLetters, batchSizes.deadLetters)
    this.scheduleSweeps()
  }

  private create(
    id: string,
    name: FunctionName,
    { settings, storage }: ProcessingProps,
    environment: Readonly<Record<string, string>> = {},
  ): EngineFunction {
    const engine = new EngineFunction(this, id, {
      name,
      settings,
      memorySizeMiB: memorySizesMiB[name],
      environment: { ...commonEnvironment(storage), ...environment },
      policy: policyStatements(name, storage),
      ...(name === 'sweeper' && { reservedExecutions: settings.sweeperReservedExecutions }),
    })
    acknowledgeObjectWildcards(engine.role, storage.files.bucket, objectWildcards(name))
    return engine
  }

  /** A sweep that failed or came late is not repeated: the next one does its work. */
  private scheduleSweeps(): void {
    this.sweeper.function.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: sweepInterval })
    new EventRule(this, 'EveryMinute', {
      schedule: Schedule.rate(sweepInterval),
      targets: [new LambdaFunction(this.sweeper.function, { retryAttempts: 0, maxEventAge: sweepInterval })],
    })
  }
}

/** What every function finds in its environment; it fails its cold start if one is missing. */
function commonEnvironment({ files, tables, queues }: Storage): Record<string, string> {
  return {
    LOCKSTEP_BUCKET: files.bucket.bucketName,
    LOCKSTEP_LINES_TABLE: tables.lines.tableName,
    LOCKSTEP_OPERATIONS_TABLE: tables.operations.tableName,
    LOCKSTEP_OPERATIONS_QUEUE_URL: queues.operations.queue.queueUrl,
    LOCKSTEP_SHARDS_QUEUE_URL: queues.shards.queue.queueUrl,
    LOCKSTEP_REJECTED_QUEUE_URL: queues.rejected.queueUrl,
  }
}
