import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

import { type Deployment, LocalEnvironment } from '#cli/local/environment.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The stacks on an emulator of this test run's own. In a test: `inject('deployment')`. */
    deployment: Deployment
  }
}

/** An emulator with the stacks deployed, for the whole run of a project, whatever happens in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-e2e-'))
  const onProgress = (message: string) => console.error(`[${project.name}] ${message}`)
  // With a lifeline: should the runner be killed, its emulator ends too.
  const environment = new LocalEnvironment({ directory, lifeline: true, onProgress })
  const teardown = async () => {
    await environment.down()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    project.provide('deployment', await environment.up())
  } catch (error) {
    await teardown()
    throw error
  }
  return teardown
}
