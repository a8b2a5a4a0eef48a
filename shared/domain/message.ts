import * as z from 'zod/mini'
import { isOperationId } from './identifier.ts'

/** What travels through the `operations` and `shards` queues: a nudge to look at one operation. Never truth, never order. */
export interface OperationMessage {
  readonly v: 1
  readonly id: string
}

const schema = z.strictObject({ v: z.literal(1), id: z.string().check(z.refine(isOperationId)) })

/** The message of `id`, as sent. */
export const messageOf = (id: string): string => JSON.stringify({ v: 1, id } satisfies OperationMessage)

/** The message in `body`, or the reason why it is not one (corrupt or foreign: it goes to the `rejected` queue). */
export const parseMessage = (body: string): { message: OperationMessage } | { reason: string } => {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return { reason: 'not JSON' }
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { message: parsed.data }
  const issue = parsed.error.issues[0]
  return {
    reason: `not an operation message: ${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'unknown'}`,
  }
}
