import type { Chance } from './chance.ts'

/** Who calls: somebody's client, or a function of ours. */
export type Role = 'client' | 'function'

/** What becomes of one call of a port. */
export const fates = [
  'busy',
  'lostAnswer',
  'lostRequest',
  'lateRequest',
  'crashBefore',
  'crashAfter',
  'crashInFlight',
] as const

export type Fate = (typeof fates)[number]

/** One operation, one call: that is where it goes wrong, mostly or always. */
export interface Curse {
  readonly name: string
  readonly fate: Fate
  readonly rate: number
}

const cursedCalls = [
  'operations.create',
  'operations.get',
  'operations.claim',
  'operations.amend',
  'operations.finish',
  'operations.endLease',
  'operations.endWaiting',
  'lines.enter',
  'lines.enterTogether',
  'lines.read',
  'lines.leave',
  'objects.head',
  'objects.get',
  'objects.put',
  'objects.copy',
  'objects.delete',
  'objects.complete',
  'objects.copyPart',
  'queue.send',
] as const

export const newCurse = (chance: Chance): Curse => ({
  name: chance.pick(cursedCalls),
  fate: chance.pick(fates),
  rate: chance.pick([0.5, 0.9, 1]),
})
