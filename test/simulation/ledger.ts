import { type LineUse, lineOfPath } from '#domain/line.ts'
import { isFinal, type OperationRecord } from '#domain/operation.ts'
import { internalPrefix } from '#domain/path.ts'
import type { ObjectChange } from '#memory/bucket.ts'
import type { Call } from '#memory/intercept.ts'
import type { MemoryWorld } from '#memory/memory-ports.ts'
import type { History } from './history.ts'
import { conflicting, holdsLine } from './line-law.ts'
import type { Scheduler } from './scheduler.ts'
import { type Law, Violation } from './violation.ts'

/** What the ledger knows of a process. */
export interface Mortal {
  readonly name: string
  readonly isDead: boolean
  readonly isOver: boolean
}

/** What the ledger looks at. */
export interface Watched {
  readonly memory: MemoryWorld
  readonly scheduler: Scheduler
  readonly history: History
  label(id: string | undefined): string
  fail(error: unknown): void
}

/** Who makes a call, and for which operation, as far as known. */
export interface Actor {
  readonly process: Mortal
  readonly call: Call
  readonly operation: string | undefined
}

/** One visible change of one file. */
export interface Effect {
  readonly step: number
  readonly path: string
  /** Undefined: an outsider's. */
  readonly operation: string | undefined
  /** Undefined: there was, or is, no file. */
  readonly before: FileState | undefined
  readonly after: FileState | undefined
}

export interface FileState {
  readonly bytes: Buffer
  readonly etag: string
  readonly contentType: string | undefined
  readonly metadata: Readonly<Record<string, string>>
}

/** Watches every call that changes something, checks the invariants, and remembers what the end is judged by. */
export class Ledger {
  readonly #world: Watched
  readonly #zombies: boolean
  #actor: Actor | undefined
  readonly #changes: ObjectChange[] = []
  readonly #highest = new Map<string, number>()
  readonly #lastEffect = new Map<string, number>()
  readonly #finals = new Map<string, string>()
  readonly #claimants = new Map<string, { attempt: number; process: Mortal; letGo: boolean }>()
  readonly files = new Map<string, FileState>()
  readonly effects: Effect[] = []
  /** By operation, by line: the tickets it held when it was first claimed. */
  readonly tickets = new Map<string, ReadonlyMap<string, number>>()
  /** By operation: the files when it was finished. */
  readonly filesAtEnd = new Map<string, ReadonlyMap<string, FileState>>()
  /** Uploads, and the process that created each. */
  readonly uploads = new Map<string, { path: string; process: Mortal; operation: string | undefined }>()

  constructor(world: Watched, options: { zombies: boolean }) {
    this.#world = world
    this.#zombies = options.zombies
  }

  /** Called by the bucket, in the very step of the change. */
  changed(change: ObjectChange): void {
    if (!change.path.startsWith(internalPrefix)) this.#changes.push(change)
  }

  /** Makes the call, and checks what it did before anybody else goes on. */
  async recording(actor: Actor, proceed: () => Promise<unknown>): Promise<unknown> {
    this.#actor = actor
    const value = await proceed()
    try {
      await this.#judge(actor, value)
    } catch (error) {
      this.#world.fail(error)
    }
    return value
  }

  effectsOf(id: string): Effect[] {
    return this.effects.filter(({ operation }) => operation === id)
  }

  async #judge(actor: Actor, value: unknown): Promise<void> {
    const { call, process, operation } = actor
    const name = `${call.port}.${call.method}`
    if (name.startsWith('lines.enter')) this.#entered(value)
    if (name === 'operations.claim') this.#claimed(actor, value)
    if (name === 'operations.endLease') this.#letGo(call)
    if (name === 'objects.createUpload') {
      this.uploads.set(value as string, { path: String(call.args[0]), process, operation })
    }
    if (call.port === 'operations' && typeof call.args[0] === 'string') this.#stillFinal(call.args[0])
    if (name === 'operations.finish') this.#finished(call, value)
    if (isChanging(name)) this.#world.history.call(process.name, call, value, operation)
    for (let change = this.#changes.shift(); change !== undefined; change = this.#changes.shift()) {
      await this.#effect(change, this.#actor?.operation)
    }
  }

  #entered(value: unknown): void {
    if ((value as { kind: string }).kind !== 'entered') return
    for (const [key, line] of this.#world.memory.tables.lines) {
      for (const { id, ticket } of line.entries.values()) {
        if (ticket <= (this.#highest.get(`${key} ${id}`) ?? -1)) continue
        const highest = this.#highest.get(key) ?? 0
        if (ticket <= highest) throw broken('growth', `ticket ${ticket} after ${highest} in ${key}`)
        this.#highest.set(key, ticket)
        this.#highest.set(`${key} ${id}`, ticket)
      }
    }
  }

  #claimed({ call, process }: Actor, value: unknown): void {
    const { kind, record } = value as { kind: string; record: OperationRecord | undefined }
    if (kind !== 'claimed' || record === undefined) return
    const { id, attempt, uses } = record
    const before = this.#claimants.get(id)
    if (before?.attempt === attempt && before.process === process) return // its own lost answer
    const label = this.#world.label(id)
    if (!this.#zombies && before !== undefined && !before.letGo && isAlive(before.process)) {
      const who = `${process.name} takes over from ${before.process.name}, which lives`
      throw broken('exclusion', `${who}: attempt ${attempt} of ${label} (${call.method})`)
    }
    this.#claimants.set(id, { attempt, process, letGo: false })
    const tickets = uses.map((use) => [use.line, this.#grantedTicket(use, id, 'is claimed')] as const)
    if (!this.tickets.has(id)) this.tickets.set(id, new Map(tickets))
    this.#alone(record)
  }

  #finished(call: Call, value: unknown): void {
    if ((value as { kind: string }).kind !== 'finished') return
    const id = String(call.args[0])
    if (!this.filesAtEnd.has(id)) this.filesAtEnd.set(id, new Map(this.files))
  }

  #letGo(call: Call): void {
    const [id, attempt] = call.args as [string, number]
    const claimant = this.#claimants.get(id)
    if (claimant?.attempt === attempt) claimant.letGo = true
  }

  /** The ticket of an operation that must be granted in that line. */
  #grantedTicket(use: LineUse, id: string, what: string): number {
    const entries = [...(this.#world.memory.tables.lines.get(use.line)?.entries.values() ?? [])]
    const own = entries.find((entry) => entry.id === id)
    const label = this.#world.label(id)
    if (own === undefined) throw broken('exclusion', `${label} ${what} without an entry in ${use.line}`)
    if (!holdsLine(entries, own))
      throw broken('exclusion', `${label} ${what} while not granted in ${use.line}`)
    return own.ticket
  }

  /** What runs excludes everything that conflicts with it. */
  #alone(record: OperationRecord): void {
    for (const { record: other } of this.#world.memory.tables.records.values()) {
      if (other.id === record.id || other.status !== 'running') continue
      const line = conflicting(record.uses, other.uses)
      if (line === undefined) continue
      const labels = `${this.#world.label(record.id)} and ${this.#world.label(other.id)}`
      throw broken('exclusion', `${labels} run together on ${line}`)
    }
  }

  #stillFinal(id: string): void {
    const record = this.#world.memory.tables.records.get(id)?.record
    if (record === undefined || !isFinal(record.status)) return
    const { status, result, error } = record
    const ending = JSON.stringify({ status, result, error })
    const before = this.#finals.get(id)
    if (before === undefined) {
      this.#finals.set(id, ending)
      this.#world.history.ending(id, { status, result, error })
    } else if (before !== ending) {
      throw broken('growth', `${this.#world.label(id)} was ${before}, and is now ${ending}`)
    }
  }

  async #effect(change: ObjectChange, operation: string | undefined): Promise<void> {
    const { path } = change
    const before = this.files.get(path)
    const after = change.kind === 'created' ? await this.#fileAt(path) : undefined
    if (after === undefined) this.files.delete(path)
    else this.files.set(path, after)
    this.effects.push({ step: this.#world.scheduler.steps, path, operation, before, after })
    const content = after === undefined ? 'gone' : JSON.stringify(after.bytes.toString('latin1').slice(0, 60))
    this.#world.history.note(operation === undefined ? 'outsider' : '', `FILE is ${content}`, operation, path)
    if (operation !== undefined) this.#lawful(path, operation)
  }

  /** An effect happens while its operation runs and is granted, in the order of the tickets, and once. */
  #lawful(path: string, id: string): void {
    const record = this.#world.memory.tables.records.get(id)?.record
    const label = this.#world.label(id)
    if (record === undefined) throw broken('once', `an effect on ${path} of ${label}, which has no record`)
    if (record.status !== 'running')
      throw broken('once', `an effect on ${path} of ${label}, which is ${record.status}`)
    const use = record.uses.find(({ line }) => line === lineOfPath(path))
    if (use?.mode !== 'write') throw broken('exclusion', `${label} changes ${path}, which it may not`)
    for (const each of record.uses) this.#grantedTicket(each, id, `changes ${path}`)
    const ticket = this.#grantedTicket(use, id, `changes ${path}`)
    const last = this.#lastEffect.get(path) ?? 0
    if (ticket < last)
      throw broken('order', `${label} with ticket ${ticket} changes ${path} after ${last} did`)
    this.#lastEffect.set(path, ticket)
    const own = this.effectsOf(id).filter((effect) => effect.path === path && !this.isUndone(effect))
    if (own.length > 1) {
      throw broken('once', `${label} changes ${path} a second time`)
    }
  }

  /**
   * What nobody can tell: an outsider undid the effect, so that the file was as before. A file that is at its
   * base counts as not changed yet; the takeover then does it again, or finds that it cannot be done.
   */
  isUndone({ step, path, before }: Effect): boolean {
    return this.effects.some(
      (later) =>
        later.operation === undefined &&
        later.path === path &&
        later.step >= step &&
        later.after?.etag === before?.etag,
    )
  }

  #fileAt(path: string): Promise<FileState | undefined> {
    const { objects } = this.#world.memory
    return this.#world.scheduler.observe(async () => {
      const head = await objects.head(path)
      const outcome = await objects.get(path)
      if (head === null || outcome.kind !== 'found') return undefined
      const chunks: Uint8Array[] = []
      for await (const chunk of outcome.bytes) chunks.push(chunk)
      const { contentType, metadata } = head.attributes
      return { bytes: Buffer.concat(chunks), etag: head.etag, contentType, metadata }
    })
  }
}

const isAlive = ({ isDead, isOver }: Mortal): boolean => !isDead && !isOver

const broken = (law: Law, message: string): Violation => new Violation(law, message)

const readings = /\.(get|getMany|read|head|tags|parts|schedule|body|list|uploads|link)$/

const isChanging = (name: string): boolean => !readings.test(name)
