import { GetQueueAttributesCommand, GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { createClients } from '#aws/clients.ts'
import { asking } from '#aws/faults.ts'
import type { Found } from '#client/index.ts'

export interface QueueCounts {
  /** About as many; SQS promises no more. */
  readonly waiting: number
  readonly hidden: number
  /** In its dead-letter queue; undefined if it has none, or one that may not be read. */
  readonly deadLetters: number | undefined
}

/** How full the queues of a deployment are. Nothing in Lockstep needs to know, so it is no part of a port. */
export class Queues {
  readonly #sqs: SQSClient

  constructor({ connection }: Found) {
    this.#sqs = createClients(connection).sqs
  }

  async counts(url: string): Promise<QueueCounts> {
    const attributes = await this.#attributes(url)
    return {
      waiting: Number(attributes.get('ApproximateNumberOfMessages') ?? 0),
      hidden: Number(attributes.get('ApproximateNumberOfMessagesNotVisible') ?? 0),
      deadLetters: await this.#deadLetters(attributes.get('RedrivePolicy')),
    }
  }

  async #attributes(url: string): Promise<Map<string, string>> {
    const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] })
    const { Attributes = {} } = await asking('queue', `queue ${url}`)('count', () => this.#sqs.send(command))
    return new Map(Object.entries(Attributes))
  }

  async #deadLetters(policy: string | undefined): Promise<number | undefined> {
    const name = deadLetterNameIn(policy)
    if (name === undefined) return undefined
    try {
      const { QueueUrl } = await this.#sqs.send(new GetQueueUrlCommand({ QueueName: name }))
      const attributes = await this.#attributes(QueueUrl ?? '')
      return Number(attributes.get('ApproximateNumberOfMessages') ?? 0)
    } catch {
      // Whoever may submit need not be allowed to look there.
      return undefined
    }
  }
}

/** The last part of the ARN. */
const deadLetterNameIn = (policy: string | undefined): string | undefined => {
  if (policy === undefined) return undefined
  const { deadLetterTargetArn } = JSON.parse(policy) as { deadLetterTargetArn?: string }
  return deadLetterTargetArn?.split(':').at(-1)
}
