import { isLockstepError, type LockstepError } from '#domain/errors.ts'
import { operationIdOf } from '#domain/identifier.ts'
import { limits } from '#domain/limits.ts'
import type { OperationRecord } from '#domain/operation.ts'
import { stagingKey } from '#domain/path.ts'
import { type OperationRequest, prepare } from '#engine/request.ts'
import { submit } from '#engine/submit.ts'
import { targetOf } from '#engine/target.ts'
import { newAttributes } from '#operations/attributes.ts'
import { kindOf } from '#operations/registry.ts'
import { isUnanswered } from '#ports/faults.ts'
import type { Ports } from '#ports/ports.ts'
import { type FileContent, measure } from './content.ts'
import { stage } from './stage.ts'
import { fillUpload, type Outgoing } from './upload.ts'

/** What is asked for: a request as in HTTP, and content beside it if it is large, or a stream. */
export interface Wanted {
  readonly request: OperationRequest
  readonly content?: FileContent | undefined
}

export interface AcceptOptions {
  readonly signal?: AbortSignal | undefined
  /** Of the content, if known beforehand. */
  readonly size?: number | undefined
  /** Told the bytes of the content sent to S3 so far. Small content is sent at once, without a word. */
  readonly onSent?: ((bytes: number) => void) | undefined
}

/** A wish with its id fixed, so that every retry of it is the same submit. */
export interface Settled extends Wanted {
  readonly id: string
}

/** Fixes the id; content in the request that is too large for a record is set apart. */
export const settle = ({ request, content }: Wanted, newId: () => string): Settled => {
  const { id: given, ...rest } = request
  const id = given === undefined ? newId() : operationIdOf(given)
  if (content !== undefined) return { request: rest, content, id }
  const { body, bodyBase64, bytes, ...others } = rest
  const large = [body, bytes, decoded(bodyBase64)].find(isLarge)
  return large === undefined ? { request: rest, id } : { request: others, content: large, id }
}

const isLarge = (value: unknown): value is string | Uint8Array =>
  (typeof value === 'string' || value instanceof Uint8Array) && Buffer.byteLength(value) > limits.bodyBytes

/** Undefined if it is not base64: `prepare` then says so. */
const decoded = (text: unknown): Uint8Array | undefined => {
  if (typeof text !== 'string' || text.length <= limits.bodyBytes) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/**
 * Finds what is wrong with a wish, before anything is sent. Throws LockstepError `InvalidArgument`,
 * `TooLarge`.
 */
export const preview = ({ request, content, id }: Settled, now: number): OperationRecord => {
  const bytes = content === undefined ? {} : { bytes: new Uint8Array(0) }
  return prepare({ ...request, ...bytes, id }, { now, newId: () => id }).record
}

/** Finds what is wrong with a request, for whoever has no deployment at hand. Throws like {@link preview}. */
export const checkRequest = (request: OperationRequest): void => {
  preview(
    settle({ request }, () => '0'.repeat(26)),
    0,
  )
}

const inProcess = (ports: Ports) => ({ now: ports.clock.now(), newId: () => ports.ids.operationId() })

/**
 * Makes a wish an operation that is durably accepted. Content over 16 KiB goes straight to S3 first: of a
 * `write` as parts of the file to be, of an `append` as an object of its own. Nothing is left behind by what
 * was refused.
 */
export const accept = async (
  ports: Ports,
  given: Wanted,
  options: AcceptOptions = {},
): Promise<OperationRecord> => {
  options.signal?.throwIfAborted()
  const { now, newId } = inProcess(ports)
  const wanted = settle(given, newId)
  const record = preview(wanted, now)
  const { content, request, id } = wanted
  if (content === undefined) return submitRequest(ports, { ...request, id }, options)
  const measured = await measure(content, limits.bodyBytes, options.signal)
  if (measured.kind === 'small')
    return submitRequest(ports, { ...request, id, bytes: measured.bytes }, options)
  const outgoing: Outgoing = { ...options, chunks: measured.chunks, size: measured.size ?? options.size }
  const earlier = given.request['id'] === undefined ? undefined : await ports.operations.get(id)
  if (earlier !== undefined)
    return acceptAgain(ports, { ...request, id }, earlier, { ...options, size: outgoing.size })
  return kindOf(record.kind).content === 'staged'
    ? acceptStaged(ports, { ...request, id }, outgoing)
    : acceptUpload(ports, { ...request, id }, record, outgoing)
}

const submitRequest = async (
  ports: Ports,
  request: OperationRequest,
  { signal }: AcceptOptions,
): Promise<OperationRecord> =>
  (await submit(ports, prepare(request, inProcess(ports)), signal === undefined ? {} : { signal })).record

/**
 * The id is known, so its content has arrived: not sent once more, but submitted again as it was then.
 * Arguments and size are compared (another request is a `Conflict`); the bytes of large content are not.
 */
const acceptAgain = (
  ports: Ports,
  request: OperationRequest,
  { content }: OperationRecord,
  options: AcceptOptions,
): Promise<OperationRecord> => {
  const size = options.size ?? content?.size ?? 0
  if (content?.kind === 'upload') {
    return submitRequest(ports, { ...request, upload: content.uploadId, parts: content.parts, size }, options)
  }
  if (content?.kind === 'staged')
    return submitRequest(ports, { ...request, upload: content.upload, size }, options)
  // It had small content or none, so that this one differs whatever it brings.
  return submitRequest(ports, { ...request, upload: request['id'], parts: 1, size }, options)
}

const acceptUpload = async (
  ports: Ports,
  request: OperationRequest,
  record: OperationRecord,
  outgoing: Outgoing,
): Promise<OperationRecord> => {
  const path = targetOf(record)
  const mark = { operationId: record.id }
  const { uploadId, parts, size } = await fillUpload(
    ports,
    path,
    { attributes: newAttributes(record.args), mark },
    outgoing,
  )
  try {
    return await submitRequest(ports, { ...request, upload: uploadId, parts: parts.length, size }, outgoing)
  } catch (error) {
    if (await isRefused(ports, record.id, error)) await ports.objects.abort(path, uploadId)
    throw error
  }
}

const acceptStaged = async (
  ports: Ports,
  request: OperationRequest,
  outgoing: Outgoing,
): Promise<OperationRecord> => {
  const id = String(request['id'])
  const size = await stage(ports, id, outgoing)
  try {
    return await submitRequest(ports, { ...request, upload: id, size }, outgoing)
  } catch (error) {
    if (await isRefused(ports, id, error)) await ports.objects.discard(stagingKey(id))
    throw error
  }
}

/**
 * True if it is certain that the operation was not accepted and never will be. While it is not, its content
 * must stay: the sweeper may complete a submit that stopped half-way.
 */
const isRefused = async (ports: Ports, id: string, error: unknown): Promise<boolean> => {
  if (isLockstepError(error)) return isRefusal(error)
  if (isUnanswered(error)) return false
  try {
    return (await ports.operations.get(id)) === undefined
  } catch {
    return false
  }
}

const isRefusal = ({ code }: LockstepError): boolean => code !== 'Internal'
