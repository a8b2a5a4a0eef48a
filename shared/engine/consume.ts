import { parseMessage } from '#domain/message.ts'
import type { Delivery } from '#ports/message-queue.ts'
import type { Ports } from '#ports/ports.ts'
import type { Invocation, RunOutcome } from './run.ts'

/** A message as its queue delivered it. */
export interface Received {
  /** The queue's own id of this delivery, given back in {@link consume}'s answer. */
  readonly receipt: string
  readonly body: string
  readonly delivery: Delivery
}

/** For the log: one entry per message. */
export interface Handled {
  readonly receipt: string
  readonly id: string | undefined
  readonly outcome: RunOutcome
}

/** SQS hides a message for at most 12 hours. */
const longestPostponeMs = 12 * 3_600_000

/**
 * Handles a batch, every message on its own: one that fails never stops the others. Answers the receipts of those to be
 * given back (all others may be deleted). Corrupt and foreign messages are parked in `rejected` with the reason.
 */
export const consume = async (
  ports: Ports,
  messages: readonly Received[],
  invocation: Invocation,
  handle: (ports: Ports, id: string, invocation: Invocation) => Promise<RunOutcome>,
): Promise<{ giveBack: string[]; handled: Handled[] }> => {
  const handled = await Promise.all(messages.map((message) => consumeOne(ports, message, invocation, handle)))
  const giveBack = handled.filter(({ outcome }) => outcome.kind === 'again').map(({ receipt }) => receipt)
  return { giveBack, handled }
}

const consumeOne = async (
  ports: Ports,
  { receipt, body, delivery }: Received,
  invocation: Invocation,
  handle: (ports: Ports, id: string, invocation: Invocation) => Promise<RunOutcome>,
): Promise<Handled> => {
  const parsed = parseMessage(body)
  const id = 'message' in parsed ? parsed.message.id : undefined
  try {
    const outcome: RunOutcome =
      'message' in parsed
        ? await handle(ports, parsed.message.id, invocation)
        : { kind: 'foreign', reason: parsed.reason }
    if (outcome.kind === 'foreign') await ports.queue.reject(body, outcome.reason)
    if (outcome.kind === 'again')
      await delivery.postpone(Math.min(Math.max(outcome.afterMs, 0), longestPostponeMs))
    return { receipt, id, outcome }
  } catch (error) {
    // Whatever went wrong, the message is not lost: its visibility timeout brings it back.
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return { receipt, id, outcome: { kind: 'again', afterMs: 0, why } }
  }
}
