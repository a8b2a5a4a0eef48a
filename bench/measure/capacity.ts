/** Units that a DynamoDB call consumed, by DynamoDB's own account of it. */
export interface Units {
  readonly read: number
  readonly write: number
}

interface Consumed {
  readonly CapacityUnits?: number
}

const readingActions = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan', 'TransactGetItems'])

export const noUnits: Units = { read: 0, write: 0 }

/** Of an answer to a call that asked for `ReturnConsumedCapacity`; indexes are part of the sum. */
export const unitsOf = (action: string, answer: unknown): Units => {
  const { ConsumedCapacity } = (answer ?? {}) as { ConsumedCapacity?: Consumed | readonly Consumed[] }
  if (ConsumedCapacity === undefined) return noUnits
  const all = Array.isArray(ConsumedCapacity)
    ? (ConsumedCapacity as readonly Consumed[])
    : [ConsumedCapacity as Consumed]
  const units = all.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0)
  return readingActions.has(action) ? { read: units, write: 0 } : { read: 0, write: units }
}
