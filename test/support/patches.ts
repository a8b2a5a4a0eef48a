import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * A change of a source text, made while the module is loaded: so the code under test can be made defective, or
 * its limits small, without a trace in it.
 */
export interface Patch {
  /** Relative to the root of the project. */
  readonly file: string
  /** Occurs exactly once in the file; any white space stands for any other. */
  readonly find: string
  readonly replace: string
}

const root = pathToFileURL(`${process.cwd()}/`)

const patternOf = (find: string): RegExp => {
  const escaped = find.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(escaped.replace(/\s+/g, '\\s+'), 'g')
}

/** Throws if a patch does not fit exactly once: the code has moved on, and the patch must follow. */
export const patched = (text: string, patches: readonly Patch[]): string =>
  patches.reduce((before, { file, find, replace }) => {
    const found = before.match(patternOf(find))?.length ?? 0
    if (found !== 1) throw new Error(`patch of ${file}: found ${found} times, expected once: ${find}`)
    return before.replace(patternOf(find), () => replace)
  }, text)

/**
 * From now on, modules of this thread are loaded with the patches. Only for what has not been imported yet,
 * so import the code under test afterwards.
 */
export const loadPatched = (patches: readonly Patch[]): void => {
  const byUrl = Map.groupBy(patches, ({ file }) => new URL(file, root).href)
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const fitting = byUrl.get(url)
      if (fitting === undefined || loaded.source === undefined || loaded.source === null) return loaded
      return { ...loaded, source: patched(loaded.source.toString(), fitting) }
    },
  })
}
