import { limits } from '#domain/limits.ts'
import type {
  CompleteOutcome,
  Expect,
  ObjectAttributes,
  ObjectHead,
  ObjectStore,
  Part,
  PartOutcome,
} from '#ports/object-store.ts'

interface Upload {
  readonly path: string
  readonly attributes: ObjectAttributes
  readonly parts: Map<number, Part>
}

/**
 * Objects that have sizes but no bytes: for plans of gigabytes. Only what assembling by server-side copies
 * needs.
 */
export class SizeStore {
  readonly objects = new Map<string, ObjectHead>()
  readonly open = new Map<string, Upload>()
  readonly calls: string[] = []
  #count = 0

  set(path: string, size: number): ObjectHead {
    this.#count += 1
    const head: ObjectHead = {
      etag: `"v${this.#count}"`,
      size,
      lastModified: 0,
      attributes: { metadata: { of: path } },
      tagged: false,
    }
    this.objects.set(path, head)
    return head
  }

  /** The port: what is not here throws when called. */
  get port(): ObjectStore {
    return this as unknown as ObjectStore
  }

  async head(path: string): Promise<ObjectHead | null> {
    return this.objects.get(path) ?? null
  }

  async createUpload(path: string, attributes: ObjectAttributes): Promise<string> {
    this.#count += 1
    const uploadId = `upload-${this.#count}`
    this.open.set(uploadId, { path, attributes, parts: new Map() })
    this.calls.push('createUpload')
    return uploadId
  }

  async copyPart(
    _path: string,
    uploadId: string,
    number: number,
    source: { path: string; etag: string; range?: { start: number; end: number } },
  ): Promise<PartOutcome> {
    this.calls.push(`copyPart ${number}`)
    await Promise.resolve()
    const upload = this.open.get(uploadId)
    if (upload === undefined) return { kind: 'no-upload' }
    const object = this.objects.get(source.path)
    if (object?.etag !== source.etag) return { kind: 'changed' }
    const size = source.range === undefined ? object.size : source.range.end - source.range.start + 1
    if (size > limits.partMaxBytes) throw new RangeError(`part of ${size} bytes`)
    const etag = `"p${number}"`
    upload.parts.set(number, { number, etag, size })
    return { kind: 'done', etag }
  }

  async parts(_path: string, uploadId: string): Promise<Part[] | null> {
    const upload = this.open.get(uploadId)
    return upload === undefined ? null : [...upload.parts.values()]
  }

  async complete(
    path: string,
    uploadId: string,
    parts: readonly Part[],
    expect: Expect,
  ): Promise<CompleteOutcome> {
    this.calls.push('complete')
    if (!this.open.has(uploadId)) return { kind: 'no-upload' }
    const etag = this.objects.get(path)?.etag
    if (expect === 'absent' ? etag !== undefined : etag !== expect.etag) return { kind: 'changed' }
    this.open.delete(uploadId)
    const head = this.set(
      path,
      parts.reduce((sum, part) => sum + part.size, 0),
    )
    return { kind: 'done', etag: head.etag }
  }

  async abort(_path: string, uploadId: string): Promise<void> {
    this.calls.push('abort')
    this.open.delete(uploadId)
  }
}
