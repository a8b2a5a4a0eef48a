import { type Defect, engine, memory } from './defect.ts'
import type { Patch } from './patches.ts'

const line = (find: string, replace: string): Patch => ({ file: 'shared/domain/line.ts', find, replace })

const placeOfItsOwn = line('(a.under ?? a.ticket) - (b.under ?? b.ticket)', 'a.ticket - b.ticket')

/** Rules of holds and of operations under them. */
export const holdDefects: readonly Defect[] = [
  {
    name: 'an operation under a hold waits for its holder',
    patches: [line('turnOrder(other, own) < 0 && !isHoldOf(other, own)', 'turnOrder(other, own) < 0')],
    scenario: 'under-own-hold',
  },
  {
    name: 'an operation under a hold has a place of its own',
    patches: [placeOfItsOwn],
    scenario: 'under-own-hold',
  },
  {
    name: 'an operation under a hold jumps the line without standing in it',
    patches: [
      placeOfItsOwn,
      line(
        'turnOrder(other, own) < 0 && !isHoldOf(other, own)',
        'turnOrder(other, own) < 0 && own.under === undefined',
      ),
    ],
    scenario: 'exclusion-after-hold',
  },
  {
    name: 'an enter does not ask for its hold',
    patches: [
      memory('line', "hold !== undefined && this.#coveringHold(use, hold) === undefined ? 'hold-gone' :", ''),
    ],
    scenario: 'enter-under-lost-hold',
  },
  {
    name: 'a claim does not ask for the hold',
    patches: [
      engine(
        'run',
        "if (record.status === 'waiting' && !isStillUnderHold(record, lines)) return refuseLost(ports, record)",
        '',
      ),
    ],
    scenario: 'run-under-lost-hold',
  },
  {
    name: 'any hold covers any mode',
    patches: [
      engine('under-hold', "(heldMode === 'write' || mode === 'read')", 'true'),
      memory('line', "(mode === 'read' ?", '(true ?'),
    ],
    scenario: 'cover-of-hold',
  },
  {
    name: 'no message waits for the end of a lease',
    patches: [
      engine('hold', 'await arm(ports, record.id, leaseUntil).then(', 'await Promise.resolve().then('),
    ],
    scenario: 'lease-ends',
  },
  {
    name: 'the end of a lease is not a condition of ending the hold',
    patches: [memory('operation', 'if (ifExpired && item.record.leaseUntil > own.now)', 'if (false)')],
    scenario: 'extended-in-time',
  },
  {
    name: 'an extend may move the end of a lease back',
    patches: [memory('operation', 'Math.max(item.record.leaseUntil, leaseUntil)', 'leaseUntil')],
    scenario: 'late-extend',
  },
  {
    name: 'the message of a hold that has ended does nothing',
    patches: [
      engine(
        'run',
        'if (isFinal(record.status)) return leave(ports, record)',
        'if (isFinal(record.status)) return done',
      ),
    ],
    scenario: 'release-of-hold-stops',
  },
  {
    name: 'a refused claim of a hold drops its message, whatever became of the hold',
    patches: [
      engine(
        'hold',
        'if (outcome.record !== undefined && isFinal(outcome.record.status)) await release(ports, outcome.record)',
        '',
      ),
    ],
    scenario: 'message-of-released-hold',
  },
  {
    name: 'a broken hold leaves the index at once',
    patches: [engine('break', '{ stayOpen: true }', '{}')],
    scenario: 'breaker-dies',
  },
  {
    name: 'a hold is granted however long it has waited',
    patches: [engine('hold', 'timeoutMs !== undefined && now >= record.submittedAt + timeoutMs', 'false')],
    scenario: 'hold-times-out',
  },
]
