import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { awsPorts } from '#aws/aws-ports.ts'
import { deploymentFromEnvironment } from '#aws/deployment.ts'
import { run } from '#engine/run.ts'
import { boundsOf } from '../invocation.ts'
import { handleOperationMessages } from '../operation-messages.ts'

const deployment = deploymentFromEnvironment(process.env)
const ports = awsPorts(deployment)

/** Runs large operations, one shard per invocation: about ten seconds of work, saved, and sent on. */
export const handler = (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
  handleOperationMessages(ports, event, {
    queueUrl: deployment.shardsQueueUrl,
    invocation: { lane: 'shards', ...boundsOf(context) },
    handle: run,
  })
