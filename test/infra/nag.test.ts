import { Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import type { IConstruct } from 'constructs'
import { describe, expect, test } from 'vitest'
import { synthesize } from './templates.ts'

/** Everything that was acknowledged in a tree: `construct path: rule`, and the reason. */
function acknowledgments(scope: IConstruct): Map<string, string> {
  const found = new Map<string, string>()
  for (const { node } of scope.node.findAll()) {
    for (const { type, data } of node.metadata) {
      if (type !== Validations.ACKNOWLEDGED_RULES_METADATA_KEY) continue
      for (const [id, reason] of Object.entries(data as Record<string, string>)) {
        found.set(`${node.path}: ${id}`, reason)
      }
    }
  }
  return found
}

describe.each(['dev', 'prod'] as const)('%s', (stage) => {
  const { app } = synthesize(stage)

  test('AwsSolutions finds nothing that is not explained', () => {
    const { success, violations } = new AwsSolutionsChecks().validateScope(app)
    const findings = violations.flatMap(({ ruleName, violatingResources }) => {
      return violatingResources.map((resource) => `${resource.constructPath}: ${ruleName}`)
    })
    expect(findings).toEqual([])
    expect(success).toBe(true)
  })

  test('what is acknowledged is this, each in a sentence of its own', () => {
    const acknowledged = acknowledgments(app)
    const readable = [...acknowledged.keys()].map((key) => {
      return key
        .replace(/^Lockstep|: Annotation::/g, (match) => (match === 'Lockstep' ? '' : ' '))
        .replace(/Resource::.*ExportsOutputFnGetAtt(.*)[0-9A-F]{8}Arn[0-9A-F]{8}/, '$1')
    })
    expect(readable.sort()).toEqual([
      `Processing-${stage}/Processing/DeadLetters/Role AwsSolutions-IAM5[StorageFilesBucket/*]`,
      `Processing-${stage}/Processing/Shards/Role AwsSolutions-IAM5[StorageFilesBucket/*]`,
      `Processing-${stage}/Processing/Sweeper/Role AwsSolutions-IAM5[StorageFilesBucket/*]`,
      `Processing-${stage}/Processing/Sweeper/Role AwsSolutions-IAM5[StorageFilesBucket/.lockstep/*]`,
      `Processing-${stage}/Processing/Uploads/Role AwsSolutions-IAM5[StorageFilesBucket/*]`,
      `Processing-${stage}/Processing/Worker/Role AwsSolutions-IAM5[StorageFilesBucket/*]`,
      `Storage-${stage}/Storage/Files/Bucket AwsSolutions-S1`,
      `Storage-${stage}/Storage/Queues/Rejected AwsSolutions-SQS3`,
    ])
    for (const reason of acknowledged.values()) expect(reason.length).toBeGreaterThan(60)
  })
})
