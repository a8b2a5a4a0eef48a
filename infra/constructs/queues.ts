import { Aws, Duration, Validations } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { limits } from '#domain/limits.ts'
import { type FunctionName, visibilityTimeout } from './timings.ts'

/** SQS's maximum: twice the time that an operation may live, since a dead letter keeps the age it had. */
const retentionPeriod = Duration.days(14)

/**
 * Receives before a message is set aside. Whether an operation is exhausted is decided by its recorded
 * attempts, never by this count, which also grows when a message is given back because a lease is alive, or
 * when Lambda is throttled. So it lies above the attempts, and the engine has had its say by then: what gets
 * here kills whoever reads it, or was given back often, and the dead-letters function looks at each.
 */
const maxReceiveCount = limits.tries + 2

/** A queue with a consumer, and the queue for what that consumer failed on again and again. */
export class ConsumedQueue extends Construct {
  readonly queue: Queue
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, props: { readonly consumer: FunctionName }) {
    super(scope, id)
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod,
      visibilityTimeout: visibilityTimeout('dead-letters'),
    })
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod,
      visibilityTimeout: visibilityTimeout(props.consumer),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount },
    })
  }
}

/**
 * All queues. Standard ones: the order comes from the lines, so the queues need not give it, and they are
 * faster and never blocked by one busy group.
 */
export class Queues extends Construct {
  readonly operations: ConsumedQueue
  readonly shards: ConsumedQueue
  readonly uploads: ConsumedQueue
  /**
   * Corrupt and foreign messages, each with the reason as an attribute. Nobody consumes it: it is read by
   * people.
   */
  readonly rejected: Queue

  constructor(scope: Construct, id: string) {
    super(scope, id)
    this.operations = new ConsumedQueue(this, 'Operations', { consumer: 'worker' })
    this.shards = new ConsumedQueue(this, 'Shards', { consumer: 'shards' })
    this.uploads = new ConsumedQueue(this, 'Uploads', { consumer: 'uploads' })
    this.rejected = new Queue(this, 'Rejected', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod,
    })
    Validations.of(this.rejected).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It has no consumer that could fail, so that nothing could ever reach a dead-letter queue.',
    })
    this.admitUploadEvents()
  }

  /**
   * Lets the buckets of this account announce uploads. The policy names the account and not the bucket: S3
   * checks it when the bucket is created, so that a policy that waits for the bucket's name would be a cycle.
   */
  private admitUploadEvents(): void {
    const { queue } = this.uploads
    queue.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('s3.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [queue.queueArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    )
  }
}
