import { describe, expect, test } from 'vitest'
import type { Rule } from '#domain/rule.ts'
import { InvalidRuleError, RulesTooLargeError } from '#infra/errors.ts'
import { serializeRules } from '#infra/rules.ts'
import { resourceOf, synthesize } from './templates.ts'

const limitBytes = 3072

/** One rule that takes exactly so many bytes of JSON; the filler letter takes two. */
function ruleOfSize(sizeBytes: number): Rule {
  const rule = (prefix: string): Rule => ({ prefix, operations: [{ kind: 'stat', path: '{path}' }] })
  const missing = sizeBytes - Buffer.byteLength(JSON.stringify([rule('')]))
  return rule('é'.repeat(Math.floor(missing / 2)) + 'a'.repeat(missing % 2))
}

describe('rules', () => {
  test('of 3 KB still fit', () => {
    expect(Buffer.byteLength(serializeRules([ruleOfSize(limitBytes)]))).toBe(limitBytes)
  })

  test('of one byte more are refused at synthesis, with both numbers', () => {
    const refused = () => synthesize('dev', [ruleOfSize(limitBytes + 1)])
    expect(refused).toThrow(RulesTooLargeError)
    expect(refused).toThrow(
      expect.objectContaining({
        code: 'RulesTooLarge',
        sizeBytes: limitBytes + 1,
        limitBytes,
      }),
    )
  })

  test.each(['Uploads', 'DeadLetters'])('at their limit leave room for the other variables of %s', (name) => {
    const { processing } = synthesize('dev', [ruleOfSize(limitBytes)])
    const { Properties } = resourceOf(processing, 'AWS::Lambda::Function', `Processing${name}Function`)
    const { Variables } = Properties['Environment'] as { readonly Variables: Record<string, unknown> }
    // Queues: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME with a name of 80. Bucket and tables: a name.
    const longestReference = { url: 140, name: 80 }
    const sizes = Object.entries(Variables).map(([name, value]) => {
      const reference = name.endsWith('_URL') ? longestReference.url : longestReference.name
      const valueSize = typeof value === 'string' ? Buffer.byteLength(value) : reference
      return Buffer.byteLength(name) + valueSize
    })
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(4096)
  })

  test.each<Rule>([
    { prefix: '.lockstep/staging/', operations: [{ kind: 'delete', path: '{path}' }] },
    { prefix: 'incoming/', operations: [] },
  ])('on internals or without operations are refused: $prefix', (rule) => {
    const refused = () => serializeRules([rule])
    expect(refused).toThrow(InvalidRuleError)
    expect(refused).toThrow(expect.objectContaining({ code: 'InvalidRule', prefix: rule.prefix }))
  })
})
