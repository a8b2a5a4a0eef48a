import { Logger } from '@aws-lambda-powertools/logger'
import type { Context } from 'aws-lambda'

export const logger = new Logger({ serviceName: 'lockstep' })

/** What an invocation may take. */
export interface Bounds {
  /** Epoch ms at which the platform kills this sandbox. */
  readonly deadline: number
  /** Aborts just before that, while there is time to end in good order. */
  readonly signal: AbortSignal
}

const lastMomentMs = 3_000

/** The bounds of this invocation, by the platform's own count. */
export const boundsOf = (context: Pick<Context, 'getRemainingTimeInMillis'>): Bounds => {
  const leftMs = context.getRemainingTimeInMillis()
  return { deadline: Date.now() + leftMs, signal: AbortSignal.timeout(Math.max(leftMs - lastMomentMs, 0)) }
}
