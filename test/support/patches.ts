import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * A change of a source text, made while the module is loaded: so the code under test can be made defective, or
 * its limits small, without a trace in it.
 */
export interface Patch {
  /** Relative to the root of the project. */
  readonly file: string
  /** Occurs exactly once in the file, however it is formatted. */
  readonly find: string
  readonly replace: string
}

const root = pathToFileURL(`${process.cwd()}/`).href

const tokens = /\w+|\s+|[^\w\s]/g

const escaped = (token: string): string => token.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Formatting does not count: neither line breaks, nor the commas that come with them. */
const patternOf = (find: string): RegExp => {
  const all = (find.match(tokens) ?? []).filter((token) => token.trim() !== '')
  const parts = all.map((token, index) => {
    const isWord = /\w/.test(token) && /\w$/.test(all[index - 1] ?? '')
    const gap = index === 0 ? '' : isWord ? '\\s+' : '\\s*'
    return /[)\]}]/.test(token) ? `${gap},?\\s*${escaped(token)}` : gap + escaped(token)
  })
  return new RegExp(parts.join(''), 'g')
}

/** Throws if a patch does not fit exactly once: the code has moved on, and the patch must follow. */
export const patched = (text: string, patches: readonly Patch[]): string =>
  patches.reduce((before, { file, find, replace }) => {
    const found = before.match(patternOf(find))?.length ?? 0
    if (found !== 1) throw new Error(`patch of ${file}: found ${found} times, expected once: ${find}`)
    return before.replace(patternOf(find), () => replace)
  }, text)

/** Modules of the project, loaded anew with their own patches, are told apart by this query in their URLs. */
const realmOf = (url: string | undefined): string | undefined =>
  url === undefined ? undefined : (new URL(url).searchParams.get('realm') ?? undefined)

const realms: (readonly Patch[])[] = []

const isOurs = (url: string): boolean => url.startsWith(root) && !url.includes('/node_modules/')

const registerOnce = (): void => {
  if (realms.length > 0) return
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      const realm = realmOf(context.parentURL)
      if (realm === undefined || !isOurs(resolved.url)) return resolved
      return { ...resolved, url: `${resolved.url}?realm=${realm}` }
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const realm = realmOf(url)
      if (realm === undefined || loaded.source === undefined || loaded.source === null) return loaded
      const fitting = realms[Number(realm)]?.filter(({ file }) => url.startsWith(`${root}${file}?`)) ?? []
      return fitting.length === 0 ? loaded : { ...loaded, source: patched(loaded.source.toString(), fitting) }
    },
  })
}

/**
 * The module at `url`, with everything of the project that it imports, loaded anew and patched. Only under
 * plain Node: a test runner that transforms modules itself does not ask these hooks.
 */
export const importPatched = async (
  url: string,
  patches: readonly Patch[],
): Promise<Record<string, unknown>> => {
  registerOnce()
  realms.push(patches)
  return (await import(`${url}?realm=${realms.length - 1}`)) as Record<string, unknown>
}
