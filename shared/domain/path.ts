import { invalid } from './errors.ts'
import { limits } from './limits.ts'

/** Our own keys in the files bucket; no user path may lie under it. */
export const internalPrefix = '.lockstep/'
/** Where the body of a large append waits for its turn: `.lockstep/staging/<upload id>`. */
export const stagingKey = (upload: string): string => `${internalPrefix}staging/${upload}`

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is what this pattern is for
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/

/**
 * The rule that `value` breaks as a path, or undefined if it is one: 1 to 1,024 bytes of UTF-8, no leading `/`, no empty,
 * `.` or `..` segment, no control characters, not under `.lockstep/`.
 */
export const brokenPathRule = (value: string): string | undefined => {
  if (value === '') return 'at least 1 byte'
  if (!value.isWellFormed()) return 'well-formed Unicode (no lone surrogates)'
  const bytes = Buffer.byteLength(value)
  if (bytes > limits.pathBytes) return `at most ${limits.pathBytes} bytes of UTF-8 (this has ${bytes})`
  if (value.startsWith('/')) return 'no leading "/"'
  if (controlCharacter.test(value)) return 'no control characters'
  if (value.startsWith(internalPrefix) || value === internalPrefix.slice(0, -1)) {
    return `a path outside "${internalPrefix}", which is reserved`
  }
  return brokenSegmentRule(value)
}

/** The rule that `value` breaks as the name of a lock, or undefined if it is one. */
export const brokenNameRule = (value: string): string | undefined => {
  if (value === '') return 'at least 1 byte'
  if (!value.isWellFormed()) return 'well-formed Unicode (no lone surrogates)'
  const bytes = Buffer.byteLength(value)
  if (bytes > limits.nameBytes) return `at most ${limits.nameBytes} bytes of UTF-8 (this has ${bytes})`
  return controlCharacter.test(value) ? 'no control characters' : undefined
}

/** Returns `value` as the name of a lock or throws `InvalidArgument` that names the field and the rule. */
export const parseName = (value: unknown, field = 'name'): string => {
  if (typeof value !== 'string') throw invalid(field, value, 'a name (text)')
  const rule = brokenNameRule(value)
  if (rule !== undefined) throw invalid(field, value, rule)
  return value
}

const brokenSegmentRule = (value: string): string | undefined => {
  for (const segment of value.split('/')) {
    if (segment === '') return 'no empty segment (no "//", no trailing "/")'
    if (segment === '.' || segment === '..') return 'no "." or ".." segment'
  }
  return undefined
}

/** Returns `value` as a path or throws `InvalidArgument` that names the field and the rule. */
export const parsePath = (value: unknown, field = 'path'): string => {
  if (typeof value !== 'string') throw invalid(field, value, 'a path (text)')
  const rule = brokenPathRule(value)
  if (rule !== undefined) throw invalid(field, value, rule)
  return value
}
