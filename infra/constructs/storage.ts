import { Construct } from 'constructs'
import type { Rule } from '#domain/rule.ts'
import type { StageSettings } from '../stage.ts'
import { FilesBucket } from './files-bucket.ts'
import { Queues } from './queues.ts'
import { Tables } from './tables.ts'

export interface StorageProps {
  readonly settings: StageSettings
  readonly rules: readonly Rule[]
}

/** Everything that keeps something: files, lines, operations, messages. */
export class Storage extends Construct {
  readonly files: FilesBucket
  readonly tables: Tables
  readonly queues: Queues

  constructor(scope: Construct, id: string, props: StorageProps) {
    super(scope, id)
    this.tables = new Tables(this, 'Tables', { settings: props.settings })
    this.queues = new Queues(this, 'Queues')
    this.files = new FilesBucket(this, 'Files', { ...props, uploads: this.queues.uploads.queue })
  }
}
