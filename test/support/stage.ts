import { setImmediate } from 'node:timers/promises'
import type { Line } from '#domain/line.ts'
import { lineOfPath } from '#domain/line.ts'
import { messageOf } from '#domain/message.ts'
import type { OperationRecord } from '#domain/operation.ts'
import { consume, type Handled } from '#engine/consume.ts'
import { handleDeadLetter } from '#engine/dead-letter.ts'
import { type OperationRequest, prepare } from '#engine/request.ts'
import { type RunOutcome, run } from '#engine/run.ts'
import { type Accepted, submit } from '#engine/submit.ts'
import { type SweepReport, sweep } from '#engine/sweep.ts'
import type { Intercept } from '#memory/intercept.ts'
import type { MemoryWorldOptions } from '#memory/memory-ports.ts'
import { type MemoryPorts, type MemoryWorld, memoryPorts, memoryWorld } from '#memory/memory-ports.ts'
import type { QueueName } from '#ports/message-queue.ts'
import type { Ports } from '#ports/ports.ts'
import type { Mortal } from './gates.ts'

/** As `infra/constructs/timings.ts` sets them for the functions. */
export const timeoutMs = 30_000
export const sweepTimeoutMs = 60_000
export const visibilityMs = 40_000

export interface DeliverOptions {
  /** The ports of the worker. Default: a process of its own, without faults. */
  readonly ports?: Ports
  /** The worker, if it dies: its message is then neither deleted nor postponed. */
  readonly mortal?: Mortal
  readonly queue?: QueueName
  readonly messageId?: string
}

/**
 * A deployment in memory and the processes that live in it, driven step by step by a scenario. Nothing happens
 * by itself: messages are delivered, sweeps made and time passed only when the scenario says so.
 */
export class Stage {
  readonly world: MemoryWorld
  #processes = 0

  constructor(options: MemoryWorldOptions = {}) {
    this.world = memoryWorld({ visibilityMs, ...options })
  }

  /** The ports of a new process. */
  process(intercept?: Intercept): MemoryPorts {
    this.#processes += 1
    const faults = intercept === undefined ? {} : { intercept }
    return memoryPorts({ world: this.world, seed: this.#processes, ...faults })
  }

  get now(): number {
    return this.world.clock.now()
  }

  /** Waits for work that may sleep: time passes as fast as nobody has anything else to do. */
  until<T>(work: Promise<T>): Promise<T> {
    return this.world.clock.runUntil(work)
  }

  /** Lets everything happen that can happen without time passing. */
  async settle(): Promise<void> {
    await setImmediate()
  }

  async pass(ms: number): Promise<void> {
    await this.world.clock.advance(ms)
  }

  /** Submits as a process of its own, or as the one given. */
  accept(request: OperationRequest, ports: Ports = this.process()): Promise<Accepted> {
    const prepared = prepare(request, { now: ports.clock.now(), newId: () => ports.ids.operationId() })
    return submit(ports, prepared)
  }

  /** Submits, and returns the id. */
  async submit(request: OperationRequest, ports?: Ports): Promise<string> {
    return (await this.until(this.accept(request, ports))).record.id
  }

  /** An id of now. */
  newId(): string {
    return this.process().ids.operationId()
  }

  /** Delivers one visible message (default: the oldest), and deletes it unless it is given back. */
  async deliver(options: DeliverOptions = {}): Promise<Handled | undefined> {
    const { ports = this.process(), mortal, queue: lane = 'operations', messageId } = options
    const delivery = this.world.queue.queues[lane].receive(messageId)
    if (delivery === undefined) return undefined
    const isAlive = (): boolean => mortal?.isDead !== true
    const received = {
      receipt: delivery.messageId,
      body: delivery.body,
      delivery: { postpone: async (ms: number) => (isAlive() ? delivery.postpone(ms) : undefined) },
    }
    const invocation = { lane, deadline: this.now + timeoutMs, signal: new AbortController().signal }
    const { handled, giveBack } = await consume(ports, [received], invocation, run)
    if (isAlive() && giveBack.length === 0) await delivery.delete()
    return handled[0]
  }

  /** Delivers everything that is visible, and what follows from it, without time passing. */
  async deliverAll(): Promise<Handled[]> {
    const all: Handled[] = []
    for (;;) {
      const handled = await this.#deliverAny()
      if (handled === undefined) return all
      all.push(handled)
      if (all.length > 1_000) throw new Error('1,000 messages and no end: they breed')
    }
  }

  async #deliverAny(): Promise<Handled | undefined> {
    return (await this.until(this.deliver())) ?? (await this.until(this.deliver({ queue: 'shards' })))
  }

  /** A worker that gets one message of `id`, whatever the queue holds. */
  run(id: string, ports: Ports = this.process(), lane: QueueName = 'operations'): Promise<RunOutcome> {
    const invocation = { lane, deadline: this.now + timeoutMs, signal: new AbortController().signal }
    return run(ports, id, invocation)
  }

  /** A duplicate of a message of `id`, as SQS may deliver at any time. */
  duplicate(id: string, lane: QueueName = 'operations'): string {
    return this.world.queue.queues[lane].push(messageOf(id))
  }

  sweep(ports: Ports = this.process()): Promise<SweepReport> {
    return sweep(ports, { deadline: this.now + sweepTimeoutMs })
  }

  deadLetter(id: string, ports: Ports = this.process()): Promise<RunOutcome> {
    const bounds = { deadline: this.now + timeoutMs, signal: new AbortController().signal }
    return this.until(handleDeadLetter(ports, id, bounds))
  }

  /** So many minutes of ordinary life: every message is delivered, and a sweep is made each minute. */
  async live(minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute += 1) {
      await this.deliverAll()
      await this.pass(60_000)
      await this.until(this.sweep())
    }
    await this.deliverAll()
  }

  /** Fails if there is no such record. */
  record(id: string): OperationRecord {
    const record = this.world.tables.records.get(id)?.record
    if (record === undefined) throw new Error(`no record ${id}`)
    return record
  }

  hasRecord(id: string): boolean {
    return this.world.tables.records.has(id)
  }

  /** Ids in the line of a path, in order of their tickets. */
  async line(path: string): Promise<string[]> {
    return (await this.wholeLine(path)).entries.map((entry) => entry.id)
  }

  async wholeLine(path: string): Promise<Line> {
    const [line] = await this.world.lines.read([lineOfPath(path)])
    if (line === undefined) throw new Error(`no line of ${path}`)
    return line
  }

  /** The content of a file as text; null if it is absent. */
  async text(path: string): Promise<string | null> {
    const outcome = await this.world.objects.get(path)
    if (outcome.kind !== 'found') return null
    const chunks: Uint8Array[] = []
    for await (const chunk of outcome.bytes) chunks.push(chunk)
    return Buffer.concat(chunks).toString('utf8')
  }

  /** A file put by somebody who knows nothing of Lockstep. */
  outsider(path: string, text: string): Promise<string> {
    return this.world.objects.write(path, Buffer.from(text))
  }

  /** Ids of the messages in a queue, hidden ones included. */
  messages(queue: QueueName = 'operations'): string[] {
    return this.world.queue.queues[queue].all().map(({ body }) => (JSON.parse(body) as { id: string }).id)
  }

  /** Loses all messages, as if nobody had ever sent them. */
  async loseMessages(): Promise<void> {
    for (const queue of Object.values(this.world.queue.queues)) {
      await this.pass(Math.max(0, (queue.nextVisibleAt ?? this.now) - this.now))
      for (let delivery = queue.receive(); delivery !== undefined; delivery = queue.receive()) {
        await delivery.delete()
      }
    }
  }
}
