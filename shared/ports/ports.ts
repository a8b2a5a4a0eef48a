import type { ArrivalStore } from './arrival-store.ts'
import type { Clock } from './clock.ts'
import type { Ids } from './ids.ts'
import type { LineStore } from './line-store.ts'
import type { MessageQueue } from './message-queue.ts'
import type { ObjectStore } from './object-store.ts'
import type { OperationStore } from './operation-store.ts'

/** Everything the engine touches. Built once per process by `aws/` or `memory/`. */
export interface Ports {
  readonly objects: ObjectStore
  readonly lines: LineStore
  readonly operations: OperationStore
  readonly arrivals: ArrivalStore
  readonly queue: MessageQueue
  readonly clock: Clock
  readonly ids: Ids
}
