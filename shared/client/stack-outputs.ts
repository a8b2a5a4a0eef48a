import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import type { Deployment } from '#aws/deployment.ts'
import { asking, codeOf } from '#aws/faults.ts'
import { LockstepError } from '#domain/errors.ts'
import { errorOfFault } from '#engine/retry.ts'
import { isPortFault, type PortFault } from '#ports/faults.ts'
import type { Connection } from './connection.ts'

/** What the storage stack gives, by the names of `infra/stacks/storage-stack.ts`. */
const outputNames = {
  bucket: 'BucketName',
  linesTable: 'LinesTableName',
  operationsTable: 'OperationsTableName',
  operationsQueueUrl: 'OperationsQueueUrl',
  shardsQueueUrl: 'ShardsQueueUrl',
  rejectedQueueUrl: 'RejectedQueueUrl',
} as const satisfies Record<keyof Deployment, string>

/** A handshake from far away fits; a wrong address must not keep anybody waiting. */
const connectionTimeout = 3_000
const requestTimeout = 10_000

/** Reads the outputs of a deployed storage stack. Throws LockstepError `Unreachable`, `AccessDenied`. */
export const deploymentOfStack = async (stack: string, connection: Connection): Promise<Deployment> => {
  const client = new CloudFormationClient({
    ...connection,
    maxAttempts: 2,
    requestHandler: { connectionTimeout, requestTimeout, throwOnRequestTimeout: true },
  })
  try {
    const region = await regionOf(client, stack)
    const where = `in ${region}${connection.endpoint === undefined ? '' : ` at ${connection.endpoint}`}`
    const outputs = await readOutputs(client, stack, where)
    const missing = Object.values(outputNames).filter((name) => !outputs.has(name))
    if (missing.length > 0) {
      throw noDeployment(
        `the stack ${stack} ${where} has no output ${missing.join(', ')} (no storage stack, or an old one)`,
      )
    }
    const parts = Object.entries(outputNames).map(([part, name]) => [part, outputs.get(name) ?? ''] as const)
    return Object.fromEntries(parts) as Record<keyof Deployment, string>
  } finally {
    client.destroy()
  }
}

const regionOf = async (client: CloudFormationClient, stack: string): Promise<string> => {
  try {
    return await client.config.region()
  } catch (error) {
    throw noDeployment(`no region is known in which to look for the stack ${stack}`, error)
  }
}

const readOutputs = async (
  client: CloudFormationClient,
  stack: string,
  where: string,
): Promise<Map<string, string>> => {
  try {
    const command = new DescribeStacksCommand({ StackName: stack })
    const send = () => client.send(command)
    const { Stacks = [] } = await asking('deployment', `stack ${stack}`)('find', send)
    return new Map(
      Stacks[0]?.Outputs?.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    )
  } catch (error) {
    if (isPortFault(error)) throw notLookedUp(stack, where, error)
    const { cause } = error as Error
    throw codeOf(cause) === 'ValidationError'
      ? noDeployment(`there is no stack ${stack} ${where}`, error)
      : error
  }
}

const notLookedUp = (stack: string, where: string, fault: PortFault): LockstepError => {
  const { code, message } = errorOfFault(fault)
  return new LockstepError(code, `The stack ${stack} ${where} could not be looked up: ${message}`, {
    cause: fault,
  })
}

const noDeployment = (what: string, cause?: unknown): LockstepError =>
  new LockstepError(
    'Unreachable',
    `No deployment of Lockstep was found: ${what}. Nothing else names one, or was asked for ` +
      '(LOCKSTEP_BUCKET and its like, .local/deployment.json here or above). Start one on this machine ' +
      'with `npx lockstep local up`, deploy one with `npx cdk deploy --all`, or say which one with ' +
      '--stage, --region or --endpoint.',
    cause === undefined ? {} : { cause },
  )
