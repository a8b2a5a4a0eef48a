import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { checkRequest, type FileContent, type OperationRequest } from '#client/index.ts'
import { type ErrorDocument, isLockstepError, LockstepError, show } from '#domain/errors.ts'

/** One operation of a manifest, and the line that it stands in, from 1. */
export interface ManifestLine {
  readonly line: number
  readonly request: OperationRequest
}

interface BadLine {
  readonly line: number
  readonly error: ErrorDocument
}

/** As many as fit on a screen: whoever mends these sees the next ones. */
const mostBadLines = 20

/**
 * Reads a manifest: one operation a line, as JSON, empty lines left out. Every line is checked before any is
 * used. Throws LockstepError `InvalidArgument` that names each bad line, its field, what was got and what was
 * expected.
 */
export const readManifest = async (content: FileContent): Promise<ManifestLine[]> => {
  const lines: ManifestLine[] = []
  const bad: BadLine[] = []
  let line = 0
  const input = typeof content === 'string' || content instanceof Uint8Array ? [content] : content
  for await (const text of createInterface({
    input: Readable.from(input),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    line += 1
    // A byte order mark, as some editors put before the first line.
    const trimmed = text.replace(/^\uFEFF/, '').trim()
    if (trimmed === '') continue
    const parsed = parseLine(trimmed)
    if ('error' in parsed) bad.push({ line, error: parsed.error })
    else lines.push({ line, request: parsed.request })
  }
  if (bad.length > 0) throw badManifest(bad)
  return lines
}

const parseLine = (text: string): { request: OperationRequest } | { error: ErrorDocument } => {
  try {
    const request = requestIn(text)
    checkRequest(request)
    return { request }
  } catch (error) {
    if (isLockstepError(error)) return { error: error.toDocument() }
    throw error
  }
}

const requestIn = (text: string): OperationRequest => {
  const value = jsonOf(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as OperationRequest
  const expected = 'an object like {"kind": "copy", "from": "a.txt", "to": "b.txt"}'
  throw new LockstepError('InvalidArgument', `got ${show(text)}, expected ${expected}.`, {
    details: { expected },
  })
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const badManifest = (bad: readonly BadLine[]): LockstepError => {
  const shown = bad.slice(0, mostBadLines)
  const more = bad.length > shown.length ? ` And ${bad.length - shown.length} more.` : ''
  const said = shown.map(({ line, error }) => `line ${line}: ${error.message}`).join(' ')
  return new LockstepError('InvalidArgument', `${said}${more} Nothing was submitted.`, {
    details: { lines: shown.map(({ line, error }) => ({ line, ...error })) },
  })
}
