import { App } from 'aws-cdk-lib'
import { createStacks } from './lockstep-stacks.ts'
import { parseStage } from './stage.ts'

/**
 * What `cdk` runs (cdk.json). The only place that reads context, so that nothing else depends on how it is
 * called.
 */
const app = new App()
createStacks(app, parseStage(app.node.tryGetContext('stage')))
