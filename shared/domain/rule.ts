import * as z from 'zod/mini'

/**
 * What to submit when a file arrives under a prefix. Text arguments may hold placeholders of the file that arrived:
 * `{path}` a/b/report.csv · `{dir}` a/b · `{name}` report.csv · `{stem}` report · `{ext}` csv
 */
export interface Rule {
  /** Starts of keys, e.g. `incoming/`. */
  readonly prefix: string
  /** Ends of keys, e.g. `.csv`. */
  readonly suffix?: string
  readonly operations: readonly Readonly<{ kind: string } & Record<string, unknown>>[]
}

const ruleSchema = z.strictObject({
  prefix: z.string(),
  suffix: z.optional(z.string()),
  operations: z.array(z.looseObject({ kind: z.string() })).check(z.minLength(1)),
})

/**
 * Reads rules from JSON, as the construct hands them to the function (`LOCKSTEP_RULES`). Throws a TypeError that names what
 * is wrong: none at all is wrong too, or a forgotten variable would silently lose arrivals.
 */
export const parseRules = (json: string | undefined): Rule[] => {
  if (json === undefined) throw new TypeError('rules: got nothing, expected a JSON list (LOCKSTEP_RULES)')
  const parsed = z.array(ruleSchema).safeParse(JSON.parse(json))
  if (parsed.success) return parsed.data as Rule[]
  const issue = parsed.error.issues[0]
  throw new TypeError(`rules: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a list of rules'}`)
}

export const matchesRule = (rule: Rule, path: string): boolean =>
  path.startsWith(rule.prefix) && path.endsWith(rule.suffix ?? '') && path.length > rule.prefix.length

/** The operations of a rule for one file, placeholders filled in, deeply. Unknown placeholders stay as they are. */
export const operationsFor = (rule: Rule, path: string): Record<string, unknown>[] =>
  rule.operations.map((operation) => filled(operation, placeholdersOf(path)) as Record<string, unknown>)

const placeholdersOf = (path: string): Map<string, string> => {
  const slash = path.lastIndexOf('/')
  const name = path.slice(slash + 1)
  const dot = name.lastIndexOf('.')
  return new Map([
    ['path', path],
    ['dir', slash < 0 ? '' : path.slice(0, slash)],
    ['name', name],
    ['stem', dot <= 0 ? name : name.slice(0, dot)],
    ['ext', dot <= 0 ? '' : name.slice(dot + 1)],
  ])
}

const filled = (value: unknown, placeholders: Map<string, string>): unknown => {
  if (typeof value === 'string') {
    return value.replace(/\{(\w+)\}/g, (whole, name: string) => placeholders.get(name) ?? whole)
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, placeholders))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner, placeholders)]))
}
