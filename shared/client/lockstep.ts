import { LockstepError } from '#domain/errors.ts'
import { operationIdOf } from '#domain/identifier.ts'
import { limits } from '#domain/limits.ts'
import type { OperationDocument, OperationRecord } from '#domain/operation.ts'
import { parsePath } from '#domain/path.ts'
import { breakLine } from '#engine/break.ts'
import { cancel as cancelOperation, unknownOperation } from '#engine/cancel.ts'
import { describeLine, type LineDocument, type ListOptions, listOperations } from '#engine/explain.ts'
import { extendById, releaseHold } from '#engine/hold.ts'
import type { OperationRequest } from '#engine/request.ts'
import { errorOfFault } from '#engine/retry.ts'
import { isPortFault } from '#ports/faults.ts'
import type { Ports } from '#ports/ports.ts'
import { type AcceptOptions, accept } from './accept.ts'
import { acceptAll } from './batch.ts'
import { busyLines } from './busy-lines.ts'
import { type Connected, connect } from './connect.ts'
import type { FileContent } from './content.ts'
import type { DeploymentOptions, Found } from './discover.ts'
import { showRecord } from './documents.ts'
import type { DownloadOptions } from './download.ts'
import { type FileEntry, type ListFilesOptions, listFiles } from './files.ts'
import type { HeldLock, Lock } from './lock.ts'
import { type LockTarget, lineOfTarget } from './lock-target.ts'
import { acquireLock, type LockOptions, tryLock, workUnder } from './locking.ts'
import { Operation } from './operation.ts'
import type {
  ConditionOptions,
  ContentOptions,
  MoveOptions,
  OperationOptions,
  ReadOptions,
} from './options.ts'
import { follow, untilFinal, type WaitOptions } from './polling.ts'
import { bytesOfRead, saveRead } from './read-content.ts'
import type { AnyResult, LinkedReadResult, ResultOfKind } from './results.ts'

export interface LockstepOptions extends DeploymentOptions {
  /**
   * Ports made elsewhere, instead of a deployment to be found: for tests, and for processes that have them
   * already.
   */
  readonly ports?: Ports | undefined
}

/** How one request of a batch fared, in the order of the requests. */
export type SubmitOutcome =
  | { readonly kind: 'accepted'; readonly operation: Operation }
  | { readonly kind: 'refused'; readonly error: LockstepError }

/** A link to one version of a file, valid for 15 minutes. */
export interface FileLink {
  readonly url: string
  /** To be sent with a GET of `url`. */
  readonly headers: Readonly<Record<string, string>>
  readonly etag: string
  readonly size: number
}

/**
 * Asynchronous file operations on plain S3 objects, in order and exactly once. Every operation resolves to an
 * {@link Operation} once it is durably accepted; what it does is waited for with `result()`.
 *
 * Costs nothing until it is first used; then it finds the deployment (options, environment, local
 * environment, stack) and keeps the connection. Every failure is a LockstepError with a `code`, except an
 * abort, which throws the signal's reason.
 */
export class Lockstep {
  readonly #options: LockstepOptions
  #connecting: Promise<Connected> | undefined

  constructor(options: LockstepOptions = {}) {
    this.#options = options
  }

  /**
   * Replaces the file, or creates it. Content over 16 KiB goes straight to S3 in parallel parts, in bounded
   * memory (about 50 MB), and becomes visible at once when it is the operation's turn.
   */
  write(
    path: string,
    content: FileContent,
    options: ContentOptions = {},
  ): Promise<Operation<ResultOfKind['write']>> {
    return this.#accept({ kind: 'write', path }, options, content)
  }

  /** Adds to the end of the file, or creates it. The result tells where the content starts. */
  append(
    path: string,
    content: FileContent,
    options: ContentOptions = {},
  ): Promise<Operation<ResultOfKind['append']>> {
    return this.#accept({ kind: 'append', path }, options, content)
  }

  /**
   * The content if it has at most 64 KiB, else a link to exactly the version that was read. See also {@link
   * get}.
   */
  read(path: string, options: ReadOptions = {}): Promise<Operation<ResultOfKind['read']>> {
    return this.#accept({ kind: 'read', path }, options)
  }

  stat(
    path: string,
    options: OperationOptions & { ifMatch?: string | undefined } = {},
  ): Promise<Operation<ResultOfKind['stat']>> {
    return this.#accept({ kind: 'stat', path }, options)
  }

  copy(from: string, to: string, options: MoveOptions = {}): Promise<Operation<ResultOfKind['copy']>> {
    return this.#accept({ kind: 'copy', from, to }, options)
  }

  move(from: string, to: string, options: MoveOptions = {}): Promise<Operation<ResultOfKind['move']>> {
    return this.#accept({ kind: 'move', from, to }, options)
  }

  delete(path: string, options: ConditionOptions = {}): Promise<Operation<ResultOfKind['delete']>> {
    return this.#accept({ kind: 'delete', path }, options)
  }

  /** Makes `to` the sources, one after another. */
  concat(
    from: readonly string[],
    to: string,
    options: ConditionOptions = {},
  ): Promise<Operation<ResultOfKind['concat']>> {
    return this.#accept({ kind: 'concat', from, to }, options)
  }

  /** `algorithm`: sha256, crc32, crc32c, crc64nvme or md5. The digest is hexadecimal. */
  checksum(
    path: string,
    algorithm: string,
    options: OperationOptions & { ifMatch?: string | undefined } = {},
  ): Promise<Operation<ResultOfKind['checksum']>> {
    return this.#accept({ kind: 'checksum', path, algorithm }, options)
  }

  /**
   * Any request, as in HTTP: `{kind, ...args}`, with content as `body`, `bodyBase64`, `bytes` or `upload`.
   */
  submit(request: OperationRequest, options: OperationOptions = {}): Promise<Operation> {
    return this.#accept(request, options)
  }

  /**
   * Each request on its own, with an outcome for each, in order; one that is refused stops no other. Requests
   * on the same path take effect in the order given.
   */
  submitAll(
    requests: readonly OperationRequest[],
    options: { signal?: AbortSignal } = {},
  ): Promise<SubmitOutcome[]> {
    return this.#with(async (ports) => {
      const outcomes = await acceptAll(
        ports,
        requests.map((request) => ({ request })),
        options,
      )
      return outcomes.map((outcome) =>
        outcome.kind === 'accepted'
          ? { kind: 'accepted', operation: this.#operationOf(outcome.record) }
          : outcome,
      )
    })
  }

  /** An operation submitted before, perhaps by another process. Throws `NotFound`. */
  operation(id: string): Promise<Operation> {
    return this.#with(async (ports) => this.#operationOf(await recordOf(ports, id)))
  }

  /** The document of an operation, with why it waits if it does. Throws `NotFound`. */
  show(id: string): Promise<OperationDocument> {
    return this.#with(async (ports) => showRecord(ports, await recordOf(ports, id)))
  }

  /** Ends it at once if it waits; asks it to stop at its next step if it runs; leaves it if it is final. */
  cancel(id: string): Promise<OperationDocument> {
    return this.#with(async (ports) => showRecord(ports, await cancelOperation(ports, operationIdOf(id))))
  }

  /** Waits for the final state. Throws `Timeout`, `NotFound`. */
  wait(id: string, options: WaitOptions = {}): Promise<OperationDocument> {
    return this.#with(async (ports) => showRecord(ports, await untilFinal(ports, operationIdOf(id), options)))
  }

  /** The documents of an operation as they change (progress, its place in line), the final one last. */
  async *watch(id: string, options: WaitOptions = {}): AsyncGenerator<OperationDocument> {
    const { ports } = await this.#connect()
    let last = ''
    try {
      for await (const record of follow(ports, operationIdOf(id), options)) {
        const document = await showRecord(ports, record)
        const text = JSON.stringify(document)
        if (text !== last) yield document
        last = text
      }
    } catch (error) {
      throw await this.#explained(error)
    }
  }

  /** Open operations, then finished ones of the last days, newest first. */
  async *list(options: ListOptions = {}): AsyncGenerator<OperationDocument> {
    const { ports } = await this.#connect()
    try {
      for await (const record of listOperations(ports, options)) yield await showRecord(ports, record)
    } catch (error) {
      throw await this.#explained(error)
    }
  }

  /** Who holds the line of a path, or of a name, and who waits in it, in order. */
  line(target: LockTarget): Promise<LineDocument> {
    return this.#with((ports) => describeLine(ports, lineOfTarget(target)))
  }

  /** The lines in which somebody stands. */
  lines(): Promise<LineDocument[]> {
    return this.#with(async (ports) => {
      const lines = await Promise.all((await busyLines(ports)).map((line) => describeLine(ports, line)))
      return lines.filter(({ holders, waiters }) => holders.length + waiters.length > 0)
    })
  }

  /**
   * Takes a lock on paths or names, all at once, and waits for its turn: in the order of the requests,
   * operations among them. Held, with a heartbeat, until `release()`. Throws `Timeout`, `LineFull`.
   */
  lock(targets: LockTarget | readonly LockTarget[], options: LockOptions = {}): Promise<Lock> {
    return this.#with((ports) => acquireLock(ports, targets, options))
  }

  /** Takes the lock if it is free now, else null, with nothing left behind. */
  tryLock(
    targets: LockTarget | readonly LockTarget[],
    options: Omit<LockOptions, 'timeoutMs'> = {},
  ): Promise<Lock | null> {
    return this.#with((ports) => tryLock(ports, targets, options))
  }

  /** Runs `work` while holding, and lets go whatever happens. Throws `LeaseLost` if it was lost meanwhile. */
  async withLock<T>(
    targets: LockTarget | readonly LockTarget[],
    options: LockOptions,
    work: (held: HeldLock) => Promise<T> | T,
  ): Promise<T> {
    return workUnder(await this.lock(targets, options), options.signal, work)
  }

  /** Releases a hold by its id, in whatever process it was taken. Throws `NotFound`. */
  release(hold: string): Promise<OperationDocument> {
    return this.#with(async (ports) => showRecord(ports, await releaseHold(ports, operationIdOf(hold))))
  }

  /** The lease ends `leaseMs` from now (default: as it was taken with). Throws `LeaseLost`, `NotFound`. */
  extend(hold: string, options: { readonly leaseMs?: number | undefined } = {}): Promise<OperationDocument> {
    return this.#with(async (ports) =>
      showRecord(ports, await extendById(ports, operationIdOf(hold), options.leaseMs)),
    )
  }

  /** Ends the holds that are granted there; who did it and why is written into them. Gives what it broke. */
  break(
    target: LockTarget,
    options: { readonly by: string; readonly reason?: string | undefined },
  ): Promise<OperationDocument[]> {
    return this.#with(async (ports) => {
      const records = await breakLine(ports, lineOfTarget(target), options)
      return Promise.all(records.map((record) => showRecord(ports, record)))
    })
  }

  /** The files under a prefix, in the order of their paths. Looks past the lines: what is there now. */
  async *ls(prefix = '', options: ListFilesOptions = {}): AsyncGenerator<FileEntry> {
    const { ports } = await this.#connect()
    try {
      yield* listFiles(ports, prefix, options)
    } catch (error) {
      throw await this.#explained(error)
    }
  }

  /** A link to the file as it is now. Looks past the lines; `read` waits its turn. Throws `NotFound`. */
  link(path: string): Promise<FileLink> {
    return this.#with(async (ports) => {
      const head = await ports.objects.head(parsePath(path))
      if (head === null)
        throw new LockstepError('NotFound', `${JSON.stringify(path)} does not exist.`, { details: { path } })
      const link = await ports.objects.link(path, head, limits.linkSeconds)
      return { ...link, etag: head.etag, size: head.size }
    })
  }

  /**
   * Reads a file of any size into a file on this machine: a `read` in turn, then parallel ranges of exactly
   * what it saw. The file appears whole or not at all. Throws what the read fails with; `PreconditionFailed`
   * if the file changes meanwhile.
   */
  async get(
    path: string,
    file: string,
    options: ReadOptions & WaitOptions & DownloadOptions = {},
  ): Promise<LinkedReadResult> {
    const { timeoutMs, onReceived, ...reading } = options
    const operation = await this.read(path, reading)
    const result = await operation.result({ timeoutMs, signal: options.signal })
    await this.save(path, result, file, { onReceived, signal: options.signal })
    return result
  }

  /** Writes what a `read` has seen into a file on this machine. */
  save(path: string, result: LinkedReadResult, file: string, options: DownloadOptions = {}): Promise<void> {
    return this.#with((ports) => saveRead(ports, path, result, file, options))
  }

  /** What a `read` has seen, in order, piece by piece. */
  async *bytes(
    path: string,
    result: LinkedReadResult,
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array> {
    const { ports } = await this.#connect()
    try {
      yield* bytesOfRead(ports, path, result, options)
    } catch (error) {
      throw await this.#explained(error)
    }
  }

  /** Which deployment this is, and how it was found; undefined if ports were given. */
  async found(): Promise<Found | undefined> {
    return (await this.#connect()).found
  }

  /** Closes the connections. A process can end without it. */
  async close(): Promise<void> {
    const connecting = this.#connecting
    this.#connecting = undefined
    const connected = await connecting?.catch(() => undefined)
    connected?.close()
  }

  async #accept<Result = AnyResult>(
    request: OperationRequest,
    { signal, size, onSent, ...given }: AcceptOptions,
    content?: FileContent,
  ): Promise<Operation<Result>> {
    const wanted = { request: { ...request, ...given }, content }
    return this.#with(async (ports) =>
      this.#operationOf<Result>(await accept(ports, wanted, { signal, size, onSent })),
    )
  }

  #operationOf<Result = AnyResult>(record: OperationRecord): Operation<Result> {
    return new Operation<Result>(record, this)
  }

  async #with<T>(work: (ports: Ports) => Promise<T>): Promise<T> {
    const { ports } = await this.#connect()
    try {
      return await work(ports)
    } catch (error) {
      throw await this.#explained(error)
    }
  }

  /** One search for all calls; after a failed one the next call looks again. */
  #connect(): Promise<Connected> {
    this.#connecting ??= connect(this.#options).catch((error: unknown) => {
      this.#connecting = undefined
      throw error
    })
    return this.#connecting
  }

  /** A deployment that cannot be reached: says which one it is, how it was found, and what to do. */
  async #explained(error: unknown): Promise<unknown> {
    if (!isPortFault(error)) return error
    const known = errorOfFault(error)
    const { found } = await this.#connect()
    if (found === undefined || (error.fault !== 'unreachable' && error.fault !== 'denied')) return known
    const message = `${known.message} The deployment is that of ${found.origin}. ${found.remedy}`
    return new LockstepError(known.code, message, {
      details: { ...known.details, origin: found.origin },
      cause: error,
    })
  }
}

const recordOf = async (ports: Ports, id: string): Promise<OperationRecord> => {
  const record = await ports.operations.get(operationIdOf(id))
  if (record === undefined) throw unknownOperation(id)
  return record
}
