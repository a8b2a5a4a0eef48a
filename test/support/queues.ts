import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs'
import { type Deployed, until } from './deployed.ts'

/** Puts any text into a queue, as something foreign would. */
export const sendRaw = async ({ sqs }: Deployed, queueUrl: string, body: string): Promise<void> => {
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }))
}

/** A message that was set aside, with the reason. */
export interface Rejected {
  readonly body: string
  readonly reason: string
}

/** Takes messages out of the queue `rejected` until those that are wanted are among them, by their body. */
export const rejectedMessages = async (
  { sqs, deployment }: Deployed,
  isWanted: (body: string) => boolean,
  count: number,
): Promise<Rejected[]> => {
  const QueueUrl = deployment.rejectedQueueUrl
  const found: Rejected[] = []
  const take = async ({ Body = '', MessageAttributes, ReceiptHandle }: Message): Promise<void> => {
    if (!isWanted(Body)) return
    found.push({ body: Body, reason: MessageAttributes?.['reason']?.StringValue ?? '' })
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
  }
  return until(`${count} rejected messages`, async () => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
        VisibilityTimeout: 1,
      }),
    )
    for (const message of Messages) await take(message)
    return found.length >= count ? found : undefined
  })
}

/** When all events of this process happened: a repeated event repeats its time too. */
const eventTime = new Date().toISOString()

/** An S3 event as S3 sends it to a queue. */
export const s3Event = (
  ...records: readonly { key: string; sequencer: string; eventName?: string }[]
): string =>
  JSON.stringify({
    Records: records.map(({ key, sequencer, eventName = 'ObjectCreated:Put' }) => ({
      eventSource: 'aws:s3',
      eventName,
      eventTime,
      s3: { object: { key: encodeURIComponent(key).replaceAll('%20', '+'), sequencer } },
    })),
  })

/** Until nothing is in the operations queue, delayed messages included: nobody works any more. */
export const quietOperations = ({ sqs, deployment }: Deployed): Promise<boolean> =>
  until('the operations queue to be empty', async () => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: deployment.operationsQueueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesDelayed',
          'ApproximateNumberOfMessagesNotVisible',
        ],
      }),
    )
    return Object.values(Attributes).every((count) => count === '0') ? true : undefined
  })
