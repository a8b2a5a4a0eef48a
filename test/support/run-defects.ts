import { type Defect, engine, memory } from './defect.ts'

const failWithoutLooking =
  "if (exhausted) { const error = { code: 'Exhausted', message: 'spent', retryable: true }; " +
  "await ports.operations.finish(id, record.attempt, { status: 'failed', error, now: ports.clock.now() }); " +
  'const outcome = await run(ports, id, invocation)'

/** Rules of claim, finish, release, and of whoever else makes an operation final. */
export const runDefects: readonly Defect[] = [
  {
    name: 'objects are read before the grant is seen',
    patches: [
      engine(
        'run',
        "const done: RunOutcome = { kind: 'done' }",
        "const early = new WeakMap()\nconst done = { kind: 'done' }",
      ),
      engine(
        'run',
        'const lines = await ports.lines.read(record.uses.map((use) => use.line))',
        'early.set(record, await observe(ports, kindOf(record.kind).touches(record.args)))\n' +
          'const lines = await ports.lines.read(record.uses.map((use) => use.line))',
      ),
      engine(
        'run',
        'const seen = await observe(ports, kind.touches(record.args))',
        'const seen = early.get(record)',
      ),
    ],
    scenario: 'objects-after-grant',
  },
  {
    name: 'whatever is sent is run, granted or not',
    patches: [engine('run', 'if (!lines.every((line) => isGranted(line, id))) return done', '')],
    scenario: 'not-granted',
  },
  {
    name: 'the message of a live lease is dropped',
    patches: [engine('run', "return again(leftMs + 250, 'claimed by a live lease')", 'return done')],
    scenario: 'live-lease',
  },
  {
    name: 'there is no claim',
    patches: [
      memory(
        'operation',
        "if (!isClaimable(item.record, own)) return { kind: 'refused'",
        "if (!isClaimable(item.record, own)) return { kind: 'claimed'",
      ),
    ],
    scenario: 'one-claim',
  },
  {
    name: 'a claim does not know its own earlier try',
    patches: [memory('operation', 'if (isOwnClaim(item.record, own))', 'if (false)')],
    scenario: 'claim-without-answer',
  },
  {
    name: 'the lease is shorter than the sandbox lives',
    patches: [
      engine(
        'run',
        'leaseUntil: invocation.deadline + limits.leaseMarginMs',
        'leaseUntil: ports.clock.now() + 5_000',
      ),
    ],
    scenario: 'lease-outlives-sandbox',
  },
  {
    name: 'a refused finish deletes the message',
    patches: [engine('run', "return again(1_000, 'the claim was lost before the end')", 'return done')],
    scenario: 'refused-finish',
  },
  {
    name: 'a finish is not conditional on the attempt',
    patches: [
      memory(
        'operation',
        'ending: Ending): Promise<FinishOutcome> { const own = structuredClone(ending) await this.#tables.turn() ' +
          'const item = this.#running(id, attempt)',
        'ending: Ending): Promise<FinishOutcome> { const own = structuredClone(ending)\nawait this.#tables.turn()\n' +
          "const found = this.#tables.records.get(id)\nconst item = found?.record.status === 'running' ? found : undefined",
      ),
    ],
    scenario: 'finish-by-attempt',
  },
  {
    name: 'a cancel is not conditional on waiting',
    patches: [
      memory(
        'operation',
        "if (item?.record.status !== 'waiting') return this",
        'if (item === undefined) return this',
      ),
    ],
    scenario: 'cancel-while-claimed',
  },
  {
    name: 'release comes before finish',
    patches: [
      engine(
        'run',
        'const finished = await retrying(',
        'await release(ports, record)\nconst finished = await retrying(',
      ),
    ],
    scenario: 'finish-before-release',
  },
  {
    name: 'the message is deleted before the release',
    patches: [
      engine(
        'run',
        'return leave(ports, finished.record)',
        'void leave(ports, finished.record).catch(() => undefined)\nreturn done',
      ),
    ],
    scenario: 'release-before-delete',
  },
  {
    name: 'a release sends nothing',
    patches: [engine('release', 'await Promise.all(granted.map((other) => wake(ports, other)))', '')],
    scenario: 'hand-off',
  },
  {
    name: 'a release that finds its entry gone sends nothing',
    patches: [
      engine('release', 'newlyGranted(before, id) : grantedIds(before)', 'newlyGranted(before, id) : []'),
    ],
    scenario: 'release-repeated',
  },
  {
    name: 'a reader considers writers behind it',
    patches: [
      {
        file: 'shared/domain/line.ts',
        find: 'isAhead(other, own) && conflicts(other.mode, own.mode)',
        replace: "(isAhead(other, own) || own.mode === 'read') && conflicts(other.mode, own.mode)",
      },
    ],
    scenario: 'reader-never-waits-for-those-behind',
  },
  {
    name: 'a dead letter acts during a live lease',
    patches: [
      engine(
        'dead-letter',
        "record.status === 'running' && leftMs <= 0 &&",
        "record.status === 'running' &&",
      ),
      engine(
        'dead-letter',
        'if (exhausted) { const outcome = await run(ports, id, invocation)',
        failWithoutLooking,
      ),
    ],
    scenario: 'dead-letter-during-lease',
  },
  {
    name: 'a dead letter acts without looking',
    patches: [
      engine(
        'dead-letter',
        'if (exhausted) { const outcome = await run(ports, id, invocation)',
        failWithoutLooking,
      ),
    ],
    scenario: 'dead-letter-looks',
  },
]
