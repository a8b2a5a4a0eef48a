import { CfnOutput, Stack } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { Rule } from '#domain/rule.ts'
import { Storage } from '../constructs/storage.ts'
import type { StageSettings } from '../stage.ts'

export interface StorageStackProps {
  readonly settings: StageSettings
  readonly rules: readonly Rule[]
}

/**
 * Bucket, tables and queues: what must survive. Apart from the functions, so that replacing those can never
 * touch it. The names of its outputs are how clients find a deployment.
 */
export class StorageStack extends Stack {
  readonly storage: Storage

  constructor(scope: Construct, id: string, props: StorageStackProps) {
    super(scope, id, {
      description: 'Lockstep: files bucket, lines, operations and queues',
      terminationProtection: props.settings.deletionProtection,
    })
    this.storage = new Storage(this, 'Storage', props)
    const { files, tables, queues } = this.storage
    const outputs = {
      BucketName: files.bucket.bucketName,
      LinesTableName: tables.lines.tableName,
      OperationsTableName: tables.operations.tableName,
      OperationsQueueUrl: queues.operations.queue.queueUrl,
      ShardsQueueUrl: queues.shards.queue.queueUrl,
      UploadsQueueUrl: queues.uploads.queue.queueUrl,
      RejectedQueueUrl: queues.rejected.queueUrl,
    }
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value })
  }
}
