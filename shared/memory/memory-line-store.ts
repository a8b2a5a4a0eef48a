import { limits } from '#domain/limits.ts'
import { emptyLine, type Line, type LineEntry, type LineUse } from '#domain/line.ts'
import type { EnterOutcome, EnterTogetherOutcome, Guard, LineStore } from '#ports/line-store.ts'
import { insertRecord } from './memory-operation-store.ts'
import { entryName, lineOf, type MemoryTables, openLine } from './memory-tables.ts'

/** Lines in memory. See {@link MemoryTables} for the state and for the hooks that delete it as TTL does. */
export class MemoryLineStore implements LineStore {
  readonly #tables: MemoryTables

  constructor(tables: MemoryTables) {
    this.#tables = tables
  }

  async enter(use: LineUse, id: string, now: number, hold?: string): Promise<EnterOutcome> {
    const { line: key, mode } = use
    await this.#tables.turn()
    const kind = this.#obstacle({ line: key, mode }, id, hold) ?? 'entered'
    if (kind === 'entered') this.#add({ line: key, mode }, id, now, hold)
    return { kind, line: lineOf(key, this.#tables.lines.get(key)) }
  }

  async enterTogether(
    uses: readonly LineUse[],
    id: string,
    guard: Guard,
    now: number,
    hold?: string,
  ): Promise<EnterTogetherOutcome> {
    checkTransaction(uses)
    const ownUses = structuredClone(uses)
    const ownGuard = structuredClone(guard)
    await this.#tables.turn()
    const item = this.#tables.records.get(ownGuard.kind === 'create' ? ownGuard.record.id : ownGuard.id)
    const admits = ownGuard.kind === 'create' ? item === undefined : item?.record.status === 'waiting'
    if (!admits) return { kind: 'refused', record: structuredClone(item?.record) }
    const obstacles = ownUses.map((use) => this.#obstacle(use, id, hold))
    if (obstacles.includes('present')) return { kind: 'present' }
    if (obstacles.includes('hold-gone')) return { kind: 'hold-gone' }
    for (const use of ownUses) this.#add(use, id, now, hold)
    if (ownGuard.kind === 'create') insertRecord(this.#tables, ownGuard.record, ownGuard.body)
    else if (item !== undefined) item.record = { ...item.record, late: true }
    return { kind: 'entered' }
  }

  /** One step per line, not one for all: DynamoDB's batch reads are no snapshot either. */
  async read(keys: readonly string[]): Promise<Line[]> {
    const lines: Line[] = []
    for (const key of keys) {
      await this.#tables.turn()
      lines.push(lineOf(key, this.#tables.lines.get(key)))
    }
    return lines
  }

  async leave(use: LineUse, id: string, now: number): Promise<{ was: boolean; before: Line }> {
    const { line: key, mode } = use
    await this.#tables.turn()
    const item = this.#tables.lines.get(key)
    if (item === undefined) return { was: false, before: emptyLine(key) }
    const before = lineOf(key, item)
    const was = item.entries.delete(entryName(mode, id))
    item.ttl = now + limits.lineLifeMs
    return { was, before }
  }

  async markNudged(key: string, now: number, everyMs: number): Promise<boolean> {
    await this.#tables.turn()
    const item = this.#tables.lines.get(key)
    if (item === undefined) return false
    if (item.nudgedAt !== undefined && item.nudgedAt > now - everyMs) return false
    item.nudgedAt = now
    return true
  }

  /** Why it cannot enter. */
  #obstacle(use: LineUse, id: string, hold: string | undefined): 'present' | 'hold-gone' | undefined {
    if (this.#entry(use.line, use.mode, id) !== undefined) return 'present'
    return hold !== undefined && this.#coveringHold(use, hold) === undefined ? 'hold-gone' : undefined
  }

  #coveringHold({ line, mode }: LineUse, hold: string): LineEntry | undefined {
    const writing = this.#entry(line, 'write', hold)
    return writing ?? (mode === 'read' ? this.#entry(line, 'read', hold) : undefined)
  }

  #entry(line: string, mode: LineUse['mode'], id: string): LineEntry | undefined {
    return this.#tables.lines.get(line)?.entries.get(entryName(mode, id))
  }

  #add(use: LineUse, id: string, now: number, hold: string | undefined): void {
    const item = openLine(this.#tables, use.line, now)
    const under = hold === undefined ? undefined : this.#coveringHold(use, hold)?.ticket
    const entry = { id, mode: use.mode, ticket: item.next, ...(under !== undefined && { under }) }
    item.entries.set(entryName(use.mode, id), entry)
    item.next += 1
  }
}

/** DynamoDB's own rules: a transaction takes 100 items (one is the record), each once. */
const checkTransaction = (uses: readonly LineUse[]): void => {
  const distinct = new Set(uses.map((use) => use.line)).size
  if (uses.length === 0 || uses.length > limits.pathsPerOperation || distinct !== uses.length) {
    throw new RangeError(
      `enterTogether: got ${uses.length} uses of ${distinct} lines, ` +
        `expected 1 to ${limits.pathsPerOperation} uses, each of a line of its own`,
    )
  }
}
