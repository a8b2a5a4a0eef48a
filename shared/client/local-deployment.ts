import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Deployment } from '#aws/deployment.ts'

/** What `lockstep local up` has saved of the environment that it made. It may be down by now. */
export interface LocalDeployment {
  readonly file: string
  readonly endpoint: string
  readonly region: string
  readonly deployment: Deployment
}

/** The first one in `directories`, each with those above it; undefined if there is none. */
export const findLocalDeployment = (directories: readonly string[]): LocalDeployment | undefined => {
  for (const start of directories) {
    for (let directory = resolve(start); ; directory = dirname(directory)) {
      const found = readLocalDeployment(join(directory, '.local', 'deployment.json'))
      if (found !== undefined) return found
      if (dirname(directory) === directory) break
    }
  }
  return undefined
}

/** Undefined if it is absent, or not what this version writes: then it is none that can be used. */
const readLocalDeployment = (file: string): LocalDeployment | undefined => {
  const saved = savedIn(file)
  const text = (name: string): string => (typeof saved?.[name] === 'string' ? saved[name] : '')
  const found = {
    file,
    endpoint: text('endpoint'),
    region: text('region'),
    deployment: {
      bucket: text('bucket'),
      linesTable: text('linesTable'),
      operationsTable: text('operationsTable'),
      operationsQueueUrl: text('operationsQueueUrl'),
      shardsQueueUrl: text('shardsQueueUrl'),
      rejectedQueueUrl: text('rejectedQueueUrl'),
    },
  }
  const isWhole = [found.endpoint, found.region, ...Object.values(found.deployment)].every(
    (value) => value !== '',
  )
  return isWhole ? found : undefined
}

const savedIn = (file: string): Record<string, unknown> | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  } catch {
    return undefined
  }
}
