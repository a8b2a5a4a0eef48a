import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb'
import { Construct } from 'constructs'
import type { StageSettings } from '../stage.ts'

/**
 * Open operations by due time, finished ones by end time; the sweeper reads it. Part of the engine's
 * contract.
 */
export const scheduleIndexName = 'schedule'

/** The two tables: who waits for which file, and what became of each operation. */
export class Tables extends Construct {
  readonly lines: Table
  readonly operations: Table

  constructor(scope: Construct, id: string, props: { readonly settings: StageSettings }) {
    super(scope, id)
    this.lines = createTable(this, 'Lines', 'line', props.settings)
    this.operations = createTable(this, 'Operations', 'id', props.settings)
    // Keys only: every copied attribute would cost a second write whenever it changes, and the sweeper reads
    // the records consistently anyway.
    this.operations.addGlobalSecondaryIndex({
      indexName: scheduleIndexName,
      partitionKey: { name: 'shard', type: AttributeType.STRING },
      sortKey: { name: 'at', type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    })
  }
}

/**
 * On demand, since the load of a queue of files comes in bursts; TTL collects garbage and decides nothing.
 */
function createTable(scope: Construct, id: string, partitionKey: string, settings: StageSettings): Table {
  return new Table(scope, id, {
    partitionKey: { name: partitionKey, type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    timeToLiveAttribute: 'ttl',
    encryption: TableEncryption.AWS_MANAGED,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: settings.deletionProtection,
    removalPolicy: settings.removalPolicy,
  })
}
