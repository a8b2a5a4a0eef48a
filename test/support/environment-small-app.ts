import { App, CfnOutput, Stack } from 'aws-cdk-lib'
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { Queue } from 'aws-cdk-lib/aws-sqs'

/**
 * Stands for the stacks where only their outputs matter: deployed in seconds, and it breaks with nothing
 * else.
 */
const stack = new Stack(new App(), 'LockstepStorage-dev')

const output = (name: string, value: string) => new CfnOutput(stack, name, { value })
const partitionKey = { name: 'id', type: AttributeType.STRING }

output('BucketName', new Bucket(stack, 'Files').bucketName)
for (const name of ['Lines', 'Operations']) {
  output(`${name}TableName`, new Table(stack, name, { partitionKey }).tableName)
}
for (const name of ['Operations', 'Shards', 'Uploads', 'Rejected']) {
  output(`${name}QueueUrl`, new Queue(stack, `${name}Queue`).queueUrl)
}
