/** Every limit of the system, named, with its reason. Sizes in bytes, times in milliseconds unless the name says else. */

const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB
const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

export const limits = {
  /** S3's own limit on a key. */
  pathBytes: 1024,
  /** Names of locks share the line table with paths; the same limit keeps one rule. */
  nameBytes: 1024,
  /** A DynamoDB transaction takes 100 items: 99 lines and the record. */
  pathsPerOperation: 99,
  /** Content up to here travels with the record; more goes straight to S3 and around every function. */
  bodyBytes: 16 * KIB,
  /** Content up to here stands in the record, so that a small operation's record stays under 1 KB (1 write unit). */
  inlineBodyBytes: 512,
  /** A read returns content up to here, and a pinned link above it. */
  readBytes: 64 * KIB,
  /** S3 allows 2 KB of user metadata per object, of which we keep 128 for our own two keys. */
  metadataBytes: 2 * KIB - 128,
  /** The largest file this version takes: S3's limit on one CopyObject and one part. */
  fileBytes: 5 * GIB,
  /** S3: a part of a multipart upload is at least this large, except the last. */
  partMinBytes: 5 * MIB,
  /** S3: a part, or the source range of a part copy, is at most this large. */
  partMaxBytes: 5 * GIB,
  /** S3: parts per multipart upload. */
  parts: 10_000,
  /** Waiters on one line: each costs about 40 bytes of an item that every enqueue and release rewrites. */
  waiters: 1000,
  /** Claims without recorded progress before an operation is given up as `Exhausted`. */
  tries: 8,
  /** Rules that trigger rules end here, so that a cycle cannot run for ever. */
  hops: 8,
  /** An operation that has waited this long is failed as `Expired`; lines live twice as long. */
  operationLifeMs: 7 * DAY,
  /** How long the record of a finished operation is kept. */
  resultLifeMs: 7 * DAY,
  /** A line unused for this long is garbage. Twice the life of any operation in it. */
  lineLifeMs: 14 * DAY,
  /** How long the newest arrival of a path is remembered, to drop late events. */
  arrivalLifeMs: DAY,
  /** A submitter gives up after this. Past it, nothing it sent can still arrive (see `submitterGoneMs`). */
  submitMs: 60 * SECOND,
  /** When a submit counts as abandoned half-way: the sweeper completes it then. Longer than `submitMs`. */
  submitStalledMs: 75 * SECOND,
  /** No submitter of a record can be alive, nor a request of its in the network, this long after the submit. */
  submitterGoneMs: 5 * MINUTE,
  /** A lease ends this long after the hard deadline of its function: clocks may differ by seconds. */
  leaseMarginMs: 4 * SECOND,
  /** A head older than this is sent again by whoever enqueues behind it. */
  headStalledMs: 60 * SECOND,
  /** At most one such nudge per line in this time. */
  nudgeEveryMs: 30 * SECOND,
  /** Work planned to move or read more than this goes to the shards function: about 10 s at 25 MB/s, S3's slow side. */
  smallWorkBytes: 256 * MIB,
  /** A shard lets go after this and continues in a fresh invocation. */
  shardMs: 10 * SECOND,
  /** A link to content is valid this long. */
  linkSeconds: 900,
  /**
   * How long a hold lasts without a sign of its holder, unless it asks for another lease: this is what a dead holder costs
   * everybody behind it. Long enough for two heartbeats to be lost.
   */
  holdLeaseMs: 10 * SECOND,
  /** Shorter, and a heartbeat that is merely slow would lose the hold. */
  holdLeaseMinMs: 2 * SECOND,
  /** A hold may be handed to a person or a long job; a dead one blocks others this long at most. */
  holdLeaseMaxMs: DAY,
  /**
   * A holder counts its hold as lost this long before its lease ends (but a quarter of the lease at most): for clocks that
   * differ, and for what is still on its way when it learns of it.
   */
  holdMarginMs: 2 * SECOND,
  /** SQS delays a message by at most this: longer leases are looked at in between. */
  messageDelayMs: 15 * MINUTE,
  /** The visible characters of an idempotency key. */
  idempotencyKeyChars: 128,
} as const
