export type QueueName = 'operations' | 'shards'

/**
 * At-least-once, unordered, possibly late: whatever is sent may be delivered many times and in any order.
 * A send that fails with `unanswered` may have been taken; sending again is always harmless.
 */
export interface MessageQueue {
  /** Sends the nudge of one operation. `delayMs` (0 to 900,000): not delivered before. */
  send(queue: QueueName, id: string, options?: { delayMs?: number }): Promise<void>
  /**
   * Parks a message that is corrupt or foreign where nobody consumes it, with the reason as an attribute: cut
   * at 256 characters, and without the control characters that SQS refuses (the reason may quote foreign
   * input).
   */
  reject(body: string, reason: string): Promise<void>
}

/** What a consumer may do with the very message it is handling, besides finishing it. */
export interface Delivery {
  /**
   * Keeps the message hidden for `ms` from now, before it is delivered again. Used when giving it back. No
   * effect once this delivery is over.
   */
  postpone(ms: number): Promise<void>
}
