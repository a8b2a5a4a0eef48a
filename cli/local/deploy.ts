import { existsSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'

import { type Deployment, deploymentFrom } from './deployment.ts'
import type { Emulator } from './emulator.ts'
import { LocalEnvironmentError } from './errors.ts'
import { cleanEnvironment, localAccount, localCredentials, localRegion } from './network.ts'
import { checkoutDirectory, type LocalPaths } from './paths.ts'
import { endMarked } from './processes.ts'
import { lastLines, runCommand } from './run-command.ts'

/** `cdk` has nothing to put in order that the next deployment would not. */
const leftoverGraceMs = 5000

export interface DeployOptions {
  /** The command that synthesizes the stacks; default: the one in cdk.json. */
  readonly app?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((message: string) => void) | undefined
}

/** Environment of a command line tool or program that is to work on the emulator. */
export function environmentFor(
  emulator: Pick<Emulator, 'endpoint' | 'certificateFile'>,
): Record<string, string> {
  const inherited = cleanEnvironment()
  const bin = join(checkoutDirectory, 'node_modules', '.bin')
  return {
    ...inherited,
    PATH: [bin, inherited['PATH'] ?? '/usr/bin:/bin'].join(delimiter),
    AWS_ENDPOINT_URL: emulator.endpoint,
    // The SDK asks S3 at BUCKET.endpoint unless told the endpoint of S3 as well.
    AWS_ENDPOINT_URL_S3: emulator.endpoint,
    AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
    AWS_REGION: localRegion,
    AWS_DEFAULT_REGION: localRegion,
    // The person's own profiles may name other endpoints, roles and accounts.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    NO_PROXY: [inherited['NO_PROXY'], '127.0.0.1', 'localhost'].filter(Boolean).join(','),
    ...trust(emulator.certificateFile),
  }
}

/** Node itself reads the one, `cdk` and other AWS tools read only the other. */
function trust(certificateFile: string | undefined): Record<string, string> {
  if (certificateFile === undefined) return {}
  return { NODE_EXTRA_CA_CERTS: certificateFile, AWS_CA_BUNDLE: certificateFile }
}

/**
 * Deploys the stacks to the emulator with the real `cdk`, bootstrapping first: both do nothing where nothing
 * changed.
 *
 * @throws LocalEnvironmentError `DeployFailed` with the end of what `cdk` said; `OutputMissing`.
 */
export async function deploy(
  paths: LocalPaths,
  emulator: Emulator,
  options: DeployOptions,
): Promise<Deployment> {
  const { app, signal, onProgress } = options
  const output = ['--output', paths.assembly]
  // Of an earlier run that was killed: it would hold the assembly, and deploy what the sources said then.
  await endMarked(output.join(' '), leftoverGraceMs)
  rmSync(paths.deployLog, { force: true })
  rmSync(paths.outputsFile, { force: true })
  const common = [...output, ...(app === undefined ? [] : ['--app', app])]
  onProgress?.('Preparing the account (cdk bootstrap)')
  // Bootstrapping needs no app; naming the environment spares it a synthesis.
  await cdk(
    paths,
    emulator,
    ['bootstrap', `aws://${localAccount}/${localRegion}`, '--app', '', ...output],
    signal,
  )
  onProgress?.('Deploying the stacks (cdk deploy)')
  const deployArguments = [
    'deploy',
    '--all',
    '--require-approval',
    'never',
    '--outputs-file',
    paths.outputsFile,
  ]
  await cdk(paths, emulator, [...deployArguments, ...common], signal)
  return readOutputs(paths, emulator)
}

/**
 * What the last deployment to this directory's emulator gave.
 *
 * @throws LocalEnvironmentError `OutputMissing` when the stacks do not give what a client needs.
 */
export function readOutputs(paths: LocalPaths, emulator: Emulator): Deployment {
  // Stacks without outputs leave no file.
  const outputs: unknown = existsSync(paths.outputsFile)
    ? JSON.parse(readFileSync(paths.outputsFile, 'utf8'))
    : {}
  return deploymentFrom(outputs, emulator)
}

async function cdk(
  paths: LocalPaths,
  emulator: Emulator,
  commandArguments: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const command = join(checkoutDirectory, 'node_modules', '.bin', 'cdk')
  const environment = {
    ...environmentFor(emulator),
    CDK_HOME: paths.cdkHome,
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_DISABLE_VERSION_CHECK: 'true',
  }
  const all = ['--ci', '--no-color', '--no-notices', '--no-version-reporting', ...commandArguments]
  const options = { directory: checkoutDirectory, environment, logFile: paths.deployLog, signal }
  const code = await runCommand(command, all, options)
  if (code === 0) return
  throw new LocalEnvironmentError(
    'DeployFailed',
    `cdk ${commandArguments[0] ?? ''} on ${emulator.endpoint} ended with ${code ?? 'a signal'}: see ` +
      `${paths.deployLog}, and if the sources are right, start empty after \`npx lockstep local reset\`. ` +
      `Its last lines:\n${lastLines(paths.deployLog)}`,
  )
}
