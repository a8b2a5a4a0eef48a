import type { Ports } from '#ports/ports.ts'
import { type DeploymentOptions, discover, type Found } from './discover.ts'

/** What a client is connected to. `found` is missing if the ports were given to it. */
export interface Connected {
  readonly ports: Ports
  readonly found?: Found
  close(): void
}

/** The SDK is loaded here, when it is needed: importing the client costs little. */
export const connect = async (
  options: DeploymentOptions & { readonly ports?: Ports | undefined },
): Promise<Connected> => {
  if (options.ports !== undefined) return { ports: options.ports, close: () => undefined }
  const found = await discover(options)
  const { awsPorts } = await import('#aws/aws-ports.ts')
  // That an emulator needs detours is for `doctor` to tell, not for every command.
  const ports = awsPorts(found.deployment, { ...found.connection, log: () => undefined })
  return { ports, found, close: () => ports.close() }
}
