import { readFileSync } from 'node:fs'
import * as z from 'zod/mini'
import type { Emulator } from './emulator.ts'
import { LocalEnvironmentError } from './errors.ts'
import { localRegion } from './network.ts'
import { defaultDirectory, type LocalPaths, localPaths } from './paths.ts'
import { writeWhole } from './write-whole.ts'

/**
 * What a client needs to use the local deployment. Saved as `.local/deployment.json`, where the command line
 * finds it.
 */
const deploymentSchema = z.object({
  endpoint: z.string(),
  region: z.string(),
  bucket: z.string(),
  linesTable: z.string(),
  operationsTable: z.string(),
  operationsQueueUrl: z.string(),
  shardsQueueUrl: z.string(),
  uploadsQueueUrl: z.string(),
  rejectedQueueUrl: z.string(),
  emulatorPid: z.number(),
  /** Of the emulator, when it speaks TLS: a client must trust it (`NODE_EXTRA_CA_CERTS`). */
  certificateFile: z.optional(z.string()),
})

export type Deployment = z.infer<typeof deploymentSchema>

/** The saved form also tells from which sources it was deployed, so that a change is noticed. */
const savedSchema = z.extend(deploymentSchema, { fingerprint: z.string() })

export type SavedDeployment = z.infer<typeof savedSchema>

/** The outputs of the stacks, by the names that `infra/` gives them. */
const outputNames = {
  bucket: 'BucketName',
  linesTable: 'LinesTableName',
  operationsTable: 'OperationsTableName',
  operationsQueueUrl: 'OperationsQueueUrl',
  shardsQueueUrl: 'ShardsQueueUrl',
  uploadsQueueUrl: 'UploadsQueueUrl',
  rejectedQueueUrl: 'RejectedQueueUrl',
} as const

const outputsSchema = z.record(z.string(), z.record(z.string(), z.string()))

/**
 * Reads what `cdk deploy --outputs-file` wrote.
 *
 * @throws LocalEnvironmentError `OutputMissing` when the stacks do not give what a client needs.
 */
export function deploymentFrom(outputs: unknown, emulator: Emulator): Deployment {
  const values = Object.assign({}, ...Object.values(outputsSchema.parse(outputs))) as Record<string, string>
  const missing = Object.values(outputNames).filter((name) => values[name] === undefined)
  if (missing.length > 0) {
    throw new LocalEnvironmentError(
      'OutputMissing',
      `The stacks gave the outputs ${Object.keys(values).join(', ') || '(none)'}, ` +
        `and not ${missing.join(', ')}: add those to infra/stacks/.`,
    )
  }
  const named = Object.entries(outputNames).map(([field, name]) => [field, values[name]])
  return deploymentSchema.parse({
    ...Object.fromEntries(named),
    endpoint: emulator.endpoint,
    region: localRegion,
    emulatorPid: emulator.pid,
    ...(emulator.certificateFile === undefined ? {} : { certificateFile: emulator.certificateFile }),
  })
}

export function saveDeployment(paths: LocalPaths, deployment: SavedDeployment): void {
  writeWhole(paths.deploymentFile, `${JSON.stringify(deployment, undefined, 2)}\n`)
}

/**
 * The deployment saved in a directory (default: the checkout's), or undefined if there is none. It may be
 * down.
 */
export function readDeployment(directory: string = defaultDirectory): SavedDeployment | undefined {
  try {
    return savedSchema.parse(JSON.parse(readFileSync(localPaths(directory).deploymentFile, 'utf8')))
  } catch {
    // Absent, or written by another version of this program: a deploy makes it anew.
    return undefined
  }
}
