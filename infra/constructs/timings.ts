import { Duration } from 'aws-cdk-lib'
import { limits } from '#domain/limits.ts'

/**
 * How long each function may run, and how long a message it took stays hidden. The order below is what makes
 * a takeover safe (docs: the lease):
 *
 *     message taken            function killed   lease ends    message visible again
 *     |------------- timeout --------|---- some seconds ---|---------|
 *     |------------------------ visibility --------------------------|
 *
 * The lease outlives the sandbox, so whoever takes over meets no living worker; the message outlasts the
 * lease, so whoever gets it again need not give it back once more.
 */

/** The cloud functions, named like their folders. */
export type FunctionName = 'worker' | 'shards' | 'uploads' | 'sweeper' | 'dead-letters'

/**
 * The worker's is short, since it is what a crash costs everybody who waits on the same file. What is planned
 * to take longer than 10 s goes to the shards function in steps that each fit there. A sweep must be over
 * when the next is due.
 */
export const functionTimeouts: Readonly<Record<FunctionName, Duration>> = {
  worker: Duration.seconds(30),
  shards: Duration.seconds(30),
  uploads: Duration.seconds(30),
  sweeper: Duration.seconds(60),
  'dead-letters': Duration.seconds(30),
}

/** How often the sweeper looks for what was left behind. EventBridge knows nothing shorter. */
export const sweepInterval = Duration.minutes(1)

/** The lease's margin and some seconds more, since a poller may hold a message before it calls a function. */
const visibilityMargin = Duration.millis(limits.leaseMarginMs).plus(Duration.seconds(6))

/** How long a message stays hidden from others once the given function has taken it. */
export function visibilityTimeout(consumer: FunctionName): Duration {
  return functionTimeouts[consumer].plus(visibilityMargin)
}
