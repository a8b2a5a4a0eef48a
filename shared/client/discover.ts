import { type Deployment, deploymentFromEnvironment, MissingVariables } from '#aws/deployment.ts'
import { LockstepError } from '#domain/errors.ts'
import type { Connection, Credentials } from './connection.ts'
import { findLocalDeployment } from './local-deployment.ts'

/** Which deployment to use. All of it may be left out: see {@link discover}. */
export interface DeploymentOptions extends Partial<Deployment> {
  /** Name of the storage stack, whose outputs name the parts. Default: `LockstepStorage-<stage>`. */
  readonly stack?: string | undefined
  /** Default: `LOCKSTEP_STAGE`, or `dev`. */
  readonly stage?: string | undefined
  /** Of an emulator. `AWS_ENDPOINT_URL` does the same. */
  readonly endpoint?: string | undefined
  readonly region?: string | undefined
  /** Default: as the AWS SDK finds them. */
  readonly credentials?: Credentials | undefined
  /** From where upwards to look for `.local/deployment.json`. Default: the working directory. */
  readonly directories?: readonly string[] | undefined
}

/** A deployment, and how it was found: both for `doctor` and for messages when it does not answer. */
export interface Found {
  readonly source: 'options' | 'environment' | 'local' | 'stack'
  readonly deployment: Deployment
  readonly connection: Connection
  /** "the local environment (/home/me/lockstep/.local/deployment.json)". */
  readonly origin: string
  /** What to do if it cannot be reached: a whole sentence. */
  readonly remedy: string
}

type Environment = Readonly<Record<string, string | undefined>>

const parts = [
  'bucket',
  'linesTable',
  'operationsTable',
  'operationsQueueUrl',
  'shardsQueueUrl',
  'rejectedQueueUrl',
] as const satisfies readonly (keyof Deployment)[]

/**
 * Finds the deployment by the first of these that says something:
 *
 *   1. its parts by name in `options`
 *   2. the variables `LOCKSTEP_BUCKET`, `LOCKSTEP_LINES_TABLE`, ...
 *   3. the local environment: `.local/deployment.json` in this directory or one above
 *   4. the outputs of its storage stack, from CloudFormation
 *
 * Naming a stack, a stage or an endpoint says that another than 2 or 3 is meant (but variables go with an
 * endpoint). Throws LockstepError `InvalidArgument`, `Unreachable` (what was looked for, and where),
 * `AccessDenied`.
 */
export const discover = async (
  options: DeploymentOptions,
  environment: Environment = process.env,
): Promise<Found> => {
  const named = parts.filter((part) => options[part] !== undefined)
  if (named.length > 0) return fromOptions(options, environment)
  const stackMeant = options.stack !== undefined || options.stage !== undefined
  if (!stackMeant && environment['LOCKSTEP_BUCKET']) return fromEnvironment(options, environment)
  const endpoint = options.endpoint ?? environment['AWS_ENDPOINT_URL']
  if (!stackMeant && endpoint === undefined && !environment['LOCKSTEP_STAGE']) {
    const local = fromLocal(options)
    if (local !== undefined) return local
  }
  const stage = options.stage ?? (environment['LOCKSTEP_STAGE'] || 'dev')
  const { deploymentOfStack } = await import('./stack-outputs.ts')
  const stack = options.stack ?? `LockstepStorage-${stage}`
  const connection = connectionOf(options, environment)
  return {
    source: 'stack',
    deployment: await deploymentOfStack(stack, connection),
    connection,
    origin: `the outputs of the stack ${stack}`,
    remedy: 'Check the region, the credentials and that the stack is deployed there; see `lockstep doctor`.',
  }
}

const fromOptions = (options: DeploymentOptions, environment: Environment): Found => {
  const missing = parts.filter((part) => !options[part])
  if (missing.length > 0) {
    const expected = `all of ${parts.join(', ')}, or none of them`
    throw new LockstepError(
      'InvalidArgument',
      `options: got nothing for ${missing.join(', ')}, expected ${expected}.`,
      {
        details: { field: missing[0], expected },
      },
    )
  }
  return {
    source: 'options',
    deployment: Object.fromEntries(parts.map((part) => [part, options[part] ?? ''])) as unknown as Deployment,
    connection: connectionOf(options, environment),
    origin: 'the names given as options',
    remedy: 'Check those names, the endpoint and the region.',
  }
}

const fromEnvironment = (options: DeploymentOptions, environment: Environment): Found => {
  try {
    return {
      source: 'environment',
      deployment: deploymentFromEnvironment(environment),
      connection: connectionOf(options, environment),
      origin: 'the LOCKSTEP_* variables of the environment',
      remedy: 'Check those variables, AWS_ENDPOINT_URL and AWS_REGION.',
    }
  } catch (error) {
    if (!(error instanceof MissingVariables)) throw error
    throw new LockstepError('InvalidArgument', `${error.message} Set them too, or unset LOCKSTEP_BUCKET.`, {
      details: { field: error.variables[0] },
      cause: error,
    })
  }
}

const fromLocal = (options: DeploymentOptions): Found | undefined => {
  const local = findLocalDeployment(options.directories ?? [process.cwd()])
  if (local === undefined) return undefined
  return {
    source: 'local',
    deployment: local.deployment,
    connection: {
      endpoint: local.endpoint,
      region: options.region ?? local.region,
      credentials: options.credentials ?? emulatorCredentials,
    },
    origin: `the local environment (${local.file})`,
    remedy: 'Start it with `npx lockstep local up`, or name another deployment with --stage or --endpoint.',
  }
}

/** What emulators take for the owner of their account. */
const emulatorCredentials = { accessKeyId: 'test', secretAccessKey: 'test' } as const

/** Emulators know every region; this one is where AWS's own tools begin. */
const emulatorRegion = 'us-east-1'

/** An emulator needs no more than its address; on AWS the SDK finds what is not given. */
const connectionOf = (options: DeploymentOptions, environment: Environment): Connection => {
  const endpoint = options.endpoint ?? environment['AWS_ENDPOINT_URL']
  const given = options.region ?? environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION']
  const region = given ?? (endpoint === undefined ? undefined : emulatorRegion)
  const anonymous = !environment['AWS_ACCESS_KEY_ID'] && !environment['AWS_PROFILE']
  const credentials =
    options.credentials ?? (isLoopback(endpoint) && anonymous ? emulatorCredentials : undefined)
  return {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
  }
}

const isLoopback = (endpoint: string | undefined): boolean =>
  endpoint !== undefined && ['127.0.0.1', 'localhost', '[::1]'].includes(URL.parse(endpoint)?.hostname ?? '')
