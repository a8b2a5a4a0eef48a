import { type Defect, engine, memory } from './defect.ts'

const unguardedRetry = engine(
  'submit',
  "ports.lines.enterTogether( record.uses, record.id, { kind: 'waiting', id: record.id }, ports.clock.now(), record.hold, )",
  "ports.lines.enter(record.uses[0], record.id, ports.clock.now()).then(() => ({ kind: 'entered' }))",
)

/** Rules of submit, of the lines and of what heals them. */
export const submitDefects: readonly Defect[] = [
  {
    name: 'a retry does not stop at a final record',
    patches: [
      unguardedRetry,
      engine('submit', "if (isFinal(found.status)) return { kind: 'ended', record: found }", ''),
    ],
    scenario: 'final-retry',
  },
  { name: 'a retry enters unguarded', patches: [unguardedRetry], scenario: 'guarded-retry' },
  {
    name: 'the sweeper enters unguarded',
    patches: [
      engine(
        'sweep',
        'const outcome = await this.#ports.lines.enterTogether(record.uses, record.id, guard, now, record.hold)',
        'const outcome = await this.#ports.lines.enter(record.uses[0], record.id, now)',
      ),
    ],
    scenario: 'guarded-sweep',
  },
  {
    name: 'a late record leaves the index at once',
    patches: [
      memory('operation', 'if (item.record.late === true) keepOpen(item)', 'if (false) keepOpen(item)'),
    ],
    scenario: 'late-enter',
  },
  {
    name: 'a guarded enter does not mark the record as late',
    patches: [
      memory('line', 'item.record = { ...item.record, late: true }', 'item.record = { ...item.record }'),
    ],
    scenario: 'late-enter',
  },
  {
    name: 'the lines of a late record are not checked once more',
    patches: [engine('sweep', 'await release(this.#ports, record)', '')],
    scenario: 'late-enter',
  },
  {
    name: 'a cancelled record leaves the index at once',
    patches: [
      memory(
        'operation',
        'item.ttl = own.now + limits.resultLifeMs keepOpen(item)',
        'item.index = { shard: doneShard(id), time: own.now }',
      ),
    ],
    scenario: 'late-enter-after-cancel',
  },
  {
    name: 'a canceller that dies leaves nothing in the index',
    patches: [
      memory(
        'operation',
        'item.ttl = own.now + limits.resultLifeMs keepOpen(item)',
        'item.index = { shard: doneShard(id), time: own.now }',
      ),
    ],
    scenario: 'canceller-dies',
  },
  {
    name: 'a full line refuses without cancelling the record',
    patches: [
      engine(
        'submit',
        'ports.operations.endWaiting(record.id, ending)',
        "Promise.resolve({ kind: 'finished', record: { ...record, ...ending } })",
      ),
    ],
    scenario: 'line-full',
  },
  {
    name: 'an enter without an answer is repeated by the SDK',
    patches: [
      engine('submit', '{ until, unanswered: false, signal }', '{ until, unanswered: true, signal }'),
    ],
    scenario: 'enter-without-answer',
  },
  {
    name: 'enqueueing is not idempotent',
    patches: [memory('line', "if (obstacles.includes('present')) return { kind: 'present' }", '')],
    scenario: 'enqueue-twice',
  },
  {
    name: 'two lines are entered without a transaction',
    patches: [
      memory(
        'line',
        'for (const use of ownUses) this.#add(use, id, now, hold)',
        'for (const use of ownUses) { this.#add(use, id, now, hold); await this.#tables.turn() }',
      ),
    ],
    scenario: 'crossing-moves',
  },
  {
    name: 'an enqueuer nudges only the head that blocks it',
    patches: [
      engine(
        'submit',
        'const head = line.entries[0]',
        'const own = line.entries.find((entry) => entry.id === id); const head = line.entries.filter((entry) => ' +
          "entry.mode === 'write' || own?.mode === 'write')[0]",
      ),
    ],
    scenario: 'stalled-head-that-does-not-block',
  },
  {
    name: 'every enqueuer nudges',
    patches: [
      engine(
        'submit',
        'if (line.nudgedAt !== undefined && line.nudgedAt > now - limits.nudgeEveryMs) return',
        '',
      ),
      memory('line', 'if (item.nudgedAt !== undefined && item.nudgedAt > now - everyMs) return false', ''),
    ],
    scenario: 'nudge-storm',
  },
  {
    name: 'nobody completes half a submit',
    patches: [engine('sweep', 'return this.#completeSubmit(record)', 'return')],
    scenario: 'half-a-submit',
  },
  {
    name: 'nobody sends what is stalled',
    patches: [
      engine('sweep', 'if (record.leaseUntil <= this.#ports.clock.now()) await this.#send(record)', ''),
    ],
    scenario: 'stalled-is-sent',
  },
  {
    name: 'nobody follows a blocker',
    patches: [engine('sweep', 'if (head !== undefined && !alive) await this.#send(head)', '')],
    scenario: 'blocker-is-followed',
  },
]
