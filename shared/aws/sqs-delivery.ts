import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs'
import type { Delivery } from '#ports/message-queue.ts'
import type { Clients } from './clients.ts'
import { asking, codeOf } from './faults.ts'

/** SQS's limit: 12 hours from the first receive. */
const longestSeconds = 43_200

/**
 * The receipt is not valid any more: the message was hidden too long ago and is visible, or was received,
 * again.
 */
const overdue = new Set(['MessageNotInflight', 'ReceiptHandleIsInvalid', 'InvalidParameterValue'])

/** The message that a function is handling, known by its receipt. */
export const sqsDelivery = (clients: Clients, queueUrl: string, receiptHandle: string): Delivery => ({
  async postpone(ms) {
    const seconds = Math.min(Math.max(Math.ceil(ms / 1000), 0), longestSeconds)
    const command = new ChangeMessageVisibilityCommand({
      QueueUrl: queueUrl,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    })
    await asking('delivery', `queue ${queueUrl}`)('postpone', async () => {
      try {
        await clients.sqs.send(command)
      } catch (error) {
        // Then it is delivered again by itself, which is what postponing is for.
        if (!overdue.has(codeOf(error))) throw error
      }
    })
  },
})
