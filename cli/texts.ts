import type { LineDocument, OperationDocument } from '#client/index.ts'

/** Operations in words and columns, for people. */

/** `write 01J... succeeded: size 6, etag "..."`. */
export const documentLine = ({ id, kind, status, result }: OperationDocument): string => {
  const facts = Object.entries(result ?? {}).map(([name, value]) => `${name} ${textOf(value)}`)
  return `${kind} ${id} ${status}${facts.length === 0 ? '' : `: ${facts.join(', ')}`}`
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** The paths of an operation, in the order of its arguments: `a.txt -> b.txt`. */
export const pathsText = ({ args }: Pick<OperationDocument, 'args'>): string => {
  const { path, from, to, paths, names } = args
  const sources = Array.isArray(from) ? from.join(' ') : from
  const locks = [paths, names].map((list) => (Array.isArray(list) ? list.join(' ') : undefined))
  return [path, sources, to, ...locks]
    .flatMap((part) => (part === undefined ? [] : [textOf(part)]))
    .join(' -> ')
}

/** What a line is of. */
export const titleOf = ({ path, name }: Pick<LineDocument, 'path' | 'name'>): string =>
  path ?? `lock "${name}"`
