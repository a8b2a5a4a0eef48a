import { type CfnElement, Stack, Validations } from 'aws-cdk-lib'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import type { IConstruct } from 'constructs'

/**
 * Explains to cdk-nag the only wildcards in our policies, each by itself, so that any other one is still a
 * finding: object keys of `bucket`.
 *
 * @param scope whose policies these are
 * @param patterns what follows the bucket's ARN and a slash
 */
export function acknowledgeObjectWildcards(
  scope: IConstruct,
  bucket: Bucket,
  patterns: readonly string[],
): void {
  const arn = readableArn(scope, bucket)
  for (const pattern of patterns) {
    Validations.of(scope).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${arn}/${pattern}]`,
      reason:
        'The wildcard stands for object keys of one bucket: users choose the paths of their files at run ' +
        'time. The actions are listed one by one, per function.',
    })
  }
}

/** The ARN as cdk-nag spells it: by the name of the export if it crosses stacks, else by logical id. */
function readableArn(scope: IConstruct, bucket: Bucket): string {
  const owner = Stack.of(bucket)
  if (owner === Stack.of(scope)) return `<${owner.getLogicalId(bucket.node.defaultChild as CfnElement)}.Arn>`
  const imported: unknown = owner.resolve(owner.exportValue(bucket.bucketArn))
  return (imported as { readonly 'Fn::ImportValue': string })['Fn::ImportValue']
}
