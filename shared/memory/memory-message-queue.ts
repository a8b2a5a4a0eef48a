import { messageOf } from '#domain/message.ts'
import type { Clock } from '#ports/clock.ts'
import type { Delivery, MessageQueue, QueueName } from '#ports/message-queue.ts'
import { type Turn, yieldOnce } from './memory-tables.ts'

/** One receive of one message. Calls on it count only until the message is received again or deleted. */
export interface MemoryDelivery extends Delivery {
  readonly messageId: string
  readonly body: string
  /** 1 for the first. */
  readonly receiveCount: number
  delete(): Promise<void>
}

/** A message as its queue holds it. */
export interface QueuedMessage {
  readonly messageId: string
  readonly body: string
  readonly receiveCount: number
  /** Epoch ms. */
  readonly visibleAt: number
}

export interface QueueOptions {
  readonly clock: Clock
  readonly turn?: Turn
  /** How long a received message stays hidden. Default: 45 s. */
  readonly visibilityMs?: number
  /** After this many receives, a message that becomes visible again is dead. Default: 10. */
  readonly maxReceives?: number
}

const sqsMaxDelayMs = 900_000
const defaultVisibilityMs = 45_000
const defaultMaxReceives = 10
const reasonChars = 256

/** What SQS refuses in a message or an attribute: all that XML 1.0 cannot carry. */
const unsendable = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

/** One standard queue: nothing about the order is promised, so the consumer may pick any visible message. */
export class MemoryQueue {
  readonly #clock: Clock
  readonly #turn: Turn
  readonly #visibilityMs: number
  readonly #maxReceives: number
  readonly #messages = new Map<string, QueuedMessage>()
  readonly #dead: string[] = []
  #count = 0

  constructor(options: QueueOptions) {
    this.#clock = options.clock
    this.#turn = options.turn ?? yieldOnce
    this.#visibilityMs = options.visibilityMs ?? defaultVisibilityMs
    this.#maxReceives = options.maxReceives ?? defaultMaxReceives
  }

  /** Adds a message and returns its id. */
  push(body: string, delayMs = 0): string {
    this.#count += 1
    const messageId = `message-${this.#count}`
    this.#messages.set(messageId, {
      messageId,
      body,
      receiveCount: 0,
      visibleAt: this.#clock.now() + delayMs,
    })
    return messageId
  }

  /** All messages that are neither deleted nor dead, hidden ones included. */
  all(): QueuedMessage[] {
    this.#bury()
    return [...this.#messages.values()]
  }

  /** Those that could be received now. */
  visible(): QueuedMessage[] {
    return this.all().filter((message) => message.visibleAt <= this.#clock.now())
  }

  /** When the next hidden message becomes visible, epoch ms; undefined if none is hidden. */
  get nextVisibleAt(): number | undefined {
    const times = this.all().flatMap(({ visibleAt }) => (visibleAt > this.#clock.now() ? [visibleAt] : []))
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** Receives that visible message (default: the oldest) and hides it; undefined if there is none. */
  receive(messageId?: string): MemoryDelivery | undefined {
    const message = this.visible().find(
      (candidate) => messageId === undefined || candidate.messageId === messageId,
    )
    if (message === undefined) return undefined
    const { body, receiveCount } = message
    const received = {
      ...message,
      receiveCount: receiveCount + 1,
      visibleAt: this.#clock.now() + this.#visibilityMs,
    }
    this.#messages.set(message.messageId, received)
    return this.#delivery(message.messageId, body, received.receiveCount)
  }

  /**
   * Delivers a message once more, whatever became of the first: SQS is at-least-once. Returns the twin's id.
   */
  duplicate(messageId: string): string | undefined {
    const message = this.#messages.get(messageId)
    return message === undefined ? undefined : this.push(message.body)
  }

  /** Bodies of the messages that were received too often, oldest first. */
  get dead(): readonly string[] {
    this.#bury()
    return this.#dead
  }

  /** Takes the oldest dead message, for the consumer of the dead-letter queue. */
  takeDead(): string | undefined {
    this.#bury()
    return this.#dead.shift()
  }

  #delivery(messageId: string, body: string, receiveCount: number): MemoryDelivery {
    const isCurrent = (): boolean => this.#messages.get(messageId)?.receiveCount === receiveCount
    return {
      messageId,
      body,
      receiveCount,
      postpone: async (ms) => {
        await this.#turn()
        const message = this.#messages.get(messageId)
        if (message === undefined || !isCurrent()) return
        this.#messages.set(messageId, { ...message, visibleAt: this.#clock.now() + ms })
      },
      delete: async () => {
        await this.#turn()
        if (isCurrent()) this.#messages.delete(messageId)
      },
    }
  }

  #bury(): void {
    for (const { messageId, body, receiveCount, visibleAt } of this.#messages.values()) {
      if (receiveCount < this.#maxReceives || visibleAt > this.#clock.now()) continue
      this.#messages.delete(messageId)
      this.#dead.push(body)
    }
  }
}

/**
 * The queues in memory. Nothing is delivered by itself: a test, or the simulation, receives from {@link
 * MemoryQueue}.
 */
export class MemoryMessageQueue implements MessageQueue {
  readonly queues: Readonly<Record<QueueName, MemoryQueue>>
  /** What was parked by {@link reject}, oldest first. */
  readonly rejected: { readonly body: string; readonly reason: string }[] = []
  readonly #turn: Turn

  constructor(options: QueueOptions) {
    this.#turn = options.turn ?? yieldOnce
    this.queues = { operations: new MemoryQueue(options), shards: new MemoryQueue(options) }
  }

  async send(queue: QueueName, id: string, options: { delayMs?: number } = {}): Promise<void> {
    const { delayMs = 0 } = options
    if (!(delayMs >= 0 && delayMs <= sqsMaxDelayMs)) {
      throw new RangeError(`send: got delayMs ${delayMs}, expected 0 to ${sqsMaxDelayMs}`)
    }
    await this.#turn()
    this.queues[queue].push(messageOf(id), wholeSecondsUp(delayMs))
  }

  async reject(body: string, reason: string): Promise<void> {
    await this.#turn()
    const carried = reason.replace(unsendable, '\ufffd').slice(0, reasonChars)
    this.rejected.push({ body, reason: carried === '' ? 'unknown' : carried })
  }
}

/** SQS delays by whole seconds; rounded up, so that nothing is delivered before its time. */
const wholeSecondsUp = (ms: number): number => Math.ceil(ms / 1000) * 1000
