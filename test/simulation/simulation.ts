import { algorithms, newHash } from '#operations/hash.ts'
import { Chance } from './chance.ts'
import { Client } from './clients.ts'
import { checkEnd } from './end-checks.ts'
import { Functions } from './functions.ts'
import { type Profile, profileOf } from './profile.ts'
import { remains } from './remains.ts'
import { sendStrays } from './strays.ts'
import { timelines } from './timeline.ts'
import { Violation } from './violation.ts'
import { plansOf } from './workload.ts'
import { World } from './world.ts'

export interface RunOptions {
  readonly seed: number
  /** Instead of what the seed says. */
  readonly profile?: Partial<Profile>
}

/** What came of one run. Everything in it follows from the options. */
export interface Outcome {
  readonly seed: number
  readonly profile: Profile
  readonly operations: number
  readonly steps: number
  readonly virtualMs: number
  /** What happened, and in which order, in one number: the same options give the same one. */
  readonly fingerprint: number
  readonly violation?: { readonly law: string; readonly message: string; readonly timeline: string }
}

/** With faults off, everything must have ended within this. */
const drainMs = 60 * 60_000
/** Of runs this size, none needs a tenth of it. */
const mostSteps = 300_000

/** One run, from its seed to its verdict. Never throws for what it is there to find. */
export const simulate = async ({ seed, profile: given = {} }: RunOptions): Promise<Outcome> => {
  // What is compiled only now would be ready at some step that no seed decides.
  for (const algorithm of algorithms) await newHash(algorithm)
  const chance = new Chance(seed)
  const profile = { ...profileOf(chance), ...given }
  const world = new World(profile, chance.seed())
  const start = world.clock.now()
  const functions = new Functions(world)
  try {
    await live(world, functions, chance)
    if (world.failure === undefined) await checkEnd(world)
  } catch (error) {
    world.fail(error)
  }
  return {
    seed,
    profile,
    operations: world.wishes.size,
    steps: world.scheduler.steps,
    virtualMs: world.clock.now() - start,
    fingerprint: fingerprintOf(world),
    ...(world.failure !== undefined && { violation: violationOf(world, world.failure) }),
  }
}

/** Until nothing happens any more, or something is wrong. */
const live = async (world: World, functions: Functions, chance: Chance): Promise<void> => {
  const { scheduler, clock } = world
  let isOver = false
  const clients = startClients(world, chance)
  void clients.then(() => {
    isOver = true
  })
  if (world.profile.sweeper) void functions.sweepEachMinute(() => false)
  let calmSince = Number.POSITIVE_INFINITY
  while (world.failure === undefined) {
    if (scheduler.steps > mostSteps) throw new Violation('progress', `no end after ${mostSteps} steps`)
    if (await goOn(world, functions)) continue
    if (isOver && !world.isCalm) {
      world.isCalm = true
      calmSince = clock.now()
    }
    if (world.isCalm && isQuiet(world, functions)) return
    const isLate = clock.now() - calmSince > drainMs
    if (isLate || !(await scheduler.advance(functions.nextAt))) {
      throw new Violation('progress', `nothing will change any more: ${unrestOf(world)}`)
    }
  }
}

/** One step of somebody who can take one, or one message delivered. False if only time can help. */
const goOn = async (world: World, functions: Functions): Promise<boolean> => {
  const { scheduler, chance } = world
  const messages = functions.deliverable()
  const choices = scheduler.waiting + messages.length
  if (choices === 0) return false
  const message = messages[chance.integer(0, choices - 1)]
  if (message === undefined) {
    if (scheduler.waiting > 0) await scheduler.grant()
  } else {
    functions.deliver(message)
    await scheduler.settle()
  }
  return true
}

const startClients = async (world: World, chance: Chance): Promise<void> => {
  const { profile } = world
  const numbers = Array.from({ length: profile.clients }, (_, number) => number)
  const clients = numbers.map((number) => new Client(world, `c${number}`, plansOf(chance, profile, number)))
  const strays = Math.ceil(profile.strays * profile.clients * profile.operationsPerClient)
  const all = clients.map((client) => client.run())
  await Promise.all([...all, sendStrays(world, strays)]).catch((error: unknown) => world.fail(error))
  await world.clock.sleep(profile.unrestMs)
}

const isQuiet = (world: World, functions: Functions): boolean =>
  functions.isIdle && world.inFlight === 0 && world.processes.size === 0 && unrestOf(world) === ''

/** What is left to be done, as a text; empty if nothing is. */
const unrestOf = (world: World): string => {
  const { openOperations, leftEntries } = remains(world)
  const open = openOperations.map(({ id, status }) => `${world.label(id)} is ${status}`)
  return [...open, ...leftEntries.map(({ id, line }) => `${world.label(id)} is in ${line}`)].join(', ')
}

const violationOf = (world: World, error: Error): NonNullable<Outcome['violation']> => {
  const law = error instanceof Violation ? error.law : 'crash'
  const message = error instanceof Violation ? error.message : (error.stack ?? error.message)
  return { law, message, timeline: timelines(world) }
}

/** FNV-1a, 32 bits. */
const fingerprintOf = (world: World): number => {
  let hash = 0x811c9dc5
  for (const { atMs, who, what } of world.history.happenings) {
    for (const char of `${atMs} ${who} ${what}\n`) {
      hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0
    }
  }
  return hash
}
