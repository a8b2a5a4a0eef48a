import type { Context, ScheduledEvent } from 'aws-lambda'
import { awsPorts } from '#aws/aws-ports.ts'
import { deploymentFromEnvironment } from '#aws/deployment.ts'
import { sweep } from '#engine/sweep.ts'
import { boundsOf, logger } from '../invocation.ts'

const ports = awsPorts(deploymentFromEnvironment(process.env))

/** Time kept at the end, so that the last looks end in good order. */
const reserveMs = 5_000

/** Every minute: does what somebody who died should have done. */
export const handler = async (_event: ScheduledEvent, context: Context): Promise<void> => {
  const { deadline } = boundsOf(context)
  logger.info('swept', { ...(await sweep(ports, { deadline: deadline - reserveMs })) })
}
