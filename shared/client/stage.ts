import { LockstepError } from '#domain/errors.ts'
import { stagingKey } from '#domain/path.ts'
import { retrying } from '#engine/retry.ts'
import { isUnanswered } from '#ports/faults.ts'
import type { CompleteOutcome, Expect, Mark, ObjectHead } from '#ports/object-store.ts'
import type { Ports } from '#ports/ports.ts'
import { measure } from './content.ts'
import { partBytesFor } from './part-buffers.ts'
import { fillUpload, type Outgoing, patience } from './upload.ts'

/**
 * Tries to put the body where something else is found each time. More than one writer per id is a mistake.
 */
const stagingTries = 4

/** A body ready to be put at the staging key in one step, on a condition. */
interface Prepared {
  readonly size: number
  commit(expect: Expect): Promise<CompleteOutcome>
  /** After the last commit failed. */
  abandon(): Promise<void>
}

/**
 * Puts the body of a large append where the operation `id` will look for it, and replaces what an earlier try
 * under this id has left there. Returns the bytes staged. Throws LockstepError `TooLarge`, `UploadVoided`;
 * PortFault; the signal's reason.
 */
export const stage = async (ports: Ports, id: string, outgoing: Outgoing): Promise<number> => {
  const path = stagingKey(id)
  const mark: Mark = { operationId: id }
  const body = await prepareBody(ports, path, mark, outgoing)
  try {
    let found: ObjectHead | null = null
    for (let tries = 0; tries < stagingTries; tries += 1) {
      const outcome = await commitOnce(body, found === null ? 'absent' : { etag: found.etag })
      if (outcome === 'done') return body.size
      found = await retrying(ports, patience(ports, outgoing.signal), () => ports.objects.head(path))
      // An earlier try that seemed to fail has put it: there is one body per id.
      if (outcome !== 'changed' && found?.mark?.operationId === id && found.size === body.size)
        return body.size
    }
    throw new LockstepError(
      'UploadVoided',
      `The body of ${id} could not be staged: somebody else stages one under the same id. Use a new id.`,
      { details: { id } },
    )
  } catch (error) {
    await body.abandon()
    throw error
  }
}

/** A commit without an answer may have happened: whoever looks at what is there knows more. */
const commitOnce = async (
  body: Prepared,
  expect: Expect,
): Promise<CompleteOutcome['kind'] | 'unanswered'> => {
  try {
    return (await body.commit(expect)).kind
  } catch (error) {
    if (isUnanswered(error)) return 'unanswered'
    throw error
  }
}

/** What fits into one part is one put; more is filled like any large upload. */
const prepareBody = async (ports: Ports, path: string, mark: Mark, outgoing: Outgoing): Promise<Prepared> => {
  const attributes = { metadata: {} }
  const measured = await measure(outgoing.chunks, partBytesFor(outgoing.size))
  if (measured.kind === 'small') {
    const { bytes } = measured
    return {
      size: bytes.byteLength,
      commit: (expect) => ports.objects.put(path, bytes, expect, attributes, mark),
      abandon: () => Promise.resolve(),
    }
  }
  const { uploadId, parts, size } = await fillUpload(
    ports,
    path,
    { attributes, mark },
    {
      ...outgoing,
      chunks: measured.chunks,
    },
  )
  return {
    size,
    commit: (expect) => ports.objects.complete(path, uploadId, parts, expect),
    abandon: () => ports.objects.abort(path, uploadId),
  }
}
