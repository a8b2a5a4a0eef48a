import { Duration, Validations } from 'aws-cdk-lib'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  CfnBucket,
  type LifecycleRule,
} from 'aws-cdk-lib/aws-s3'
import { CfnQueuePolicy, type Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct, type IConstruct } from 'constructs'
import { limits } from '#domain/limits.ts'
import { stagingKey } from '#domain/path.ts'
import type { Rule } from '#domain/rule.ts'
import type { StageSettings } from '../stage.ts'
import { watchedPrefixes } from './watched-prefixes.ts'

/** Two days more than an operation may live, so that nothing in use is ever swept away by rule. */
const abandonedAfter = Duration.millis(limits.operationLifeMs).plus(Duration.days(2))

export interface FilesBucketProps {
  readonly settings: StageSettings
  readonly rules: readonly Rule[]
  /** Where uploads under the watched prefixes are announced. Its policy must admit S3. */
  readonly uploads: Queue
}

/** The users' files, plain objects whose key is the path, and Lockstep's own under `.lockstep/`. */
export class FilesBucket extends Construct {
  readonly bucket: Bucket

  constructor(scope: Construct, id: string, props: FilesBucketProps) {
    super(scope, id)
    const { removalPolicy, versioned } = props.settings
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      versioned,
      lifecycleRules: lifecycleRules(versioned),
      removalPolicy,
    })
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Every change made through Lockstep is on record in the Operations table, under the id that ' +
        "the object carries. Access logs of the whole bucket are the owner's choice: CloudTrail data " +
        'events give them without a second bucket.',
    })
    announceUploads(this.bucket, props.uploads, watchedPrefixes(props.rules))
  }
}

function lifecycleRules(versioned: boolean): LifecycleRule[] {
  return [
    { id: 'abort-abandoned-uploads', abortIncompleteMultipartUploadAfter: abandonedAfter },
    {
      id: 'expire-staging',
      // Bodies of large appends that wait for their turn.
      prefix: stagingKey(''),
      expiration: abandonedAfter,
      // With versions, an expired body would live on as an old version that nobody can need.
      ...(versioned && { noncurrentVersionExpiration: Duration.days(1) }),
    },
  ]
}

/**
 * Set on the resource itself: `bucket.addEventNotification` would bring a function of its own, written in
 * Python, and emulators do not run it.
 */
function announceUploads(bucket: Bucket, queue: Queue, prefixes: readonly string[]): void {
  if (prefixes.length === 0) return
  const resource = defaultChild(bucket, CfnBucket)
  resource.notificationConfiguration = {
    queueConfigurations: prefixes.map((prefix) => ({
      event: 's3:ObjectCreated:*',
      queue: queue.queueArn,
      // S3 has no empty prefix filter: the whole bucket is announced by leaving the filter out.
      ...(prefix !== '' && { filter: { s3Key: { rules: [{ name: 'prefix', value: prefix }] } } }),
    })),
  }
  // S3 sends a test message when it is given the configuration, and refuses it if the queue does not let it.
  resource.addResourceDependency(defaultChild(queue.node.findChild('Policy'), CfnQueuePolicy))
}

/** The resource behind a construct, where only that has the setting we need. */
function defaultChild<T extends Construct>(of: IConstruct, type: new (...args: never) => T): T {
  const child = of.node.defaultChild
  if (child instanceof type) return child
  throw new TypeError(`${of.node.path} has no ${type.name} inside, expected one`)
}
