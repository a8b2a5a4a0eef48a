import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

import { LocalEnvironment } from '#cli/local/environment.ts'
import { localRegion } from '#cli/local/network.ts'

/**
 * Where a bare emulator is: tests make the buckets, tables and queues that they need, with names of their
 * own.
 */
export interface BareEmulator {
  readonly endpoint: string
  readonly region: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** An emulator with nothing deployed, one for all contract suites. In a test: `inject('emulator')`. */
    emulator: BareEmulator
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-contracts-'))
  const onProgress = (message: string) => console.error(`[${project.name}] ${message}`)
  const environment = new LocalEnvironment({ directory, lifeline: true, onProgress })
  const teardown = async () => {
    await environment.down()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const emulator = await environment.upWithoutStacks()
    project.provide('emulator', { endpoint: emulator.endpoint, region: localRegion })
  } catch (error) {
    await teardown()
    throw error
  }
  return teardown
}
