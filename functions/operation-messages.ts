import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import type { AwsPorts } from '#aws/aws-ports.ts'
import { consume, type Handled } from '#engine/consume.ts'
import type { Invocation, RunOutcome } from '#engine/run.ts'
import type { Ports } from '#ports/ports.ts'
import { logger } from './invocation.ts'

/** From an SQS batch to the engine and back to a partial batch response: what is not named in it is deleted. */
export const handleOperationMessages = async (
  ports: AwsPorts,
  event: SQSEvent,
  options: {
    readonly queueUrl: string
    readonly invocation: Invocation
    readonly handle: (ports: Ports, id: string, invocation: Invocation) => Promise<RunOutcome>
  },
): Promise<SQSBatchResponse> => {
  const received = event.Records.map((record) => ({
    receipt: record.messageId,
    body: record.body,
    delivery: ports.delivery(options.queueUrl, record.receiptHandle),
  }))
  const { giveBack, handled } = await consume(ports, received, options.invocation, options.handle)
  for (const entry of handled) log(entry)
  return { batchItemFailures: giveBack.map((itemIdentifier) => ({ itemIdentifier })) }
}

const log = ({ id, receipt, outcome }: Handled): void => {
  const fields = { operationId: id, messageId: receipt, outcome: outcome.kind }
  if (outcome.kind === 'done') logger.info('handled', fields)
  else if (outcome.kind === 'again')
    logger.warn('given back', { ...fields, afterMs: outcome.afterMs, why: outcome.why })
  else logger.error('rejected', { ...fields, reason: outcome.reason })
}
