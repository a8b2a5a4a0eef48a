import { invalid } from '#domain/errors.ts'
import { lineOfName, lineOfPath } from '#domain/line.ts'
import { parseName, parsePath } from '#domain/path.ts'

/**
 * What a lock is on: the path of a file (there or not), or a name that stands for whatever its users agree
 * on.
 */
export type LockTarget = string | { readonly path: string } | { readonly name: string }

interface LockSubjects {
  readonly paths: readonly string[]
  readonly names: readonly string[]
}

/** Throws LockstepError `InvalidArgument`. */
export const subjectsOf = (targets: LockTarget | readonly LockTarget[]): LockSubjects => {
  const list = isList(targets) ? targets : [targets]
  if (list.length === 0) throw invalid('targets', list, 'at least one path or name')
  const subjects = list.map(subjectOf)
  return {
    paths: subjects.flatMap((subject) => ('path' in subject ? [parsePath(subject.path)] : [])),
    names: subjects.flatMap((subject) => ('name' in subject ? [parseName(subject.name)] : [])),
  }
}

/** The path or name that its token is told by. */
export const titleOfTarget = (target: LockTarget): string => {
  const subject = subjectOf(target)
  return 'name' in subject ? subject.name : subject.path
}

export const lineOfTarget = (target: LockTarget): string => {
  const subject = subjectOf(target)
  return 'name' in subject ? lineOfName(parseName(subject.name)) : lineOfPath(parsePath(subject.path))
}

const isList = (targets: LockTarget | readonly LockTarget[]): targets is readonly LockTarget[] =>
  Array.isArray(targets)

/** Whatever else is given is refused as a path. */
const subjectOf = (target: LockTarget): { readonly path: string } | { readonly name: string } =>
  typeof target === 'object' && target !== null ? target : { path: target }
