import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { messageOf } from '#domain/message.ts'
import type { MessageQueue, QueueName } from '#ports/message-queue.ts'
import type { Clients } from './clients.ts'
import type { Deployment } from './deployment.ts'
import { asking } from './faults.ts'

/** SQS's limit. */
const longestDelayMs = 900_000

/** Of a parked message: SQS takes 256 KiB with all attributes, and a reason is for people. */
const rejectedBodyChars = 60_000
const reasonChars = 256

/** Characters that SQS refuses, and lone surrogates. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what it is for
const unsendable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

/** Text as SQS takes it: not empty, not too long, no characters that XML cannot hold. */
const sendable = (text: string, longest: number): string =>
  text.toWellFormed().slice(0, longest).toWellFormed().replace(unsendable, '\ufffd') || '(empty)'

/** The queues, on SQS. */
export class AwsMessageQueue implements MessageQueue {
  readonly #clients: Clients
  readonly #urls: Readonly<Record<QueueName | 'rejected', string>>

  constructor(clients: Clients, deployment: Deployment) {
    this.#clients = clients
    this.#urls = {
      operations: deployment.operationsQueueUrl,
      shards: deployment.shardsQueueUrl,
      rejected: deployment.rejectedQueueUrl,
    }
  }

  async send(queue: QueueName, id: string, options: { delayMs?: number } = {}): Promise<void> {
    const { delayMs = 0 } = options
    if (!(delayMs >= 0 && delayMs <= longestDelayMs)) {
      throw new RangeError(`send: got delayMs ${delayMs}, expected 0 to ${longestDelayMs}`)
    }
    // SQS delays by whole seconds: nothing is to be delivered before its time.
    const delaySeconds = Math.ceil(delayMs / 1000)
    const command = new SendMessageCommand({
      QueueUrl: this.#urls[queue],
      MessageBody: messageOf(id),
      ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
    })
    await this.#ask('send', queue, command)
  }

  async reject(body: string, reason: string): Promise<void> {
    const command = new SendMessageCommand({
      QueueUrl: this.#urls.rejected,
      MessageBody: sendable(body, rejectedBodyChars),
      MessageAttributes: { reason: { DataType: 'String', StringValue: sendable(reason, reasonChars) } },
    })
    await this.#ask('reject', 'rejected', command)
  }

  async #ask(call: string, queue: QueueName | 'rejected', command: SendMessageCommand): Promise<void> {
    await asking('queue', `queue ${this.#urls[queue]}`)(call, () => this.#clients.sqs.send(command))
  }
}
