import type { ErrorDocument } from '#domain/errors.ts'
import type { Content, OperationRecord, Progress, Work } from '#domain/operation.ts'
import { MemoryObjectStore } from '#memory/memory-object-store.ts'
import { VirtualClock } from '#memory/virtual-clock.ts'
import { parseArguments } from '#operations/arguments.ts'
import type { OperationKind } from '#operations/kind.ts'
import { kindOf } from '#operations/registry.ts'
import type { Applied, Result, Seen, Task } from '#operations/task.ts'
import type { ObjectStore } from '#ports/object-store.ts'

export const MIB = 1024 * 1024

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** `size` bytes that differ from place to place, so that a wrong offset shows. */
export const pattern = (size: number, seed = 1): Uint8Array => {
  const words = new Uint32Array(Math.ceil(size / 4))
  for (let index = 0; index < words.length; index += 1) words[index] = Math.imul(index + seed, 2654435761)
  return new Uint8Array(words.buffer, 0, size)
}

export const memoryObjects = (): MemoryObjectStore => new MemoryObjectStore({ clock: new VirtualClock() })

export const bytesOf = async (objects: ObjectStore, path: string): Promise<Buffer | undefined> => {
  const outcome = await objects.get(path)
  if (outcome.kind !== 'found') return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of outcome.bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export interface FakeOptions {
  readonly content?: Content
  /** Bytes of `item` content. */
  readonly item?: Uint8Array
  readonly work?: Work
  readonly large?: boolean
  readonly timeIsUp?: () => boolean
}

export interface FakeTask extends Task {
  readonly saved: { work: Work; progress: Progress | undefined }[]
}

export const operationId = '01ARZ3NDEKTSV4RRFFQ69G5FAV'

export const inline = (bytes: Uint8Array): Content => ({ kind: 'inline', bytes, size: bytes.length })

export const fakeTask = (
  objects: ObjectStore,
  kind: OperationKind,
  given: object,
  options: FakeOptions = {},
): FakeTask => {
  const args = parseArguments(kind, given)
  let work = options.work ?? {}
  const { content } = options
  const saved: FakeTask['saved'] = []
  return {
    record: recordOf(kind, args, content),
    args,
    objects,
    mark: { operationId },
    get work() {
      return work
    },
    large: options.large ?? false,
    signal: new AbortController().signal,
    timeIsUp: options.timeIsUp ?? (() => false),
    body: async () => (content?.kind === 'inline' ? content.bytes : (options.item ?? new Uint8Array())),
    save: async (next, progress) => {
      work = next
      saved.push({ work: next, progress })
    },
    saved,
  }
}

const recordOf = (
  kind: OperationKind,
  args: Readonly<Record<string, unknown>>,
  content: Content | undefined,
): OperationRecord => ({
  v: 1,
  id: operationId,
  kind: kind.kind,
  args,
  digest: 'digest',
  uses: kind.uses(args),
  ...(content !== undefined && { content }),
  status: 'running',
  submittedAt: 0,
  attempt: 1,
  tries: 1,
  leaseUntil: 1,
})

export const observe = async (objects: ObjectStore, kind: OperationKind, args: Task['args']): Promise<Seen> =>
  Object.fromEntries(
    await Promise.all(kind.touches(args).map(async (path) => [path, await objects.head(path)] as const)),
  )

/** One try as the engine makes it: look, check, take effect. */
export const tryOnce = async (
  objects: ObjectStore,
  kindName: string,
  given: object,
  options: FakeOptions = {},
): Promise<Applied> => {
  const kind = kindOf(kindName)
  const task = fakeTask(objects, kind, given, options)
  const seen = await observe(objects, kind, task.args)
  return applied(kind, task, seen)
}

export const applied = async (kind: OperationKind, task: Task, seen: Seen): Promise<Applied> => {
  if (kind.effect === 'hold') throw new TypeError(`a ${kind.kind} takes no effect`)
  if (kind.effect === 'read') return kind.run(task, seen)
  const error = kind.check(task.args, seen)
  return error === undefined ? kind.apply(task, seen) : { kind: 'failed', error }
}

/** The result of one try that must succeed. */
export const succeed = async (
  objects: ObjectStore,
  kindName: string,
  given: object,
  options: FakeOptions = {},
): Promise<Result> => {
  const outcome = await tryOnce(objects, kindName, given, options)
  if (outcome.kind !== 'done') throw new Error(`expected done, got ${JSON.stringify(outcome)}`)
  return outcome.result
}

/** The error of one try that must fail. */
export const fail = async (
  objects: ObjectStore,
  kindName: string,
  given: object,
  options: FakeOptions = {},
): Promise<ErrorDocument> => {
  const outcome = await tryOnce(objects, kindName, given, options)
  if (outcome.kind !== 'failed') throw new Error(`expected failed, got ${JSON.stringify(outcome)}`)
  return outcome.error
}

export const write = (
  objects: ObjectStore,
  path: string,
  body: Uint8Array,
  more: object = {},
): Promise<Result> => succeed(objects, 'write', { path, ...more }, { content: inline(body) })

export const append = (
  objects: ObjectStore,
  path: string,
  body: Uint8Array,
  more: object = {},
): Promise<Result> => succeed(objects, 'append', { path, ...more }, { content: inline(body) })
