import type { App } from 'aws-cdk-lib'
import type { Rule } from '#domain/rule.ts'
import { stageRules } from './rules.ts'
import { ProcessingStack } from './stacks/processing-stack.ts'
import { StorageStack } from './stacks/storage-stack.ts'
import { type Stage, stageSettings } from './stage.ts'

export interface LockstepStacks {
  readonly storage: StorageStack
  readonly processing: ProcessingStack
}

/**
 * The two stacks of one stage. They name no account and no region: they go wherever the credentials point, an
 * emulator included.
 *
 * @param rules what uploads trigger; the stage's own rules if not given
 */
export function createStacks(
  app: App,
  stage: Stage,
  rules: readonly Rule[] = stageRules[stage],
): LockstepStacks {
  const settings = stageSettings[stage]
  const storage = new StorageStack(app, `LockstepStorage-${stage}`, { settings, rules })
  const processing = new ProcessingStack(app, `LockstepProcessing-${stage}`, {
    settings,
    rules,
    storage: storage.storage,
  })
  return { storage, processing }
}
