import { internalPrefix } from '#domain/path.ts'
import { parseRules, type Rule } from '#domain/rule.ts'
import { InvalidRuleError, RulesTooLargeError } from './errors.ts'
import type { Stage } from './stage.ts'

/** Examples to play with on a machine or in a test account. */
const exampleRules: readonly Rule[] = [
  {
    prefix: 'incoming/',
    suffix: '.csv',
    operations: [{ kind: 'copy', from: '{path}', to: 'processed/{name}' }],
  },
  {
    prefix: 'incoming/',
    suffix: '.txt',
    operations: [{ kind: 'checksum', path: '{path}', algorithm: 'sha256' }],
  },
  {
    prefix: 'inbox/',
    operations: [{ kind: 'move', from: '{path}', to: 'filed/{name}' }],
  },
]

/** The rules of each stage. Production watches nothing until its owner says what. */
export const stageRules: Readonly<Record<Stage, readonly Rule[]>> = { dev: exampleRules, prod: [] }

/** Lambda's limit is 4 KB for all variables of a function; names and the other values need less than 1 KB. */
const limitBytes = 3 * 1024

/**
 * The rules as the functions read them from their environment.
 *
 * @throws {RulesTooLargeError} if they would not fit there
 * @throws {InvalidRuleError} if they could not be read, or watch Lockstep's own files
 */
export function serializeRules(rules: readonly Rule[]): string {
  const json = JSON.stringify(rules)
  const sizeBytes = Buffer.byteLength(json)
  if (sizeBytes > limitBytes) throw new RulesTooLargeError(sizeBytes, limitBytes)
  for (const rule of rules) checkRule(rule)
  return json
}

/**
 * With the very parser that would fail the function's cold start, so that a typo is found before it is
 * deployed.
 */
function checkRule(rule: Rule): void {
  if (rule.prefix.startsWith(internalPrefix)) {
    throw new InvalidRuleError(
      rule.prefix,
      `watches Lockstep's own files. Use a prefix outside ${internalPrefix}`,
    )
  }
  try {
    parseRules(JSON.stringify([rule]))
  } catch (cause) {
    throw new InvalidRuleError(rule.prefix, 'cannot be read by the functions: see the cause.', { cause })
  }
}
