import { isLockstepError } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import { stagingKey } from '#domain/path.ts'
import { cancel } from '#engine/cancel.ts'
import { prepare } from '#engine/request.ts'
import { submit } from '#engine/submit.ts'
import { Crash } from '#memory/intercept.ts'
import { newAttributes } from '#operations/attributes.ts'
import { isPortFault } from '#ports/faults.ts'
import { Process } from './process.ts'
import { Violation } from './violation.ts'
import type { Plan } from './workload.ts'
import type { Wish, World } from './world.ts'

type Request = Readonly<Record<string, unknown>>

/** What may befall any client: a fault, or its own death. Everything else is somebody's mistake. */
const isExpected = (error: unknown): boolean => error instanceof Crash || isPortFault(error)

/** Somebody who submits what is planned, one after another, and does what else is planned with each. */
export class Client {
  readonly #world: World
  readonly #name: string
  readonly #plans: readonly Plan[]

  constructor(world: World, name: string, plans: readonly Plan[]) {
    this.#world = world
    this.#name = name
    this.#plans = plans
  }

  async run(): Promise<void> {
    const asides: Promise<void>[] = []
    for (const [index, plan] of this.#plans.entries()) {
      await this.#world.clock.sleep(plan.thinkMs)
      const wish = await this.#wish(plan, `${this.#name}.${index}`)
      if (wish === undefined) continue
      asides.push(...this.#asides(plan, wish))
      await this.#submit(wish, plan.tries)
    }
    await Promise.all(asides)
  }

  /** Fixes the id, and sends large content ahead. Undefined if that failed: nothing was submitted then. */
  async #wish(plan: Plan, tag: string): Promise<Wish | undefined> {
    const { kind, args, content } = plan
    const process = this.#process(tag)
    const id = process.ports().ids.operationId()
    try {
      const given = content === undefined ? {} : await this.#content(process, plan, id)
      const target = args['path'] ?? `${String(args['from'])}>${String(args['to'])}`
      const wish: Wish = {
        id,
        label: `${tag} ${kind} ${String(target)}`,
        kind,
        request: { id, kind, ...args, ...given },
        ...(content !== undefined && { content }),
        startedAt: this.#world.scheduler.steps,
        isRefused: false,
        isCancelAsked: false,
      }
      this.#world.wishes.set(id, wish)
      return wish
    } catch (error) {
      if (!isExpected(error)) this.#world.fail(error)
      return undefined
    } finally {
      process.end()
    }
  }

  async #content(process: Process, { kind, args, content, pieces }: Plan, id: string): Promise<Request> {
    const bytes = content ?? new Uint8Array()
    if (pieces === undefined) return { bytes }
    const { objects } = process.ports()
    const size = bytes.length
    const mark = { operationId: id }
    if (kind === 'append') {
      await objects.put(stagingKey(id), bytes, 'absent', newAttributes({}), mark)
      return { upload: id, size }
    }
    const path = String(args['path'])
    const upload = await objects.createUpload(path, newAttributes(args), mark)
    let start = 0
    for (const [index, length] of pieces.entries()) {
      await objects.uploadPart(path, upload, index + 1, bytes.subarray(start, start + length))
      start += length
    }
    return { upload, size, parts: pieces.length }
  }

  async #submit(wish: Wish, tries: number): Promise<void> {
    for (let left = tries; left > 0; left -= 1) {
      if (await this.#try(wish, wish.request)) return
      await this.#world.clock.sleep(this.#world.chance.integer(0, 20_000))
    }
  }

  /** True if there is an answer: accepted, or refused for good. */
  async #try(wish: Wish, request: Request): Promise<boolean> {
    const process = this.#process(wish.label)
    try {
      const options = { now: process.clock.now(), newId: () => wish.id }
      await submit(process.ports(wish.id), prepare(request, options))
      wish.acknowledgedAt ??= this.#world.scheduler.steps
      this.#world.history.note(process.name, 'is acknowledged', wish.id)
      return true
    } catch (error) {
      this.#world.history.note(process.name, `is told ${String(error)}`, wish.id)
      if (isLockstepError(error) && error.code === 'LineFull') wish.isRefused = true
      else if (!isExpected(error)) this.#world.fail(error)
      return wish.isRefused
    } finally {
      process.end()
    }
  }

  #asides({ cancelAfterMs, resubmitAfterMs, isMisused }: Plan, wish: Wish): Promise<void>[] {
    const asides: Promise<void>[] = []
    if (cancelAfterMs !== undefined) asides.push(this.#cancel(wish, cancelAfterMs))
    if (resubmitAfterMs !== undefined) asides.push(this.#resubmit(wish, resubmitAfterMs))
    if (isMisused) asides.push(this.#misuse(wish))
    return asides
  }

  async #resubmit(wish: Wish, afterMs: number): Promise<void> {
    await this.#world.clock.sleep(afterMs)
    await this.#submit(wish, 2)
  }

  async #cancel(wish: Wish, afterMs: number): Promise<void> {
    await this.#world.clock.sleep(afterMs)
    const process = this.#process(`${wish.label} (cancel)`)
    wish.isCancelAsked = true
    try {
      await cancel(process.ports(wish.id), wish.id)
    } catch (error) {
      const isUnknown = isLockstepError(error) && error.code === 'NotFound'
      if (!isUnknown && !isExpected(error)) this.#world.fail(error)
    } finally {
      process.end()
    }
  }

  /** The id with another request: must be refused if the id is known, and changes nothing. */
  async #misuse(wish: Wish): Promise<void> {
    await this.#world.clock.sleep(this.#world.chance.integer(0, 60_000))
    if (wish.acknowledgedAt === undefined) return
    const process = this.#process(`${wish.label} (misuse)`)
    try {
      const request = { kind: 'write', path: 'p0', body: 'misuse', id: wish.id }
      await submit(process.ports(), prepare(request, { now: process.clock.now(), newId: () => wish.id }))
      this.#world.fail(new Violation('once', `${wish.label}: its id was accepted for another request`))
    } catch (error) {
      const isConflict = isLockstepError(error) && error.code === 'Conflict'
      if (!isConflict && !isExpected(error)) this.#world.fail(error)
    } finally {
      process.end()
    }
  }

  /** Whatever holds it up, a submitter is gone after a minute. */
  #process(name: string): Process {
    const process = new Process(this.#world, name, 'client')
    process.killAfter(limits.submitMs)
    return process
  }
}
