import pLimit from 'p-limit'
import { isLockstepError, LockstepError } from '#domain/errors.ts'
import type { OperationRecord } from '#domain/operation.ts'
import { withCatalogue } from '#engine/retry.ts'
import type { Ports } from '#ports/ports.ts'
import { type AcceptOptions, accept, preview, settle, type Wanted } from './accept.ts'

/** Submits on their way at once: enough to hide the time of a round trip, few enough not to be throttled. */
const submitsAtOnce = 16

export type BatchOutcome =
  | { readonly kind: 'accepted'; readonly record: OperationRecord }
  | { readonly kind: 'refused'; readonly error: LockstepError }

/** What the next operation on a path has to know of the one before it. */
type Fate = 'known' | 'unknown'

/**
 * Submits each request on its own; outcomes are in their order, and one that is refused stops no other.
 * Requests that share a path enter its line in the order given, so each waits for the one before it there;
 * all others go side by side.
 */
export const acceptAll = async (
  ports: Ports,
  requests: readonly Wanted[],
  options: AcceptOptions = {},
): Promise<BatchOutcome[]> => {
  const limit = pLimit(submitsAtOnce)
  const lastOf = new Map<string, Promise<Fate>>()
  const outcomes = requests.map((request) => {
    const checked = check(ports, request)
    if (checked.kind === 'refused') return Promise.resolve(checked)
    const { wanted, lines } = checked
    const before = lines.flatMap((line) => lastOf.get(line) ?? [])
    const outcome = inTurn(before, () => limit(() => acceptOne(ports, wanted, options)))
    const fate = outcome.then(fateOf, (): Fate => 'unknown')
    for (const line of lines) lastOf.set(line, fate)
    return outcome
  })
  return Promise.all(outcomes)
}

type Checked =
  | { readonly kind: 'valid'; readonly wanted: Wanted; readonly lines: readonly string[] }
  | { readonly kind: 'refused'; readonly error: LockstepError }

const check = (ports: Ports, request: Wanted): Checked => {
  try {
    const wanted = settle(request, () => ports.ids.operationId())
    const { uses } = preview(wanted, ports.clock.now())
    return {
      kind: 'valid',
      wanted: { ...wanted, request: { ...wanted.request, id: wanted.id } },
      lines: uses.map((use) => use.line),
    }
  } catch (error) {
    if (isLockstepError(error)) return { kind: 'refused', error }
    throw error
  }
}

/**
 * An operation whose submit had no clear answer may still enter its line later: what follows it on the same
 * path could overtake it, and is not submitted.
 */
const inTurn = async (
  before: readonly Promise<Fate>[],
  work: () => Promise<BatchOutcome>,
): Promise<BatchOutcome> => {
  const fates = await Promise.all(before)
  if (fates.every((fate) => fate === 'known')) return work()
  const message =
    'Not submitted: it is not known whether the operation before it on the same path was accepted. ' +
    'Submit both again, that one first and under the same id.'
  return { kind: 'refused', error: new LockstepError('Unreachable', message) }
}

const acceptOne = async (ports: Ports, wanted: Wanted, options: AcceptOptions): Promise<BatchOutcome> => {
  try {
    return { kind: 'accepted', record: await withCatalogue(() => accept(ports, wanted, options)) }
  } catch (error) {
    if (isLockstepError(error)) return { kind: 'refused', error }
    throw error
  }
}

/** Codes of submits that were answered: nothing of them will arrive later. */
const answered: ReadonlySet<string> = new Set([
  'InvalidArgument',
  'TooLarge',
  'Conflict',
  'LineFull',
  'UploadVoided',
])

const fateOf = (outcome: BatchOutcome): Fate =>
  outcome.kind === 'accepted' || answered.has(outcome.error.code) ? 'known' : 'unknown'
