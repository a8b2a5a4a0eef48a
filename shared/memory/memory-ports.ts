import type { ArrivalStore } from '#ports/arrival-store.ts'
import type { Ids } from '#ports/ids.ts'
import type { LineStore } from '#ports/line-store.ts'
import type { MessageQueue } from '#ports/message-queue.ts'
import type { ObjectStore } from '#ports/object-store.ts'
import type { OperationStore } from '#ports/operation-store.ts'
import type { Ports } from '#ports/ports.ts'
import { type Intercept, intercepted } from './intercept.ts'
import { MemoryArrivalStore } from './memory-arrival-store.ts'
import { MemoryLineStore } from './memory-line-store.ts'
import { MemoryMessageQueue, type QueueOptions } from './memory-message-queue.ts'
import { MemoryObjectStore, type ObjectStoreOptions } from './memory-object-store.ts'
import { MemoryOperationStore } from './memory-operation-store.ts'
import { MemoryTables, type Turn } from './memory-tables.ts'
import { SeededIds } from './seeded-ids.ts'
import { VirtualClock } from './virtual-clock.ts'

/** A whole deployment in memory: the state that all its processes share, with the controls of each part. */
export interface MemoryWorld {
  readonly clock: VirtualClock
  readonly tables: MemoryTables
  readonly objects: MemoryObjectStore
  readonly lines: MemoryLineStore
  readonly operations: MemoryOperationStore
  readonly arrivals: MemoryArrivalStore
  readonly queue: MemoryMessageQueue
}

export interface MemoryWorldOptions
  extends Omit<ObjectStoreOptions, 'clock' | 'turn'>,
    Omit<QueueOptions, 'clock' | 'turn'> {
  readonly clock?: VirtualClock
  /** Awaited before each atomic step of each port. */
  readonly turn?: Turn
}

export const memoryWorld = (options: MemoryWorldOptions = {}): MemoryWorld => {
  const { clock = new VirtualClock(), turn, ...rest } = options
  const ordered = turn === undefined ? {} : { turn }
  const tables = new MemoryTables(ordered)
  return {
    clock,
    tables,
    objects: new MemoryObjectStore({ ...rest, ...ordered, clock }),
    lines: new MemoryLineStore(tables),
    operations: new MemoryOperationStore(tables),
    arrivals: new MemoryArrivalStore(ordered),
    queue: new MemoryMessageQueue({ ...rest, ...ordered, clock }),
  }
}

/** The ports of one process, and the world behind them. */
export interface MemoryPorts extends Ports {
  readonly clock: VirtualClock
  readonly world: MemoryWorld
}

export interface MemoryPortsOptions extends MemoryWorldOptions {
  /** The world to live in, with other processes. Default: a new one of the other options. */
  readonly world?: MemoryWorld
  /** Of ids, nonces and chance. Give each process its own. Default: 1. */
  readonly seed?: number
  readonly ids?: Ids
  /** Around every call of this process on objects, lines, operations, arrivals and queue. */
  readonly intercept?: Intercept
}

export const memoryPorts = (options: MemoryPortsOptions = {}): MemoryPorts => {
  const { world = memoryWorld(options), seed = 1, intercept } = options
  const through = <Port extends object>(port: Port, name: string): Port =>
    intercept === undefined ? port : intercepted(port, name, intercept)
  return {
    objects: through<ObjectStore>(world.objects, 'objects'),
    lines: through<LineStore>(world.lines, 'lines'),
    operations: through<OperationStore>(world.operations, 'operations'),
    arrivals: through<ArrivalStore>(world.arrivals, 'arrivals'),
    queue: through<MessageQueue>(world.queue, 'queue'),
    clock: world.clock,
    ids: options.ids ?? new SeededIds(world.clock, seed),
    world,
  }
}
