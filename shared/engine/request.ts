import { createHash } from 'node:crypto'
import { invalid, LockstepError } from '#domain/errors.ts'
import { operationIdOf } from '#domain/identifier.ts'
import { limits } from '#domain/limits.ts'
import type { LineUse } from '#domain/line.ts'
import type { Content, OperationRecord } from '#domain/operation.ts'
import { parseArguments } from '#operations/arguments.ts'
import { type CommonArguments, parseCommonArguments, usesOfLocks } from '#operations/common-arguments.ts'
import type { OperationKind } from '#operations/kind.ts'
import { kindOf } from '#operations/registry.ts'

/**
 * What a user asks for: `{id?, kind, hold?, locks?, ...args}` and, for kinds that take it, content as one of `body` (text), `bodyBase64`,
 * `bytes` (in process only), or `upload` with its `size` (and `parts`, for kinds whose upload is multipart).
 */
export type OperationRequest = Readonly<Record<string, unknown>>

/** A request that was found valid: the record to put, and the body that goes into an item of its own. */
export interface Prepared {
  readonly record: OperationRecord
  readonly body?: Uint8Array
}

/**
 * Validates a request and makes its record, without touching anything outside.
 * Throws LockstepError: `InvalidArgument` (names field, got, expected), `TooLarge`.
 */
export const prepare = (
  request: OperationRequest,
  options: { now: number; newId: () => string; hops?: number },
): Prepared => {
  const { id: givenId, kind: kindName, hold, locks, ...rest } = request
  if (typeof kindName !== 'string') throw invalid('kind', kindName, 'the name of an operation kind')
  const kind = kindOf(kindName)
  const id = givenId === undefined ? options.newId() : operationIdOf(givenId)
  const { fields, given } = kind.content === 'none' ? { fields: rest, given: undefined } : splitContent(rest)
  const args = parseArguments(kind, fields)
  const common = parseCommonArguments(kind.kind, { hold, locks })
  const content = given === undefined ? undefined : contentOf(given, kind)
  const record: OperationRecord = {
    v: 1,
    id,
    kind: kind.kind,
    args,
    digest: digestOf(kind.kind, args, given, common),
    uses: mergedUses([...kind.uses(args), ...usesOfLocks(common.locks)]),
    ...common,
    ...(content !== undefined && { content }),
    status: 'waiting',
    submittedAt: options.now,
    attempt: 0,
    tries: 0,
    leaseUntil: 0,
    ...(options.hops !== undefined && options.hops > 0 && { hops: options.hops }),
  }
  return given?.kind === 'bytes' && content?.kind === 'item' ? { record, body: given.bytes } : { record }
}

type GivenContent =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'upload'; readonly upload: string; readonly parts?: number; readonly size: number }

const contentFields = ['body', 'bodyBase64', 'bytes', 'upload'] as const

const splitContent = (
  rest: Record<string, unknown>,
): { fields: Record<string, unknown>; given: GivenContent } => {
  const { body, bodyBase64, bytes, upload, size, parts, ...fields } = rest
  const given = contentFields.filter((name) => rest[name] !== undefined)
  if (given.length !== 1) {
    throw invalid(
      'content',
      given.length === 0 ? undefined : given,
      `exactly one of ${contentFields.join(', ')}`,
    )
  }
  if (upload === undefined && (size !== undefined || parts !== undefined)) {
    throw invalid(size === undefined ? 'parts' : 'size', size ?? parts, 'nothing, unless `upload` is given')
  }
  return { fields, given: givenContent({ body, bodyBase64, bytes, upload, size, parts }) }
}

const givenContent = (fields: Record<string, unknown>): GivenContent => {
  const { body, bodyBase64, bytes, upload, size, parts } = fields
  if (upload !== undefined) {
    if (typeof upload !== 'string' || upload === '' || upload.length > 1024)
      throw invalid('upload', upload, 'the id of an upload')
    const count = parts === undefined ? {} : { parts: wholeNumber('parts', parts, 1, limits.parts) }
    return { kind: 'upload', upload, ...count, size: wholeNumber('size', size, 0, limits.fileBytes) }
  }
  const value =
    body !== undefined ? textBytes(body) : bodyBase64 !== undefined ? base64Bytes(bodyBase64) : bytes
  if (!(value instanceof Uint8Array)) throw invalid('bytes', value, 'a Uint8Array')
  if (value.byteLength > limits.bodyBytes) {
    throw new LockstepError(
      'TooLarge',
      `body: got ${value.byteLength} bytes, expected at most ${limits.bodyBytes}. Send larger content as an upload (\`put\` does).`,
      { details: { field: 'body', limitBytes: limits.bodyBytes, gotBytes: value.byteLength } },
    )
  }
  return { kind: 'bytes', bytes: value }
}

const textBytes = (body: unknown): Uint8Array => {
  if (typeof body !== 'string') throw invalid('body', body, 'text')
  if (!body.isWellFormed()) throw invalid('body', body, 'well-formed Unicode; send other bytes as bodyBase64')
  return Buffer.from(body, 'utf8')
}

const base64Bytes = (text: unknown): Uint8Array => {
  if (
    typeof text !== 'string' ||
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
  ) {
    throw invalid('bodyBase64', text, 'base64 (RFC 4648, padded)')
  }
  return Buffer.from(text, 'base64')
}

const wholeNumber = (field: string, value: unknown, least: number, most: number): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw invalid(field, value, `a whole number from ${least} to ${most}`)
  }
  return value
}

/** Where the content is kept, by its size and the kind's way with large content. */
const contentOf = (given: GivenContent, kind: OperationKind): Content => {
  if (given.kind === 'upload') {
    if (kind.content === 'staged')
      return { kind: 'staged', upload: stagingName(given.upload), size: given.size }
    if (given.parts === undefined) throw invalid('parts', undefined, 'the number of parts of the upload')
    return { kind: 'upload', uploadId: given.upload, parts: given.parts, size: given.size }
  }
  const size = given.bytes.byteLength
  return size <= limits.inlineBodyBytes
    ? { kind: 'inline', bytes: given.bytes, size }
    : { kind: 'item', size }
}

/** Part of an object key of ours: nothing but the id of an operation, so that no request can reach other internals. */
const stagingName = (upload: string): string => {
  if (!/^[0-9A-HJKMNP-TV-Z]{26}$/.test(upload))
    throw invalid('upload', upload, 'the id of a staged upload (a ULID)')
  return upload
}

/** Repeats of a line merge to the stronger mode; the order is that of first mention. */
const mergedUses = (uses: readonly LineUse[]): LineUse[] => {
  const merged = new Map<string, LineUse>()
  for (const use of uses) {
    if (merged.get(use.line)?.mode !== 'write') merged.set(use.line, use)
  }
  if (merged.size > limits.pathsPerOperation) {
    throw invalid(
      'paths',
      merged.size,
      `at most ${limits.pathsPerOperation} different paths and names in one operation`,
    )
  }
  return [...merged.values()]
}

const digestOf = (
  kind: string,
  args: unknown,
  given: GivenContent | undefined,
  common: CommonArguments,
): string => {
  const content = given?.kind === 'bytes' ? createHash('sha256').update(given.bytes).digest('base64') : given
  const request = [kind, args, content ?? null, ...(Object.keys(common).length > 0 ? [common] : [])]
  return createHash('sha256').update(canonical(request)).digest('base64url').slice(0, 22)
}

/** JSON with the names of objects in order, so that equal requests have equal digests. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_name, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
