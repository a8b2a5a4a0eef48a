import type { ArrivalStore } from '#ports/arrival-store.ts'
import type { Clock } from '#ports/clock.ts'
import type { Ids } from '#ports/ids.ts'
import type { LineStore } from '#ports/line-store.ts'
import type { Delivery, MessageQueue, QueueName } from '#ports/message-queue.ts'
import type { ObjectStore, PinnedLink } from '#ports/object-store.ts'
import type { OperationStore } from '#ports/operation-store.ts'

/** What each suite needs of an implementation. Called once per suite; every test uses keys of its own. */
export type Setup<T> = () => Promise<T>

/** The same thing for all parts of a suite, made when the first asks for it. */
export const once = <T>(setup: Setup<T>): Setup<T> => {
  let shared: Promise<T> | undefined
  return () => {
    shared ??= setup()
    return shared
  }
}

export interface LineStoreSetup {
  readonly lines: LineStore
  /** Over the same tables. */
  readonly operations: OperationStore
  /** Deletes a line's item, as TTL does after 14 unused days. */
  readonly collectLine: (key: string) => Promise<void>
}

export interface OperationStoreSetup {
  readonly operations: OperationStore
  /** Over the same tables. */
  readonly lines: LineStore
}

/** Some other S3 tool, on the same bucket: unconditional, and without our mark unless given as metadata. */
export interface Outsider {
  /** Returns the ETag. */
  readonly write: (
    path: string,
    bytes: Uint8Array,
    attributes?: { contentType?: string; metadata?: Record<string, string> },
  ) => Promise<string>
  readonly remove: (path: string) => Promise<void>
}

export interface ObjectStoreSetup {
  readonly objects: ObjectStore
  readonly outsider: Outsider
  /** A plain GET of the URL with those headers and no others. */
  readonly follow: (link: PinnedLink) => Promise<{ status: number; bytes: Uint8Array }>
  /**
   * What an emulator is known to lack, where no way round exists: it does not tell HEAD how many tags there
   * are, forgets the tags that an upload was created with, or leaves an object the tags of the one that it
   * replaces.
   */
  readonly lacks?: readonly ('tag-count' | 'upload-tags' | 'fresh-tags')[]
}

/** A message as its consumer has it. */
export interface TakenMessage extends Delivery {
  readonly body: string
  readonly delete: () => Promise<void>
}

/** On queues of the suite's own, where nobody else sends or receives. */
export interface MessageQueueSetup {
  readonly queue: MessageQueue
  /**
   * Receives some of the messages that are visible now, perhaps none (the suite asks again); they stay
   * hidden.
   */
  readonly take: (queue: QueueName) => Promise<TakenMessage[]>
  /** Receives and deletes some of the parked messages. */
  readonly takeRejected: () => Promise<{ body: string; reason: string }[]>
}

export interface ArrivalStoreSetup {
  readonly arrivals: ArrivalStore
}

export interface ClockSetup {
  readonly clock: Clock
  /** Lets that much of the clock's time go by: a real clock needs no help. */
  readonly pass: (ms: number) => Promise<void>
}

export interface IdsSetup {
  readonly ids: Ids
  /** The clock that the ids are made by. */
  readonly clock: Clock
}
