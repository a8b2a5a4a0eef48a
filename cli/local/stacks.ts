import type { CloudFormationClient, Stack } from '@aws-sdk/client-cloudformation'

import type { Emulator } from './emulator.ts'
import { localCredentials, localRegion } from './network.ts'

/** Of our stacks on the emulator; the stage is always `dev` there. */
const ourStack = /^Lockstep.*-dev$/

/** An update that failed and was rolled back is whole too, but not what the sources say. */
const wholeStatuses = new Set(['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS'])

/** Whether the emulator has our stacks, each deployed to its end. */
export async function stacksAreWhole(emulator: Emulator): Promise<boolean> {
  const ours = (await describeStacks(emulator)).filter((stack) => ourStack.test(stack.StackName ?? ''))
  return ours.length > 0 && ours.every((stack) => wholeStatuses.has(stack.StackStatus ?? ''))
}

async function describeStacks(emulator: Emulator): Promise<Stack[]> {
  const client = await connect(emulator)
  try {
    const { paginateDescribeStacks } = await import('@aws-sdk/client-cloudformation')
    const stacks: Stack[] = []
    for await (const page of paginateDescribeStacks({ client }, {})) stacks.push(...(page.Stacks ?? []))
    return stacks
  } finally {
    client.destroy()
  }
}

/**
 * The SDK is loaded here, and not at the top, since it costs ten times what the rest of `local status` does.
 */
async function connect(emulator: Emulator): Promise<CloudFormationClient> {
  const { CloudFormationClient } = await import('@aws-sdk/client-cloudformation')
  const common = { endpoint: emulator.endpoint, region: localRegion, credentials: localCredentials }
  if (emulator.certificateFile === undefined) return new CloudFormationClient(common)
  const { readFileSync } = await import('node:fs')
  const { Agent } = await import('node:https')
  const httpsAgent = new Agent({ ca: readFileSync(emulator.certificateFile) })
  return new CloudFormationClient({ ...common, requestHandler: { httpsAgent } })
}
