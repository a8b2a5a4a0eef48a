import type { Command } from 'commander'
import type { Lockstep } from '#client/index.ts'
import { checkoutDirectory } from './local/paths.ts'

interface GlobalFlags {
  readonly stage?: string
  readonly endpoint?: string
  readonly region?: string
}

/**
 * The client of the deployment that the global options mean. Loaded here, so that what needs none starts
 * faster. The local environment is also found from outside of the checkout that this command lies in.
 */
export const openLockstep = async (command: Command): Promise<Lockstep> => {
  const { stage, endpoint, region } = command.optsWithGlobals<GlobalFlags>()
  const { Lockstep } = await import('#client/index.ts')
  return new Lockstep({ stage, endpoint, region, directories: [process.cwd(), checkoutDirectory] })
}
