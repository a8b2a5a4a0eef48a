import type { LineEntry, LineUse, Mode } from '#domain/line.ts'

/**
 * The law of lines once more, said in another way than in `shared/domain`: what judges the code must not be
 * the code.
 */

const excludes = (a: Mode, b: Mode): boolean => !(a === 'read' && b === 'read')

/** Nobody who came before `own` excludes it. */
export const holdsLine = (entries: readonly LineEntry[], own: LineEntry): boolean =>
  !entries.some((entry) => entry.id !== own.id && entry.ticket < own.ticket && excludes(entry.mode, own.mode))

/** A line on which the two cannot be together, if any. */
export const conflicting = (some: readonly LineUse[], others: readonly LineUse[]): string | undefined =>
  some.find((use) => others.some((other) => other.line === use.line && excludes(use.mode, other.mode)))?.line
