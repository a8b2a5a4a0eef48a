import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

/** What goes into the stacks: a change in any of these may change what is deployed. */
const deployedSources = ['infra', 'functions', 'shared', 'cdk.json', 'package-lock.json', 'tsconfig.json']

/**
 * A digest of the sources of the deployment. Reading them takes milliseconds, synthesizing the stacks takes
 * seconds.
 *
 * @param app the command that synthesizes the stacks, if it is not the usual one.
 */
export function fingerprintSources(directory: string, app = ''): string {
  const digest = createHash('sha256').update(`${app}\0`)
  for (const source of deployedSources) {
    for (const file of listFiles(join(directory, source))) {
      const content = readFileSync(file)
      digest.update(`${relative(directory, file)}\0${content.length}\0`).update(content)
    }
  }
  return digest.digest('hex')
}

function listFiles(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return []
  if (!found.isDirectory()) return [path]
  return readdirSync(path)
    .toSorted()
    .flatMap((name) => listFiles(join(path, name)))
}
