import * as z from 'zod/mini'
import { invalid, type LockstepError } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import { brokenNameRule, brokenPathRule } from '#domain/path.ts'

/**
 * The pieces that the kinds build their argument schemas from. The message of every issue is the second half
 * of a sentence: what was expected. {@link parseArguments} puts the field and what was got before it.
 */

type Broken = string | undefined

/** A text that obeys a rule; `brokenRule` says what was expected, or undefined if all is well. */
const ruledText = (what: string, brokenRule: (value: string) => Broken) =>
  z.string({ error: what }).check(
    z.check<string>((payload) => {
      const expected = brokenRule(payload.value)
      if (expected !== undefined)
        payload.issues.push({ code: 'custom', input: payload.value, message: expected })
    }),
  )

/** A path of the files bucket, by the rule of `parsePath`. */
export const path = ruledText('a path (text)', brokenPathRule)

/** The name of a lock: any text on one line, of at most as many bytes as a path. */
export const lockName = ruledText('a name (text)', brokenNameRule)

export const mode = z.enum(['read', 'write'], { error: '"read" or "write"' })

const etagText = /^[\x21\x23-\x7e]+$/

const unquoted = (value: string): string =>
  value.length > 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value

const brokenEtagRule = (value: string): Broken => {
  if (value === '*' || (etagText.test(unquoted(value)) && !value.startsWith('W/'))) return undefined
  return 'one ETag as given by stat (with or without its quotes; no list, no weak ETag), or "*"'
}

/** S3 writes ETags in quotes, people often without: kept with them, so that conditions compare texts. */
const quoted = (value: string): string => (value === '*' ? value : `"${unquoted(value)}"`)

const condition = z.optional(z.pipe(ruledText('an ETag (text), or "*"', brokenEtagRule), z.transform(quoted)))

/**
 * `ifMatch`: `*` = the file exists, an ETag = it is exactly that version. Both may be given; both must hold
 * then.
 */
export const ifMatch = condition
/** `ifNoneMatch`: `*` = the file does not exist, an ETag = it is not that version (absent is fine). */
export const ifNoneMatch = condition

/** The conditions on the file that an operation writes. */
export const targetConditions = { ifMatch, ifNoneMatch }

/** Types are short; the limit keeps them so, and the record under 1 KB. */
const contentTypeChars = 256
const mediaType = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(\s*;[\x20-\x7e]*)?$/

export const contentType = z.optional(
  ruledText('a media type (text) like "text/plain"', (value) => {
    if (value.length > contentTypeChars) return `a media type of at most ${contentTypeChars} characters`
    return mediaType.test(value) ? undefined : 'a media type like "text/plain; charset=utf-8"'
  }),
)

const metadataName = /^[\w!#$%&'*+.^`|~-]+$/
/** Spaces at the ends do not survive an HTTP header; better refused than silently lost. */
const metadataValue = /^$|^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/

const ownPrefix = 'lockstep-'

const brokenMetadataEntry = (name: string, value: unknown): Broken => {
  if (!metadataName.test(name)) return 'a name of letters, digits and -._ (it travels as an HTTP header)'
  if (name.toLowerCase().startsWith(ownPrefix))
    return `a name that does not start with "${ownPrefix}", which is reserved`
  if (typeof value !== 'string') return 'a text as value'
  return metadataValue.test(value) ? undefined : 'printable ASCII, no space at either end'
}

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const metadataIssue = (
  value: Record<string, unknown>,
): { expected: string; path: string[]; got: unknown } | undefined => {
  const names = new Set<string>()
  let bytes = 0
  for (const [name, text] of Object.entries(value)) {
    const expected = brokenMetadataEntry(name, text)
    if (expected !== undefined) return { expected, path: [name], got: text }
    const lower = name.toLowerCase()
    if (names.has(lower))
      return { expected: 'names that differ in more than their case', path: [name], got: text }
    names.add(lower)
    bytes += name.length + String(text).length
  }
  if (bytes <= limits.metadataBytes) return undefined
  return {
    expected: `at most ${limits.metadataBytes} bytes of names and values in all (this has ${bytes})`,
    path: [],
    got: value,
  }
}

const lowerCased = (value: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(value).map(([name, text]) => [name.toLowerCase(), text]))

/**
 * User metadata: names in lower case, as S3 keeps them. Checked by hand, since zod's records drop `__proto__`
 * silently.
 */
export const metadata = z.optional(
  z.pipe(
    z.custom<Record<string, string>>(isPlainObject, { error: 'an object of texts' }).check(
      z.check<Record<string, string>>((payload) => {
        if (!isPlainObject(payload.value)) return
        const issue = metadataIssue(payload.value)
        if (issue === undefined) return
        payload.issues.push({ code: 'custom', input: issue.got, path: issue.path, message: issue.expected })
      }),
    ),
    z.transform(lowerCased),
  ),
)

const offset = z
  .int({ error: 'a whole number of bytes, 0 or more' })
  .check(z.minimum(0, { error: 'a whole number of bytes, 0 or more' }))

/** Bytes `start` to `end`, both inclusive, from 0; without `end`, to the end of the file. */
export const range = z.optional(
  z.strictObject({ start: offset, end: z.optional(offset) }, { error: 'an object {start, end}' }).check(
    z.check<{ start: number; end?: number | undefined }>(({ value, issues }) => {
      if (value.end === undefined || value.end >= value.start) return
      issues.push({
        code: 'custom',
        input: value.end,
        path: ['end'],
        message: `at least the start, ${value.start}`,
      })
    }),
  ),
)

/** `from` and `to` of one transfer: never the same file. */
export const isNotOntoItself = z.check<{ from: string; to: string }>(({ value, issues }) => {
  if (value.from !== value.to) return
  issues.push({ code: 'custom', input: value.to, path: ['to'], message: 'another path than "from"' })
})

type AnyIssue = z.core.$ZodIssue

/**
 * `given` as the arguments of `kind`, or a thrown `InvalidArgument` that names the field, what was got and
 * what was expected. Arguments that are `undefined` count as not given. Content (`body`, ...) and what every
 * operation takes (`id`, `hold`, ...) must have been taken out before.
 */
export const parseArguments = <Args>(
  kind: { kind: string; schema: z.ZodMiniType<Args> },
  given: unknown,
): Args => {
  const parsed = kind.schema.safeParse(isPlainObject(given) ? withoutUndefined(given) : given)
  if (parsed.success) return parsed.data
  throw errorOfIssues(kind.kind, parsed.error.issues, given, knownArguments(kind.schema))
}

const withoutUndefined = (given: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))

const knownArguments = (schema: unknown): string[] =>
  schema instanceof z.ZodMiniObject ? Object.keys(schema.shape) : []

/**
 * A typo shows as an unknown argument and often as a missing one too: the unknown one is the better answer.
 */
const errorOfIssues = (kind: string, issues: AnyIssue[], given: unknown, known: string[]): LockstepError => {
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys')
  if (unknown?.code === 'unrecognized_keys') {
    const path = [...unknown.path, unknown.keys[0] ?? '']
    const names =
      unknown.path.length > 0 ? 'no such field' : `one of the arguments of ${kind} (${known.join(', ')})`
    return invalid(fieldOf(path), valueAt(given, path), names)
  }
  const issue = issues[0]
  if (issue === undefined || issue.path.length === 0)
    return invalid('arguments', given, `an object (${known.join(', ')})`)
  return invalid(fieldOf(issue.path), valueAt(given, issue.path), issue.message)
}

/** `from[3]`, `range.end`: as one would write it in code. */
const fieldOf = (path: readonly PropertyKey[]): string =>
  path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '')

const valueAt = (given: unknown, path: readonly PropertyKey[]): unknown => {
  let value = given
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<PropertyKey, unknown>)[step]
  }
  return value
}
