import { type Defect, engine, memory } from './defect.ts'

/** Rules of the effect at the object. */
export const effectDefects: readonly Defect[] = [
  {
    name: 'later claims overwrite the base',
    patches: [memory('operation', 'base: record.base ?? claim.base', 'base: claim.base')],
    scenario: 'base-of-first-claim',
  },
  {
    name: 'the effect is unconditional',
    patches: [
      memory(
        'object',
        "const copy = new Uint8Array(bytes) await this.#turn() if (!this.#bucket.holds(path, own.expect)) return { kind: 'changed' }",
        'const copy = new Uint8Array(bytes)\nawait this.#turn()',
      ),
    ],
    scenario: 'outsider-is-never-lost',
  },
  {
    name: 'a takeover redoes what has moved on',
    patches: [
      engine(
        'effect',
        'if (!moved || !doubtful || !possible || (await this.#uploadIsOpen()))',
        'if (this.#attempt.record.attempt > 1 || !moved || !doubtful || !possible)',
      ),
    ],
    scenario: 'moved-on-is-done',
  },
  {
    name: 'a refusal after an unanswered try is taken for clean',
    patches: [engine('effect', 'this.#attempt.unanswered = true', '')],
    scenario: 'unanswered-try',
  },
  {
    name: 'the SDK repeats an effect, and takes its own success for a clean refusal',
    patches: [
      engine(
        'effect',
        'const applied = await this.#kind.apply(this.#attempt, seen)',
        'const applied = await this.#kind.apply(this.#attempt, seen)' +
          '.catch((error) => { if (!isUnanswered(error)) throw error; return this.#kind.apply(this.#attempt, seen) })',
      ),
    ],
    scenario: 'unanswered-try',
  },
  {
    name: 'no new base is recorded after a clean refusal',
    patches: [engine('effect', 'await this.#rebase(seen)', '')],
    scenario: 'rebase-is-recorded',
  },
  {
    name: 'no new base is recorded after an unanswered try',
    patches: [
      engine('effect', 'await this.#rebase(seen)', 'if (!this.#attempt.unanswered) await this.#rebase(seen)'),
    ],
    scenario: 'rebase-after-unanswered-try',
  },
  {
    name: 'after an unanswered try the target is not looked at last',
    patches: [
      engine('effect', '{ ...seen, ...(await observe(this.#ports, [this.#target])) } : seen', 'seen : seen'),
    ],
    scenario: 'copy-in-flight',
  },
  {
    name: 'the lease ends at once although a try may still arrive',
    patches: [engine('run', 'if (unanswered) return Math.max', 'if (false) return Math.max')],
    scenario: 'unanswered-keeps-lease',
  },
  {
    name: 'the new base is not conditional on the attempt',
    patches: [
      engine('task', 'if (amended === undefined) throw new ClaimLost()', 'if (amended === undefined) return'),
    ],
    scenario: 'rebase-by-attempt',
  },
  {
    name: 'a refusal at the delete of a moved source is applied again',
    patches: [
      engine(
        'effect',
        'await this.#ports.objects.delete(source, etag)',
        'for (let found = etag; found !== undefined; ) {\n' +
          'const { kind } = await this.#ports.objects.delete(source, found)\n' +
          "found = kind === 'changed' ? (await this.#ports.objects.head(source))?.etag : undefined }",
      ),
    ],
    scenario: 'source-replaced-after-copy',
  },
  {
    name: 'delete has no condition',
    patches: [memory('object', "if (object.etag !== etag) return { kind: 'changed' } this", 'this')],
    scenario: 'source-replaced-after-copy',
  },
  {
    name: 'the step of a move does not carry the version of its source',
    patches: [
      engine(
        'effect',
        'async run(first: Seen): Promise<Rest> { const { copied } = this.#attempt.work ' +
          'if (copied !== undefined) return this.#retire(copied.sourceEtag, copied.result)',
        'async run(first: Seen): Promise<Rest> { const { copied } = this.#attempt.work\n' +
          'if (copied !== undefined) return this.#retire(first[this.#kind.retires(this.#attempt.args)]?.etag, copied.result)',
      ),
    ],
    scenario: 'step-carries-source',
  },
  {
    name: 'a takeover does not know its own mark',
    patches: [
      engine('effect', 'return head?.mark?.operationId === this.#attempt.record.id', 'return false'),
      engine('effect', 'if (!moved || !doubtful || !possible ||', 'if (moved || !moved ||'),
    ],
    scenario: 'own-mark',
  },
  {
    name: 'a move whose copy is found there leaves its source',
    patches: [
      engine(
        'effect',
        'return this.#retireAfterStep(this.#base()[source]?.etag, result)',
        "return { kind: 'succeeded', result }",
      ),
    ],
    scenario: 'half-a-move',
  },
  {
    name: 'uploads stay open at an ending without a commit',
    patches: [
      engine(
        'effect',
        'record.attempt > 1 || this.#attempt.unanswered) { await closeUploads(this.#ports, record)',
        'record.attempt > 1 || this.#attempt.unanswered) {',
      ),
    ],
    scenario: 'uploads-closed-before-ending',
  },
]
