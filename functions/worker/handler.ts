import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { awsPorts } from '#aws/aws-ports.ts'
import { deploymentFromEnvironment } from '#aws/deployment.ts'
import { run } from '#engine/run.ts'
import { boundsOf } from '../invocation.ts'
import { handleOperationMessages } from '../operation-messages.ts'

// At module load, so that a wrong variable fails the cold start and not the first message.
const deployment = deploymentFromEnvironment(process.env)
const ports = awsPorts(deployment)

/** Runs the operations whose messages arrive: the small ones whole, the large ones up to their hand-over. */
export const handler = (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
  handleOperationMessages(ports, event, {
    queueUrl: deployment.operationsQueueUrl,
    invocation: { lane: 'operations', ...boundsOf(context) },
    handle: run,
  })
