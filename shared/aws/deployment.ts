/** The parts of a deployment by name. */
export interface Deployment {
  readonly bucket: string
  readonly linesTable: string
  readonly operationsTable: string
  readonly operationsQueueUrl: string
  readonly shardsQueueUrl: string
  readonly rejectedQueueUrl: string
}

const variables = {
  bucket: 'LOCKSTEP_BUCKET',
  linesTable: 'LOCKSTEP_LINES_TABLE',
  operationsTable: 'LOCKSTEP_OPERATIONS_TABLE',
  operationsQueueUrl: 'LOCKSTEP_OPERATIONS_QUEUE_URL',
  shardsQueueUrl: 'LOCKSTEP_SHARDS_QUEUE_URL',
  rejectedQueueUrl: 'LOCKSTEP_REJECTED_QUEUE_URL',
} as const satisfies Record<keyof Deployment, string>

/** Names every variable that is missing, so that nobody has to find them one by one. */
export class MissingVariables extends Error {
  override readonly name = 'MissingVariables'
  readonly variables: readonly string[]

  constructor(missing: readonly string[]) {
    super(
      `environment: got nothing for ${missing.join(', ')}, ` +
        'expected the names that the stacks give as outputs.',
    )
    this.variables = missing
  }
}

/**
 * The deployment that the environment names. Throws {@link MissingVariables}: call it when a module loads.
 */
export const deploymentFromEnvironment = (
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Deployment => {
  const missing = Object.values(variables).filter((name) => !environment[name])
  if (missing.length > 0) throw new MissingVariables(missing)
  const read = (part: keyof Deployment): string => environment[variables[part]] ?? ''
  return {
    bucket: read('bucket'),
    linesTable: read('linesTable'),
    operationsTable: read('operationsTable'),
    operationsQueueUrl: read('operationsQueueUrl'),
    shardsQueueUrl: read('shardsQueueUrl'),
    rejectedQueueUrl: read('rejectedQueueUrl'),
  }
}
