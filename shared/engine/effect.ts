import type { ErrorDocument } from '#domain/errors.ts'
import { LockstepError } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import type { ObjectVersion } from '#domain/operation.ts'
import type { ChangingKind, ReadingKind, Versions, WorkingKind } from '#operations/kind.ts'
import type { Applied, Result, Seen } from '#operations/task.ts'
import { isPortFault, isUnanswered, type PortFault } from '#ports/faults.ts'
import type { ObjectHead } from '#ports/object-store.ts'
import type { Ports } from '#ports/ports.ts'
import { errorOfFault } from './retry.ts'
import type { Attempt } from './task.ts'
import { closeUploads, hasUpload } from './tidy.ts'

type Arguments = Readonly<Record<string, unknown>>

/** How an attempt came to rest. `later`: let go, and continue in the shards function. */
export type Rest =
  | { readonly kind: 'succeeded'; readonly result: Result }
  | { readonly kind: 'failed'; readonly error: ErrorDocument }
  | { readonly kind: 'later' }

/** Tries of one effect within one attempt, before the message is given back. */
const triesPerAttempt = 10

/** Heads of the objects that an operation touches. */
export const observe = async (ports: Ports, paths: readonly string[]): Promise<Seen> => {
  const heads = await Promise.all(paths.map(async (path) => [path, await ports.objects.head(path)] as const))
  return Object.fromEntries(heads)
}

/** What is recorded of heads: enough to condition on, and no more. */
export const versionsOf = (seen: Seen): Versions =>
  Object.fromEntries(
    Object.entries(seen).map(([path, head]) => [path, head === null ? null : versionOf(head)]),
  )

const versionOf = ({ etag, size, versionId }: ObjectHead): ObjectVersion =>
  versionId === undefined ? { etag, size } : { etag, size, versionId }

/**
 * Takes effect, once, by compare-and-set at the object. The recorded base (what the first claim, or the last clean 412, saw)
 * decides what a takeover, or a try without an answer, has to do:
 *
 *   object now                 means                          so
 *   carries our id             an earlier try did it          done
 *   is still the base          nothing happened yet           do it
 *   is neither                 we did it, then an outsider    done (`superseded`); what came later is
 *                              changed it                     never overwritten or deleted
 *
 * A clean 412 (no try of this attempt unanswered) means that an outsider changed the file: the new base is recorded, on
 * condition that the claim is still ours, and the effect is applied to what the outsider wrote.
 */
export const takeEffect = (ports: Ports, attempt: Attempt, kind: WorkingKind, seen: Seen): Promise<Rest> =>
  kind.effect === 'read' ? read(ports, attempt, kind, seen) : new Change(ports, attempt, kind).run(seen)

const read = async (
  ports: Ports,
  attempt: Attempt,
  kind: ReadingKind<Arguments>,
  first: Seen,
): Promise<Rest> => {
  let seen = first
  for (let tries = 0; tries < triesPerAttempt; tries += 1) {
    const applied = await kind.run(attempt, seen)
    if (applied.kind !== 'changed') return restOf(applied)
    seen = await observe(ports, Object.keys(first))
  }
  return outsiderTooFast(Object.keys(first))
}

const restOf = (applied: Exclude<Applied, { kind: 'changed' }>): Rest =>
  applied.kind === 'done' ? { kind: 'succeeded', result: applied.result } : applied

const outsiderTooFast = (paths: readonly string[]): Rest => ({
  kind: 'failed',
  error: new LockstepError(
    'Throttled',
    `${paths.map((path) => JSON.stringify(path)).join(', ')} was changed by somebody outside Lockstep ${triesPerAttempt} times ` +
      'while the operation ran. Nothing was changed; try again when the writer is done.',
  ).toDocument(),
})

/** Where an effect stands, judged by the target alone. */
type Standing = { readonly kind: 'not-yet' } | ({ readonly kind: 'there' } & There)

/** `found`: the target, if it still carries our id. `superseded`: an outsider has changed it since. */
interface There {
  readonly found: ObjectHead | null
  readonly superseded: boolean
}

class Change {
  readonly #ports: Ports
  readonly #attempt: Attempt
  readonly #kind: ChangingKind<Arguments>
  readonly #target: string
  readonly #paths: readonly string[]
  /** Of the last try, if that had no answer. */
  #fault: PortFault | undefined

  constructor(ports: Ports, attempt: Attempt, kind: ChangingKind<Arguments>) {
    this.#ports = ports
    this.#attempt = attempt
    this.#kind = kind
    this.#target = kind.target(attempt.args)
    this.#paths = kind.touches(attempt.args)
  }

  async run(first: Seen): Promise<Rest> {
    const { copied } = this.#attempt.work
    if (copied !== undefined) return this.#retire(copied.sourceEtag, copied.result)
    if (this.#attempt.record.attempt > 1) {
      const standing = await this.#standing(first)
      if (standing.kind === 'there') return this.#arrived(standing)
      await this.#rebase(first)
      await this.#attempt.touch()
    }
    let seen = first
    for (let tries = 0; tries < triesPerAttempt; tries += 1) {
      const impossible = this.#kind.check(this.#attempt.args, versionsOf(seen))
      if (impossible !== undefined) return this.giveUp(impossible)
      const applied = await this.#try(seen)
      if (applied.kind === 'done') return this.#done(applied.result, seen)
      if (applied.kind === 'later') return applied
      if (applied.kind === 'failed') return this.giveUp(applied.error)
      seen = await this.#lookAgain()
      const standing = await this.#afterRefusal(seen)
      if (standing.kind === 'there') return this.#arrived(standing)
      await this.#rebase(seen)
    }
    // Nobody outside is to blame, and a later attempt may find the store well again.
    if (this.#fault !== undefined) throw this.#fault
    const tooFast = outsiderTooFast([this.#target])
    return tooFast.kind === 'failed' ? this.giveUp(tooFast.error) : tooFast
  }

  /** Ends without an effect, unless it turns out to be there: closes our uploads first, then looks once more. */
  async giveUp(error: ErrorDocument): Promise<Rest> {
    const { record } = this.#attempt
    if (hasUpload(record) || record.attempt > 1 || this.#attempt.unanswered) {
      await closeUploads(this.#ports, record)
      const head = await this.#ports.objects.head(this.#target)
      if (this.#isOurs(head)) return this.#arrived({ found: head, superseded: false })
    }
    return { kind: 'failed', error }
  }

  /** Only looks: what exhaustion or expiry are decided by. `error` unless the effect is there. */
  async judge(seen: Seen, error: ErrorDocument): Promise<Rest> {
    const { copied } = this.#attempt.work
    if (copied !== undefined) return this.#retire(copied.sourceEtag, copied.result)
    const standing = await this.#standing(seen)
    return standing.kind === 'there' ? this.#arrived(standing) : this.giveUp(error)
  }

  async #try(seen: Seen): Promise<Applied> {
    try {
      this.#fault = undefined
      const applied = await this.#kind.apply(this.#attempt, seen)
      if (applied.kind === 'done') this.#attempt.acted = true
      return applied
    } catch (error) {
      if (!isUnanswered(error)) throw error
      this.#attempt.unanswered = true
      this.#fault = error as PortFault
      return { kind: 'changed' }
    }
  }

  /**
   * The target last, if a try may still be on its way: that one copies its source only as it was. If the target is not ours
   * after the source was seen to be another, that try has failed, and the new source may become the base.
   */
  async #lookAgain(): Promise<Seen> {
    const seen = await observe(this.#ports, this.#paths)
    return this.#attempt.unanswered ? { ...seen, ...(await observe(this.#ports, [this.#target])) } : seen
  }

  async #afterRefusal(seen: Seen): Promise<Standing> {
    if (this.#attempt.unanswered) return this.#standing(seen)
    const head = seen[this.#target] ?? null
    return this.#isOurs(head) ? { kind: 'there', found: head, superseded: false } : { kind: 'not-yet' }
  }

  /** What an outsider left is the new base, on condition that the claim is still ours. Nothing is written if nothing moved. */
  async #rebase(seen: Seen): Promise<void> {
    const versions = versionsOf(seen)
    const base = this.#base()
    const moved = this.#paths.some((path) => versions[path]?.etag !== base[path]?.etag)
    if (moved) await this.#attempt.amend({ base: versions })
  }

  async #standing(seen: Seen): Promise<Standing> {
    const head = seen[this.#target] ?? null
    if (this.#isOurs(head)) return { kind: 'there', found: head, superseded: false }
    const doubtful = !this.#attempt.fresh || this.#attempt.unanswered
    const base = this.#base()
    const moved = (head?.etag ?? null) !== (base[this.#target]?.etag ?? null)
    // An effect that the base itself forbade cannot have happened: what moved the target was only the outsider.
    const possible = this.#kind.check(this.#attempt.args, base) === undefined
    if (!moved || !doubtful || !possible || (await this.#uploadIsOpen())) return { kind: 'not-yet' }
    return { kind: 'there', found: null, superseded: head !== null || this.#kind.removesTarget !== true }
  }

  /** A commit consumes its upload: one that is still open bears witness that nothing was committed from it. */
  async #uploadIsOpen(): Promise<boolean> {
    const { record } = this.#attempt
    const uploadId =
      record.work?.upload?.uploadId ??
      (record.content?.kind === 'upload' ? record.content.uploadId : undefined)
    return uploadId !== undefined && (await this.#ports.objects.parts(this.#target, uploadId)) !== null
  }

  #isOurs(head: ObjectHead | null): boolean {
    return head?.mark?.operationId === this.#attempt.record.id
  }

  #base(): Versions {
    return this.#attempt.record.base ?? {}
  }

  /** The effect was found there, and not made by this very call. */
  async #arrived({ found, superseded }: There): Promise<Rest> {
    if (found === null) await closeUploads(this.#ports, this.#attempt.record)
    const recovered = this.#kind.recovered(this.#attempt, this.#base(), found)
    const result = superseded ? { ...recovered, superseded: true } : recovered
    const source = this.#kind.retires?.(this.#attempt.args)
    if (source === undefined) return { kind: 'succeeded', result }
    return this.#retireAfterStep(this.#base()[source]?.etag, result)
  }

  async #done(result: Result, seen: Seen): Promise<Rest> {
    const source = this.#kind.retires?.(this.#attempt.args)
    if (source === undefined) return { kind: 'succeeded', result }
    return this.#retireAfterStep(seen[source]?.etag, result)
  }

  /** The step is recorded, with the version that was copied, before the source is touched. */
  async #retireAfterStep(sourceEtag: string | undefined, result: Result): Promise<Rest> {
    if (sourceEtag === undefined) return { kind: 'succeeded', result }
    await this.#attempt.amend({ work: { ...this.#attempt.work, copied: { sourceEtag, result } } })
    return this.#retire(sourceEtag, result)
  }

  /** Deletes exactly the version that was copied. Gone, or replaced by an outsider: done; the newcomer's file stays. */
  async #retire(sourceEtag: string, result: Result): Promise<Rest> {
    const source = this.#kind.retires?.(this.#attempt.args)
    if (source === undefined) return { kind: 'succeeded', result }
    try {
      await this.#deleteVersion(source, sourceEtag)
      return { kind: 'succeeded', result }
    } catch (error) {
      const cause = lastingCause(error, this.#attempt.record.tries)
      if (cause === undefined) throw error
      return { kind: 'failed', error: halfDone(cause, { source, target: this.#target, result }) }
    }
  }

  async #deleteVersion(source: string, etag: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#ports.objects.delete(source, etag)
        return
      } catch (error) {
        if (!isUnanswered(error) || tries >= triesPerAttempt) throw error
      }
    }
  }
}

/** Tries after which a denial is no more taken for a grant that is still on its way (IAM is eventually consistent). */
const triesWhenDenied = 3

/** Why trying again will not help; undefined if it may: then the next attempt does it. */
export const lastingCause = (error: unknown, tries: number): LockstepError | undefined => {
  if (isPortFault(error)) {
    return error.fault === 'denied' && tries >= triesWhenDenied ? errorOfFault(error) : undefined
  }
  if (tries <= limits.tries) return undefined
  const message = error instanceof Error ? error.message : String(error)
  return new LockstepError('Internal', `Refused for a reason that was not foreseen: ${message}.`, {
    cause: error,
  })
}

/** The copy is there and its source cannot be deleted: a failure that says exactly what was done. */
const halfDone = (
  cause: LockstepError,
  done: { source: string; target: string; result: Result },
): ErrorDocument =>
  new LockstepError(
    cause.code,
    `${JSON.stringify(done.target)} was written, but its source ${JSON.stringify(done.source)} could not be deleted and ` +
      `is still there: ${cause.message} Delete it, or the copy, when that is mended.`,
    { details: { ...done.result, target: done.target, notDeleted: done.source }, cause },
  ).toDocument()

/** Decides an operation that may not run any more (exhausted, expired, cancelled): by what is there, else `error`. */
export const judgeEffect = (
  ports: Ports,
  attempt: Attempt,
  kind: WorkingKind,
  seen: Seen,
  error: ErrorDocument,
): Promise<Rest> =>
  kind.effect === 'read'
    ? Promise.resolve({ kind: 'failed', error })
    : new Change(ports, attempt, kind).judge(seen, error)
