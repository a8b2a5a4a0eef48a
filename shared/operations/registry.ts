import { invalid } from '#domain/errors.ts'
import { append } from './append.ts'
import { checksum } from './checksum.ts'
import { concat } from './concat.ts'
import { copy } from './copy.ts'
import { deleteFile } from './delete.ts'
import { hold } from './hold.ts'
import type { OperationKind } from './kind.ts'
import { move } from './move.ts'
import { read } from './read.ts'
import { stat } from './stat.ts'
import { write } from './write.ts'

/** The one table of kinds. Adding a kind = adding a file, and a row here. */
const table = {
  write,
  append,
  read,
  stat,
  copy,
  move,
  delete: deleteFile,
  concat,
  checksum,
  hold,
} as const satisfies Record<string, OperationKind>

export type KindName = keyof typeof table

/** In the order of the documentation. */
export const kindNames = Object.keys(table) as readonly KindName[]

export const isKnownKind = (value: unknown): value is KindName =>
  typeof value === 'string' && Object.hasOwn(table, value)

/** Throws `InvalidArgument` that lists the kinds there are. */
export const kindOf = (name: unknown): OperationKind => {
  if (!isKnownKind(name)) throw invalid('kind', name, `one of ${kindNames.join(', ')}`)
  return table[name]
}
