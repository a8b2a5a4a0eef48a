/** A file that arrived in the bucket: what an S3 event says of it. */
export interface Arrival {
  /** The key, decoded. */
  readonly path: string
  /** S3's order of events on one key: hexadecimal. */
  readonly sequencer: string
  /** Epoch ms. */
  readonly at: number
}

interface S3EventRecord {
  readonly eventSource?: unknown
  readonly eventName?: unknown
  readonly eventTime?: unknown
  readonly s3?: { readonly object?: { readonly key?: unknown; readonly sequencer?: unknown } }
}

/**
 * The arrivals in the body of one queue message, or the reason why it is no S3 event. S3's own test event has none.
 * Format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export const parseArrivals = (body: string): { arrivals: Arrival[] } | { reason: string } => {
  let event: { Records?: unknown; Event?: unknown } | null
  try {
    event = JSON.parse(body) as { Records?: unknown; Event?: unknown } | null
  } catch {
    return { reason: 'not JSON' }
  }
  if (event?.Event === 's3:TestEvent') return { arrivals: [] }
  if (!Array.isArray(event?.Records)) return { reason: 'not an S3 event: no Records' }
  const arrivals: Arrival[] = []
  for (const record of event.Records as S3EventRecord[]) {
    const arrival = arrivalOf(record)
    if ('reason' in arrival) return arrival
    if (arrival.created) arrivals.push(arrival.value)
  }
  return { arrivals }
}

const arrivalOf = (
  record: S3EventRecord | null,
): { created: boolean; value: Arrival } | { reason: string } => {
  const { key, sequencer } = record?.s3?.object ?? {}
  const { eventName, eventTime } = record ?? {}
  if (typeof key !== 'string' || key === '')
    return { reason: 'not an S3 event: a record without s3.object.key' }
  if (typeof sequencer !== 'string' || !/^[0-9A-Fa-f]{1,64}$/.test(sequencer)) {
    return { reason: 'not an S3 event of a file: a record without a hexadecimal s3.object.sequencer' }
  }
  const at = typeof eventTime === 'string' ? Date.parse(eventTime) : Number.NaN
  if (Number.isNaN(at)) return { reason: 'not an S3 event: a record without eventTime' }
  const path = decodedKey(key)
  if (path === undefined)
    return { reason: `not an S3 event: the key ${JSON.stringify(key)} is not URL-encoded` }
  const created = typeof eventName === 'string' && /^(?:s3:)?ObjectCreated:/.test(eventName)
  return { created, value: { path, sequencer, at } }
}

/** Keys in events are form-encoded: a space is `+` (LocalStack: `%20`). */
const decodedKey = (key: string): string | undefined => {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
