/** Identity and chance as a port: decided by one seed in the simulation. */
export interface Ids {
  /** A new operation id: a ULID of the current time. */
  operationId(): string
  /** An unguessable short text that marks one claim. */
  nonce(): string
  /** A number in [0, 1), for jitter. */
  chance(): number
}
