import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { awsPorts } from '#aws/aws-ports.ts'
import { deploymentFromEnvironment } from '#aws/deployment.ts'
import { parseMessage } from '#domain/message.ts'
import { parseRules } from '#domain/rule.ts'
import { handleDeadLetter } from '#engine/dead-letter.ts'
import type { RunOutcome } from '#engine/run.ts'
import { handleOne } from '../arrival-messages.ts'
import { type Bounds, boundsOf, logger } from '../invocation.ts'

const ports = awsPorts(deploymentFromEnvironment(process.env))
const rules = parseRules(process.env['LOCKSTEP_RULES'])

/**
 * Takes what was received more often than its queue allows, from all three queues. What it cannot handle either stays in
 * its dead-letter queue, and is tried again when it becomes visible.
 */
export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const bounds = boundsOf(context)
  const failed = await Promise.all(event.Records.map((record) => handleMessage(record, bounds)))
  return { batchItemFailures: failed.flatMap((id) => (id === undefined ? [] : [{ itemIdentifier: id }])) }
}

const handleMessage = async (record: SQSRecord, bounds: Bounds): Promise<string | undefined> => {
  const parsed = parseMessage(record.body)
  if (!('message' in parsed)) return handleOne(ports, rules, record) // an S3 event, or neither: it judges that, too
  const { id } = parsed.message
  try {
    const outcome = await handleDeadLetter(ports, id, bounds)
    return await concluded(record, id, outcome)
  } catch (error) {
    logger.error('dead letter failed, kept', { operationId: id, error: error as Error })
    return record.messageId
  }
}

const concluded = async (record: SQSRecord, id: string, outcome: RunOutcome): Promise<string | undefined> => {
  logger.info('dead letter', { operationId: id, ...outcome })
  if (outcome.kind === 'foreign') await ports.queue.reject(record.body, outcome.reason)
  return outcome.kind === 'again' ? record.messageId : undefined
}
