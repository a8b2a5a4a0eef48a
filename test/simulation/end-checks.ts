import { isDeepStrictEqual } from 'node:util'
import { limits } from '#domain/limits.ts'
import { isFinal, type OperationRecord } from '#domain/operation.ts'
import { internalPrefix } from '#domain/path.ts'
import type { FileState } from './ledger.ts'
import { remains } from './remains.ts'
import { type Expected, SerialFiles } from './serial-files.ts'
import { serialOrder } from './serial-order.ts'
import { type Law, Violation } from './violation.ts'
import type { Wish, World } from './world.ts'

const broken = (law: Law, message: string): Violation => new Violation(law, message)
const shown = (value: unknown): string => JSON.stringify(value)

const recordOf = (world: World, id: string): OperationRecord | undefined =>
  world.memory.tables.records.get(id)?.record

/** Everything that is promised at the end, when faults are off and nothing happens any more. Throws a Violation. */
export const checkEnd = async (world: World): Promise<void> => {
  for (const wish of world.wishes.values()) checkEnding(world, wish)
  checkAcknowledgedOrder(world)
  if (world.profile.outsiders === 0) checkSerial(world)
  else checkOutsiders(world)
  await checkGarbage(world)
}

/** What was acknowledged is final; what did not succeed changed nothing; what was refused was not run. */
const checkEnding = (world: World, wish: Wish): void => {
  const { id, label } = wish
  const record = recordOf(world, id)
  if (record === undefined) {
    if (wish.acknowledgedAt !== undefined)
      throw broken('progress', `${label} was acknowledged, and is not known`)
    return
  }
  if (!isFinal(record.status)) throw broken('progress', `${label} is ${record.status}`)
  const effects = world.ledger.effectsOf(id).filter((effect) => !world.ledger.isUndone(effect))
  if (record.status !== 'succeeded' && effects.length > 0) {
    throw broken(
      'once',
      `${label} is ${record.status}, but changed ${effects.map(({ path }) => path).join()}`,
    )
  }
  if (wish.isRefused && record.status !== 'cancelled') {
    throw broken('once', `${label} was refused, and is ${record.status}`)
  }
  const { code } = record.error ?? {}
  if (code === 'Cancelled' && !wish.isCancelAsked) throw broken('result', `${label}: nobody cancelled it`)
  if (code === 'Exhausted' && record.tries < limits.tries) {
    throw broken('result', `${label} is exhausted after ${record.tries} tries`)
  }
}

/** Who was acknowledged before another was submitted stands before it in every line they share. */
const checkAcknowledgedOrder = (world: World): void => {
  const { tickets } = world.ledger
  for (const first of world.wishes.values()) {
    for (const second of world.wishes.values()) {
      if (first.acknowledgedAt === undefined || first.acknowledgedAt >= second.startedAt) continue
      for (const [line, ticket] of tickets.get(first.id) ?? []) {
        const later = tickets.get(second.id)?.get(line)
        if (later === undefined || later > ticket) continue
        throw broken('order', `${second.label} overtook ${first.label}, acknowledged before, in ${line}`)
      }
    }
  }
}

/** Contents and results are those of the operations one after another, in the order of their tickets. */
const checkSerial = (world: World): void => {
  const { ledger } = world
  const etagOf = (id: string, path: string): string | undefined =>
    ledger.effectsOf(id).find((effect) => effect.path === path)?.after?.etag
  const serial = new SerialFiles(etagOf)
  for (const id of serialOrder(ledger.tickets)) {
    const wish = world.wishes.get(id)
    const record = recordOf(world, id)
    if (wish === undefined || record === undefined) continue
    if (isGivenUp(record)) continue
    checkResult(wish, record, serial.apply(wish))
  }
  for (const path of new Set([...serial.files.keys(), ...ledger.files.keys()])) {
    const [expected, actual] = [serial.files.get(path), ledger.files.get(path)]
    if (!isDeepStrictEqual(expected, actual)) {
      throw broken('result', `${path} is ${textOf(actual)}, expected ${textOf(expected)}`)
    }
  }
}

const textOf = (file: FileState | undefined): string =>
  file === undefined ? 'absent' : shown({ ...file, bytes: file.bytes.toString('latin1') })

/** It ended without its turn being decided by the files: then it had no effect. */
const isGivenUp = ({ error }: OperationRecord): boolean =>
  error !== undefined && ['Cancelled', 'Exhausted', 'LineFull'].includes(error.code)

const checkResult = ({ label }: Wish, record: OperationRecord, expected: Expected): void => {
  const { status, result, error } = record
  if (expected.kind === 'failed') {
    if (error?.code === expected.code) return
    throw broken('result', `${label} is ${status} ${shown(error ?? result)}, expected ${expected.code}`)
  }
  const own = Object.fromEntries(Object.keys(expected.result).map((name) => [name, result?.[name]]))
  if (status === 'succeeded' && isDeepStrictEqual(own, expected.result) && result?.['superseded'] !== true)
    return
  throw broken(
    'result',
    `${label} is ${status} ${shown(result ?? error)}, expected ${shown(expected.result)}`,
  )
}

/**
 * With outsiders about, the order of everything is not known; but each effect is there once or was
 * superseded, and what an outsider wrote is deleted by a move only if the move has copied it.
 */
const checkOutsiders = (world: World): void => {
  for (const { id, label, kind, content, request } of world.wishes.values()) {
    const record = recordOf(world, id)
    if (record?.status !== 'succeeded') continue
    const effects = world.ledger.effectsOf(id)
    const written = effects.findLast(({ after }) => after !== undefined)
    const isChange = ['write', 'append', 'copy', 'move', 'concat'].includes(kind)
    if (isChange && written === undefined && record.result?.['superseded'] !== true) {
      throw broken('once', `${label} succeeded without an effect: ${shown(record.result)}`)
    }
    if (kind === 'append' && written !== undefined) checkAppended(label, record, written, content)
    const deleted = effects.findLast(({ after }) => after === undefined)
    if (kind !== 'move' || written?.after === undefined) continue
    if (deleted !== undefined && deleted.before?.bytes.equals(written.after.bytes) !== true) {
      throw broken('outsider', `${label} deleted a source that it had not copied`)
    }
    const source = String(request['from'])
    const left = world.ledger.filesAtEnd.get(id)?.get(source)
    if (deleted === undefined && left?.bytes.equals(written.after.bytes) === true) {
      throw broken('result', `${label} left the very source that it had copied`)
    }
  }
}

const checkAppended = (
  label: string,
  { result }: OperationRecord,
  { before, after }: { before: FileState | undefined; after: FileState | undefined },
  content: Uint8Array | undefined,
): void => {
  const old = before?.bytes ?? Buffer.alloc(0)
  if (after?.bytes.equals(Buffer.concat([old, content ?? Buffer.alloc(0)])) !== true) {
    throw broken('outsider', `${label} is not what was there and its content`)
  }
  if (result?.['superseded'] !== true && result?.['offset'] !== old.length) {
    throw broken('result', `${label} says offset ${shown(result?.['offset'])}, but began at ${old.length}`)
  }
}

/** Nothing is left of operations that ended: no entry, no place in the open index, no upload, no staged body. */
const checkGarbage = async (world: World): Promise<void> => {
  const { tables, objects } = world.memory
  const { openOperations, leftEntries } = remains(world)
  for (const { id, line } of leftEntries) throw broken('garbage', `${world.label(id)} is left in ${line}`)
  for (const { id } of openOperations) throw broken('garbage', `${world.label(id)} is left in the open index`)
  // A message brings back what its handler left undone; where messages are lost, nobody does.
  if (world.profile.loss > 0) return
  await world.scheduler.observe(async () => {
    for (const { path, uploadId } of await objects.uploads('')) {
      if (await isExcused(world, path, uploadId)) continue
      throw broken('garbage', `upload ${uploadId} of ${path} is left`)
    }
    for (const { path } of (await objects.list(internalPrefix)).files) {
      const id = path.slice(path.lastIndexOf('/') + 1)
      if (tables.records.has(id)) throw broken('garbage', `${path} of ${world.label(id)} is left`)
    }
  })
}

/**
 * Known leftovers, which the lifecycle rule of the bucket takes away: an upload whose client died before it
 * submitted, and one without parts whose creator died before it could write down that it is there.
 */
const isExcused = async (world: World, path: string, uploadId: string): Promise<boolean> => {
  const { tables, objects } = world.memory
  const isSubmitted = [...tables.records.values()].some(
    ({ record: { content } }) => content?.kind === 'upload' && content.uploadId === uploadId,
  )
  if (isSubmitted) return false
  const isOfClient = world.ledger.uploads.get(uploadId)?.operation === undefined
  return isOfClient || (await objects.parts(path, uploadId))?.length === 0
}
