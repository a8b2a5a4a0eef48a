import { resolve } from 'node:path'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, LoggingFormat, RecursiveLoop, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { type BundlingOptions, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { StageSettings } from '../stage.ts'
import { type FunctionName, functionTimeouts } from './timings.ts'

const checkout = resolve(import.meta.dirname, '../..')

/**
 * One file per function. The SDK goes into the bundle although Lambda has one: ours is the version that was
 * tested, and with `module` first among the main fields all three clients share their code (487 KB instead of
 * 740 KB), which loads faster than resolving the runtime's copy file by file.
 */
const bundling: BundlingOptions = {
  format: OutputFormat.ESM,
  target: 'node24',
  mainFields: ['module', 'main'],
  bundleAwsSDK: true,
  minify: true,
  // Names of classes and functions survive minification, so that stack traces in the logs can be read without
  // maps.
  keepNames: true,
  // Local esbuild only. Without it CDK would go looking for Docker.
  forceDockerBundling: false,
}

export interface EngineFunctionProps {
  readonly name: FunctionName
  readonly settings: StageSettings
  readonly memorySizeMiB: number
  readonly environment: Readonly<Record<string, string>>
  readonly policy: readonly PolicyStatement[]
  readonly reservedExecutions?: number | undefined
}

/**
 * A function that runs the engine: the code in its folder, its log group, and a role that may do what it is
 * given.
 */
export class EngineFunction extends Construct {
  readonly function: NodejsFunction
  readonly role: Role

  constructor(scope: Construct, id: string, props: EngineFunctionProps) {
    super(scope, id)
    const { name, settings, reservedExecutions } = props
    const logGroup = new LogGroup(this, 'Logs', {
      retention: settings.logRetention,
      removalPolicy: settings.removalPolicy,
    })
    this.role = createRole(this, logGroup, props.policy)
    this.function = new NodejsFunction(this, 'Function', {
      entry: resolve(checkout, 'functions', name, 'handler.ts'),
      projectRoot: checkout,
      depsLockFilePath: resolve(checkout, 'package-lock.json'),
      bundling,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: functionTimeouts[name],
      memorySize: props.memorySizeMiB,
      environment: { ...props.environment },
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // Waking a successor is a message from a function to the queue that feeds it. Lambda takes a line with
      // more than 16 waiters for a runaway loop and would drop it. What bounds us: every hop ends one
      // operation, and chains of rules stop after 8.
      recursiveLoop: RecursiveLoop.ALLOW,
      // An operation crosses queues and waits in lines, so traces of single invocations say little; its id is
      // in every log line instead. The X-Ray SDK is in maintenance, and the permission would be on all
      // resources.
      tracing: Tracing.DISABLED,
      // A switch for SDK version 2; version 3 always reuses connections.
      awsSdkConnectionReuse: false,
      ...(reservedExecutions !== undefined && { reservedConcurrentExecutions: reservedExecutions }),
    })
  }

  /**
   * Feeds the queue's messages to the function as soon as they come. Failed messages return one by one, so
   * that those which succeeded beside them are not run again.
   */
  consume(id: string, queue: Queue, batchSize: number): void {
    this.function.addEventSourceMapping(id, {
      eventSourceArn: queue.queueArn,
      batchSize,
      reportBatchItemFailures: true,
    })
  }
}

/** A role without AWS's managed policy, which would let each function write to the logs of all others. */
function createRole(scope: Construct, logGroup: LogGroup, policy: readonly PolicyStatement[]): Role {
  const role = new Role(scope, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    }),
  )
  for (const statement of policy) role.addToPrincipalPolicy(statement)
  return role
}
