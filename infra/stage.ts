import { RemovalPolicy } from 'aws-cdk-lib'
import { RetentionDays } from 'aws-cdk-lib/aws-logs'
import { UnknownStageError } from './errors.ts'

const stages = ['dev', 'prod'] as const

/** Where a deployment stands: `dev` may be thrown away, `prod` holds files that somebody needs. */
export type Stage = (typeof stages)[number]

/** Everything that differs between stages. What is not here is the same everywhere. */
export interface StageSettings {
  /** What happens to bucket, tables and logs when their stack is deleted or they leave the template. */
  readonly removalPolicy: RemovalPolicy
  /** Whether CloudFormation refuses to delete the stacks, and DynamoDB the tables. */
  readonly deletionProtection: boolean
  readonly logRetention: RetentionDays
  /**
   * Whether the bucket keeps what is overwritten. Off by default: a log file that is appended to a thousand
   * times would be stored a thousand times, and Lockstep's promises need ETags only. Switching it on is safe
   * at any time.
   */
  readonly versioned: boolean
  /**
   * Executions set aside for the sweeper. In production it gets its own, so that it heals even while a flood
   * of work takes all of the account's concurrency, and never runs twice at a time. A new account has a quota
   * of ten and refuses every reservation, so that a first try must not ask for one; two sweeps at a time are
   * harmless.
   */
  readonly sweeperReservedExecutions: number | undefined
}

/** The settings of each stage. */
export const stageSettings: Readonly<Record<Stage, StageSettings>> = {
  dev: {
    removalPolicy: RemovalPolicy.DESTROY,
    deletionProtection: false,
    logRetention: RetentionDays.ONE_WEEK,
    versioned: false,
    sweeperReservedExecutions: undefined,
  },
  prod: {
    removalPolicy: RemovalPolicy.RETAIN,
    deletionProtection: true,
    logRetention: RetentionDays.THREE_MONTHS,
    versioned: false,
    sweeperReservedExecutions: 1,
  },
}

/**
 * The stage named by a context value; `dev` when there is none.
 *
 * @throws {UnknownStageError} for anything else, so that a typo never deploys with the wrong protection
 */
export function parseStage(value: unknown): Stage {
  if (value === undefined) return 'dev'
  const stage = stages.find((known) => known === value)
  if (stage === undefined) throw new UnknownStageError(value, stages)
  return stage
}
