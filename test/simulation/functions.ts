import { parseMessage } from '#domain/message.ts'
import { consume } from '#engine/consume.ts'
import { handleDeadLetter } from '#engine/dead-letter.ts'
import { type Invocation, run } from '#engine/run.ts'
import { sweep } from '#engine/sweep.ts'
import { Crash } from '#memory/intercept.ts'
import { type MemoryDelivery, MemoryQueue } from '#memory/memory-message-queue.ts'
import { isPortFault } from '#ports/faults.ts'
import type { QueueName } from '#ports/message-queue.ts'
import { Process } from './process.ts'
import { timeoutMs, visibilityMs, type World } from './world.ts'

const lastMomentMs = 3_000
const sweepTimeoutMs = 60_000
const sweepReserveMs = 5_000
const longestDelayMs = 120_000
const zombieMs = 150_000

type Lane = QueueName | 'dead'

interface Deliverable {
  readonly lane: Lane
  readonly messageId: string
}

/** The platform: gives messages to functions, in any order, late and twice, and kills what runs too long. */
export class Functions {
  readonly #world: World
  readonly #dead: MemoryQueue
  readonly #notBefore = new Map<string, number>()
  #count = 0
  running = 0

  constructor(world: World) {
    this.#world = world
    const { clock, scheduler } = world
    const maxReceives = Number.POSITIVE_INFINITY
    this.#dead = new MemoryQueue({ clock, turn: scheduler.step, visibilityMs, maxReceives })
  }

  get isIdle(): boolean {
    return this.running === 0 && this.#lanes().every(([, queue]) => queue.all().length === 0)
  }

  /** Messages that could be delivered now; none while all functions are busy. */
  deliverable(): Deliverable[] {
    this.#bury()
    if (this.running >= this.#world.profile.workers) return []
    const now = this.#world.clock.now()
    return this.#lanes().flatMap(([lane, queue]) =>
      queue
        .visible()
        .filter(({ messageId }) => this.#due(lane, messageId) <= now)
        .map(({ messageId }) => ({ lane, messageId })),
    )
  }

  /** When the next message can be delivered that cannot be now, epoch ms. */
  get nextAt(): number {
    if (this.running >= this.#world.profile.workers) return Number.POSITIVE_INFINITY
    const now = this.#world.clock.now()
    const times = this.#lanes().flatMap(([lane, queue]) =>
      queue.all().map(({ messageId, visibleAt }) => Math.max(visibleAt, this.#due(lane, messageId))),
    )
    return Math.min(...times.filter((time) => time > now), Number.POSITIVE_INFINITY)
  }

  /** Starts a function for that message, and maybe some others that are there. */
  deliver({ lane, messageId }: Deliverable): void {
    const queue = this.#queue(lane)
    const first = this.#receive(queue, messageId)
    if (first === undefined) return
    if (!this.#world.isCalm && this.#world.chance.happens(this.#world.profile.loss)) {
      this.#lose(first)
      return
    }
    const batch = [first]
    while (lane !== 'dead' && batch.length < this.#world.profile.batch) {
      const next = this.deliverable().find((other) => other.lane === lane)
      const more = next === undefined ? undefined : this.#receive(queue, next.messageId)
      if (more === undefined) break
      batch.push(more)
    }
    this.running += 1
    const work = lane === 'dead' ? this.#deadLetter(first) : this.#consume(lane, batch)
    void work
      .catch((error: unknown) => this.#world.fail(error))
      .finally(() => {
        this.running -= 1
      })
  }

  /** One sweep a minute, until `isOver`. */
  async sweepEachMinute(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.#world.clock.sleep(60_000)
      const process = this.#process('sweeper', sweepTimeoutMs)
      try {
        await sweep(process.ports(), { deadline: process.clock.now() + sweepTimeoutMs - sweepReserveMs })
      } catch (error) {
        if (!(error instanceof Crash) && !isPortFault(error)) this.#world.fail(error)
      } finally {
        process.end()
      }
    }
  }

  /** Nobody ever hears of it. */
  #lose(message: MemoryDelivery): void {
    this.#world.history.note('', 'a message is lost', (JSON.parse(message.body) as { id: string }).id)
    void this.#world.scheduler.observe(() => message.delete())
  }

  #receive(queue: MemoryQueue, messageId: string): MemoryDelivery | undefined {
    const { chance, profile, isCalm } = this.#world
    if (!isCalm && chance.happens(profile.duplicate)) queue.duplicate(messageId)
    const delivery = queue.receive(messageId)
    if (delivery !== undefined && !isCalm && chance.happens(profile.early)) this.#showEarly(delivery)
    return delivery
  }

  /** At least once: the same message again while its first receiver is busy with it. */
  #showEarly(delivery: MemoryDelivery): void {
    const { scheduler, chance } = this.#world
    void scheduler.observe(() => delivery.postpone(chance.integer(0, timeoutMs)))
  }

  async #consume(lane: QueueName, batch: readonly MemoryDelivery[]): Promise<void> {
    const { profile, chance, isCalm } = this.#world
    const process = this.#process(`w${this.#count}`, timeoutMs)
    const received = batch.map((delivery) => ({
      receipt: delivery.messageId,
      body: delivery.body,
      delivery: { postpone: async (ms: number) => (process.isDead ? undefined : delivery.postpone(ms)) },
    }))
    const handle = (_ports: unknown, id: string, invocation: Invocation) =>
      run(process.ports(id), id, invocation)
    const { giveBack } = await consume(process.ports(), received, { lane, ...this.#bounds(process) }, handle)
    for (const delivery of batch) {
      if (process.isDead || giveBack.includes(delivery.messageId)) continue
      if (isCalm || !chance.happens(profile.undeleted)) await delivery.delete()
    }
    process.end()
  }

  async #deadLetter(delivery: MemoryDelivery): Promise<void> {
    const parsed = parseMessage(delivery.body)
    if (!('message' in parsed)) throw new TypeError(`dead letter: ${parsed.reason}`)
    const process = this.#process(`d${this.#count}`, timeoutMs)
    const { id } = parsed.message
    try {
      const outcome = await handleDeadLetter(process.ports(id), id, this.#bounds(process))
      if (!process.isDead && outcome.kind !== 'again') await delivery.delete()
    } catch (error) {
      if (!(error instanceof Crash) && !isPortFault(error)) throw error
    } finally {
      process.end()
    }
  }

  #bounds(process: Process): { deadline: number; signal: AbortSignal } {
    const controller = new AbortController()
    void this.#world.clock.sleep(timeoutMs - lastMomentMs).then(() => controller.abort())
    return { deadline: process.clock.now() + timeoutMs, signal: controller.signal }
  }

  #process(name: string, killedAfterMs: number): Process {
    this.#count += 1
    const process = new Process(this.#world, name, 'function')
    process.killAfter(this.#world.profile.zombies ? zombieMs : killedAfterMs)
    return process
  }

  #lanes(): [Lane, MemoryQueue][] {
    const { operations, shards } = this.#world.memory.queue.queues
    return [
      ['operations', operations],
      ['shards', shards],
      ['dead', this.#dead],
    ]
  }

  #queue(lane: Lane): MemoryQueue {
    return lane === 'dead' ? this.#dead : this.#world.memory.queue.queues[lane]
  }

  /** Drawn once per message: most are there at once, some take their time. */
  #due(lane: Lane, messageId: string): number {
    const key = `${lane} ${messageId}`
    const known = this.#notBefore.get(key)
    if (known !== undefined) return known
    const { chance, profile, clock } = this.#world
    const due = clock.now() + (chance.happens(profile.delay) ? chance.integer(0, longestDelayMs) : 0)
    this.#notBefore.set(key, due)
    return due
  }

  #bury(): void {
    for (const queue of Object.values(this.#world.memory.queue.queues)) {
      for (let body = queue.takeDead(); body !== undefined; body = queue.takeDead()) this.#dead.push(body)
    }
  }
}
