/**
 * What can be wrong with the input of the infrastructure code. All of it is found while synthesising, before
 * anything is deployed. Errors are told apart by `code`; the values that were wrong travel as fields.
 */

/** The `stage` context is not one that Lockstep has settings for. */
export class UnknownStageError extends Error {
  readonly code = 'UnknownStage'
  override readonly name = 'UnknownStageError'
  readonly stage: unknown

  constructor(stage: unknown, known: readonly string[]) {
    const got = JSON.stringify(stage) ?? String(stage)
    super(
      `Context "stage" is ${got}, expected one of ${known.join(', ')}. ` +
        `Use: cdk deploy --all --context stage=${known[0]}`,
    )
    this.stage = stage
  }
}

/** The rules do not fit in the environment of the uploads function. */
export class RulesTooLargeError extends Error {
  readonly code = 'RulesTooLarge'
  override readonly name = 'RulesTooLargeError'
  readonly sizeBytes: number
  readonly limitBytes: number

  constructor(sizeBytes: number, limitBytes: number) {
    super(
      `The rules are ${sizeBytes} bytes of JSON, expected at most ${limitBytes} ` +
        "(a function's environment holds 4 KB in all). " +
        'Merge rules that differ only in their prefix, or shorten their paths.',
    )
    this.sizeBytes = sizeBytes
    this.limitBytes = limitBytes
  }
}

/** A rule watches files that are never a user's, or is not what a rule must be. */
export class InvalidRuleError extends Error {
  readonly code = 'InvalidRule'
  override readonly name = 'InvalidRuleError'
  readonly prefix: string

  constructor(prefix: string, problem: string, options?: ErrorOptions) {
    super(`The rule for prefix ${JSON.stringify(prefix)} ${problem}`, options)
    this.prefix = prefix
  }
}
