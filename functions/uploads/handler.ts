import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { awsPorts } from '#aws/aws-ports.ts'
import { deploymentFromEnvironment } from '#aws/deployment.ts'
import { parseRules } from '#domain/rule.ts'
import { handleArrivals } from '../arrival-messages.ts'

const ports = awsPorts(deploymentFromEnvironment(process.env))
const rules = parseRules(process.env['LOCKSTEP_RULES'])

/** Turns files that any S3 tool has put under a watched prefix into operations, by the rules of the deployment. */
export const handler = (event: SQSEvent): Promise<SQSBatchResponse> => handleArrivals(ports, rules, event)
