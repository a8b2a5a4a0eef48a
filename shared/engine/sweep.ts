import pLimit from 'p-limit'
import { limits } from '#domain/limits.ts'
import { emptyLine, isGranted, isInLine, type Line } from '#domain/line.ts'
import { isFinal, type OperationRecord } from '#domain/operation.ts'
import { openShards } from '#domain/schedule.ts'
import type { Ports } from '#ports/ports.ts'
import { endWaiting } from './ending.ts'
import { isTimedOut, timeOutHold } from './hold.ts'
import { holdLost } from './hold-endings.ts'
import { release, wake } from './release.ts'
import { expired } from './run.ts'
import { tidy } from './tidy.ts'

/** What a sweep did, for logs and metrics. */
export interface SweepReport {
  looked: number
  sent: number
  completed: number
  settled: number
  expired: number
  failures: number
  /** False if the time ran out: the next sweep goes on. */
  finished: boolean
}

const pageSize = 100
const atOnce = 8

/**
 * Looks at every open operation that is due and does what somebody who died should have done: completes submits that stopped
 * half-way, sends what is granted or stalled and not running, follows what waits to its blocker, expires what is too old,
 * and releases once more what ended while its submitter could still be enqueueing.
 */
export const sweep = async (ports: Ports, invocation: { deadline: number }): Promise<SweepReport> => {
  const report: SweepReport = {
    looked: 0,
    sent: 0,
    completed: 0,
    settled: 0,
    expired: 0,
    failures: 0,
    finished: true,
  }
  const sweeper = new Sweeper(ports, report)
  const limit = pLimit(atOnce)
  const now = ports.clock.now()
  const isOver = (): boolean => ports.clock.now() >= invocation.deadline
  await Promise.all(
    openShards().map((shard) => limit(() => sweepShard(ports, sweeper, { shard, now, isOver }))),
  )
  report.finished = !isOver()
  return report
}

const sweepShard = async (
  ports: Ports,
  sweeper: Sweeper,
  { shard, now, isOver }: { shard: string; now: number; isOver: () => boolean },
): Promise<void> => {
  let cursor: string | undefined
  do {
    const options = { to: now, limit: pageSize, ...(cursor !== undefined && { cursor }) }
    const page = await ports.operations.schedule(shard, options)
    const records = page.ids.length === 0 ? [] : await ports.operations.getMany(page.ids)
    for (const record of records) {
      if (isOver()) return
      await sweeper.look(record)
    }
    cursor = page.cursor
  } while (cursor !== undefined)
}

class Sweeper {
  readonly #ports: Ports
  readonly #report: SweepReport
  /** Sent in this sweep already: many may wait for the same head. */
  readonly #sent = new Set<string>()
  /**
   * Lines as first read in this sweep: a thousand may wait in one. What follows from an old reading is a redundant message,
   * or an enqueue that its guard refuses; what is missed is seen by the next sweep.
   */
  readonly #lines = new Map<string, Promise<Line>>()

  constructor(ports: Ports, report: SweepReport) {
    this.#ports = ports
    this.#report = report
  }

  /** One that fails must not keep the others from being healed: it is counted, and looked at again by the next sweep. */
  async look(record: OperationRecord): Promise<void> {
    this.#report.looked += 1
    try {
      if (isFinal(record.status)) await this.#settle(record)
      else if (record.status === 'running') await this.#stalled(record)
      else if (this.#isTooOld(record)) await this.#expire(record)
      else if (isTimedOut(record, this.#ports.clock.now())) await this.#timeOut(record)
      else await this.#waiting(record)
    } catch {
      this.#report.failures += 1
    }
  }

  #isTooOld(record: OperationRecord): boolean {
    return this.#ports.clock.now() - record.submittedAt > limits.operationLifeMs
  }

  async #settle(record: OperationRecord): Promise<void> {
    await release(this.#ports, record)
    await tidy(this.#ports, record)
    await this.#ports.operations.settle(record)
    this.#report.settled += 1
  }

  async #stalled(record: OperationRecord): Promise<void> {
    if (record.leaseUntil <= this.#ports.clock.now()) await this.#send(record)
  }

  async #expire(record: OperationRecord): Promise<void> {
    const now = this.#ports.clock.now()
    const ended = await endWaiting(this.#ports, record, { status: 'failed', error: expired(record.id), now })
    if (ended !== undefined) this.#report.expired += 1
  }

  async #timeOut(record: OperationRecord): Promise<void> {
    if ((await timeOutHold(this.#ports, record)) !== undefined) this.#report.expired += 1
  }

  async #waiting(record: OperationRecord): Promise<void> {
    const lines = await Promise.all(record.uses.map((use) => this.#line(use.line)))
    if (lines.every((line) => !isInLine(line, record.id))) return this.#completeSubmit(record)
    if (lines.every((line) => isGranted(line, record.id))) return this.#send(record)
    const heads = lines
      .filter((line) => !isGranted(line, record.id))
      .flatMap((line) => line.entries[0]?.id ?? [])
    for (const id of new Set(heads)) await this.#followBlocker(id)
  }

  #line(key: string): Promise<Line> {
    const known = this.#lines.get(key)
    if (known !== undefined) return known
    const reading = this.#ports.lines.read([key]).then(([line]) => line ?? emptyLine(key))
    this.#lines.set(key, reading)
    return reading
  }

  /** The submitter died between the record and its entries: they are made now, only while the record still waits. */
  async #completeSubmit(record: OperationRecord): Promise<void> {
    const guard = { kind: 'waiting', id: record.id } as const
    const now = this.#ports.clock.now()
    const outcome = await this.#ports.lines.enterTogether(record.uses, record.id, guard, now, record.hold)
    if (outcome.kind === 'hold-gone') return this.#refuseLost(record)
    if (outcome.kind === 'refused') return
    this.#report.completed += 1
    const lines: Line[] = await this.#ports.lines.read(record.uses.map((use) => use.line))
    if (lines.every((line) => isGranted(line, record.id))) await this.#send(record)
  }

  /** Its hold ended before its submit was completed. */
  async #refuseLost(record: OperationRecord): Promise<void> {
    const error = holdLost(record.hold ?? '').toDocument()
    await endWaiting(this.#ports, record, { status: 'failed', error, now: this.#ports.clock.now() })
  }

  /** A head that is not running under a live lease is sent: it may have ended without a release, stalled, or lost its message. */
  async #followBlocker(id: string): Promise<void> {
    if (this.#sent.has(id)) return
    const head = await this.#ports.operations.get(id)
    const alive = head?.status === 'running' && head.leaseUntil > this.#ports.clock.now()
    if (head !== undefined && !alive) await this.#send(head)
  }

  async #send(record: OperationRecord): Promise<void> {
    if (this.#sent.has(record.id)) return
    this.#sent.add(record.id)
    await wake(this.#ports, record.id, record.work?.large === true ? 'shards' : 'operations')
    this.#report.sent += 1
  }
}
