import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import type { Rule } from '#domain/rule.ts'
import { receiveArrivals } from '#engine/arrive.ts'
import type { Ports } from '#ports/ports.ts'
import { logger } from './invocation.ts'

/** From a batch of S3 events to the engine: each message on its own; a fault gives only its own message back. */
export const handleArrivals = async (
  ports: Ports,
  rules: readonly Rule[],
  event: SQSEvent,
): Promise<SQSBatchResponse> => {
  const failed = await Promise.all(event.Records.map((record) => handleOne(ports, rules, record)))
  return { batchItemFailures: failed.flatMap((id) => (id === undefined ? [] : [{ itemIdentifier: id }])) }
}

/** The id of the message if it is to be given back. */
export const handleOne = async (
  ports: Ports,
  rules: readonly Rule[],
  { messageId, body }: Pick<SQSRecord, 'messageId' | 'body'>,
): Promise<string | undefined> => {
  try {
    for (const outcome of await receiveArrivals(ports, rules, body))
      logger.info('arrival', { messageId, ...outcome })
    return undefined
  } catch (error) {
    logger.error('arrival failed, given back', { messageId, error: error as Error })
    return messageId
  }
}
