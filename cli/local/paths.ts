import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout that this file lies in. */
export const checkoutDirectory = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** Where the emulator that people use by hand lives; tests give directories of their own. */
export const defaultDirectory = join(checkoutDirectory, '.local')

/**
 * One installation of the emulator serves every instance: it takes long to make and never changes while
 * running.
 */
export const venvDirectory = join(defaultDirectory, 'venv')

export interface LocalPaths {
  readonly root: string
  /** Claims of the process that is changing this environment. */
  readonly lock: string
  /** Which process runs the emulator, and at which port. */
  readonly emulatorFile: string
  readonly deploymentFile: string
  /** What `cdk deploy` wrote about the stacks. */
  readonly outputsFile: string
  readonly assembly: string
  readonly cdkHome: string
  /** What the emulator keeps between runs. */
  readonly state: string
  /** The emulator unpacks functions here. */
  readonly temporary: string
  readonly emulatorLog: string
  readonly deployLog: string
}

export function localPaths(directory: string): LocalPaths {
  const root = resolve(directory)
  return {
    root,
    lock: join(root, 'lock'),
    emulatorFile: join(root, 'emulator.json'),
    deploymentFile: join(root, 'deployment.json'),
    outputsFile: join(root, 'outputs.json'),
    assembly: join(root, 'cdk.out'),
    cdkHome: join(root, 'cdk-home'),
    state: join(root, 'state'),
    temporary: join(root, 'tmp'),
    emulatorLog: join(root, 'emulator.log'),
    deployLog: join(root, 'deploy.log'),
  }
}
