import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import type { Rule } from '#domain/rule.ts'
import { createStacks, type LockstepStacks } from '#infra/lockstep-stacks.ts'
import type { Stage } from '#infra/stage.ts'
import cdkJson from '../../cdk.json' with { type: 'json' }

/** A resource of a template, as far as these tests read it. */
export interface TemplateResource {
  readonly Properties: Readonly<Record<string, unknown>>
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
  readonly DependsOn?: readonly string[]
}

export interface Synthesized {
  readonly app: App
  readonly stacks: LockstepStacks
  readonly storage: Template
  readonly processing: Template
}

/**
 * An app with the settings that `cdk` would read, but without bundling: the code is not what is looked at.
 */
export function createApp(): App {
  return new App({ context: { ...cdkJson.context, 'aws:cdk:bundling-stacks': [] } })
}

/** The templates of one stage. */
export function synthesize(stage: Stage, rules?: readonly Rule[]): Synthesized {
  const app = createApp()
  const stacks = createStacks(app, stage, rules)
  return {
    app,
    stacks,
    storage: Template.fromStack(stacks.storage),
    processing: Template.fromStack(stacks.processing),
  }
}

/** How CDK names what one stack exports to another. */
const exportName = /^.*ExportsOutput(?:FnGetAtt|Ref)(.+?)[0-9A-F]{8}.*$/

/** The resources of a type, by logical id. */
export function resourcesOf(template: Template, type: string): Readonly<Record<string, TemplateResource>> {
  return template.findResources(type) as Record<string, TemplateResource>
}

/** The only resource of a type whose logical id starts so. */
export function resourceOf(template: Template, type: string, idStart = ''): TemplateResource {
  const found = Object.entries(resourcesOf(template, type)).filter(([id]) => id.startsWith(idStart))
  const [only] = found
  if (only === undefined || found.length > 1) {
    throw new Error(`Found ${found.length} of ${type} named ${idStart}..., expected 1`)
  }
  return only[1]
}

/**
 * A reference in a template as a readable name: `StorageFilesBucket/*` for a joined ARN that is imported from
 * the storage stack, `ProcessingWorkerLogs` for one of the same stack. The hash that CDK appends is cut off.
 */
export function readableReference(value: unknown): string {
  if (typeof value === 'string') return value
  const reference = value as Readonly<Record<string, unknown>>
  const join = reference['Fn::Join'] as readonly [string, readonly unknown[]] | undefined
  if (join !== undefined) return join[1].map(readableReference).join(join[0])
  const imported = reference['Fn::ImportValue'] as string | undefined
  if (imported !== undefined) return imported.replace(exportName, '$1')
  const attribute = reference['Fn::GetAtt'] as readonly [string, string] | undefined
  const id = attribute?.[0] ?? (reference['Ref'] as string | undefined)
  if (id === undefined) throw new Error(`Cannot read the reference ${JSON.stringify(value)}`)
  return id.replace(/[0-9A-F]{8}$/, '')
}
