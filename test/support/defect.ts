import type { Patch } from './patches.ts'

/** A rule of the protocol left out on purpose, to see that somebody notices. */
export interface Defect {
  /** What the code does then. */
  readonly name: string
  readonly patches: readonly Patch[]
  /** The scenario of `test/unit/engine/scenarios` that must fail. */
  readonly scenario: string
}

export const engine = (file: string, find: string, replace: string): Patch => ({
  file: `shared/engine/${file}.ts`,
  find,
  replace,
})

/** Conditions that DynamoDB and S3 check for us live in the stores; their twins in memory stand for them here. */
export const memory = (store: string, find: string, replace: string): Patch => ({
  file: `shared/memory/memory-${store}-store.ts`,
  find,
  replace,
})
