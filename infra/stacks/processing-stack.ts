import { CfnOutput, Stack } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { Rule } from '#domain/rule.ts'
import { Processing } from '../constructs/processing.ts'
import type { Storage } from '../constructs/storage.ts'
import type { StageSettings } from '../stage.ts'

export interface ProcessingStackProps {
  readonly settings: StageSettings
  readonly rules: readonly Rule[]
  readonly storage: Storage
}

/** The functions and what feeds them. Holds no state: it can be deleted and deployed again at any time. */
export class ProcessingStack extends Stack {
  readonly processing: Processing

  constructor(scope: Construct, id: string, props: ProcessingStackProps) {
    super(scope, id, {
      description: "Lockstep: functions, their queues' event sources and the sweep schedule",
      terminationProtection: props.settings.deletionProtection,
    })
    this.processing = new Processing(this, 'Processing', props)
    const { worker, shards, uploads, sweeper, deadLetters } = this.processing
    const outputs = {
      WorkerFunctionName: worker,
      ShardsFunctionName: shards,
      UploadsFunctionName: uploads,
      SweeperFunctionName: sweeper,
      DeadLettersFunctionName: deadLetters,
    }
    for (const [name, engine] of Object.entries(outputs)) {
      new CfnOutput(this, name, { value: engine.function.functionName })
    }
  }
}
