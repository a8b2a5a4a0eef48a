import type { Call } from '../measure/counting-proxy.ts'

/** What one operation cost, from its submit to the end of its message. */
export interface Cost {
  readonly scenario: string
  /** Calls of the client until the operation was acknowledged; they follow one another. */
  readonly roundTrips: number
  readonly dynamoCalls: number
  readonly writeUnits: number
  readonly readUnits: number
  /** As AWS counts them: what only the emulator needs is left out. */
  readonly objectRequests: number
  /** Each message is sent, received and deleted once. The platform receives and deletes, up to ten at a time. */
  readonly queueRequests: number
  /** Content of files that a function read or wrote. */
  readonly functionBytes: number
  /** By caller and action, e.g. `function HeadObject`: everything, the emulator's extras too. */
  readonly calls: Readonly<Record<string, number>>
}

/** Whoever sends a message makes the platform receive it and delete it. */
const requestsPerMessage = 3

/** AWS tells in its answer to HeadObject how many tags there are; the emulator does not, and is asked for them. */
const tagQuestion = 'GetObjectTagging'

/** The emulator ignores conditions of CopyObject: a small copy is made of these there, for one CopyObject on AWS. */
const copyDetour = ['HeadObject', 'CreateMultipartUpload', 'UploadPartCopy', 'CompleteMultipartUpload']

const movesContent = new Set(['GetObject', 'PutObject', 'UploadPart'])

/**
 * @param submitting the client's calls until it was told that its operation is accepted.
 * @param running the calls of the functions until the operation was over. The client's polling for the result is in neither.
 */
export const costOf = (scenario: string, submitting: readonly Call[], running: readonly Call[]): Cost => {
  const all = [...submitting, ...running]
  const count = (pick: (call: Call) => boolean): number => all.filter(pick).length
  const sum = (calls: readonly Call[], pick: (call: Call) => number): number =>
    calls.reduce((total, call) => total + pick(call), 0)
  const detours = running.filter(({ action }) => action === 'UploadPartCopy').length
  const extras = count(({ action }) => action === tagQuestion) + detours * (copyDetour.length - 1)
  return {
    scenario,
    roundTrips: submitting.length,
    dynamoCalls: count(({ service }) => service === 'dynamodb'),
    writeUnits: sum(all, ({ units }) => units.write),
    readUnits: sum(all, ({ units }) => units.read),
    objectRequests: count(({ service }) => service === 's3') - extras,
    queueRequests: requestsPerMessage * count(({ action }) => action === 'SendMessage'),
    functionBytes: sum(
      running.filter(({ action }) => movesContent.has(action)),
      ({ bytes }) => bytes,
    ),
    calls: tally(all),
  }
}

const tally = (calls: readonly Call[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { by, action } of calls) counts[`${by} ${action}`] = (counts[`${by} ${action}`] ?? 0) + 1
  return counts
}
