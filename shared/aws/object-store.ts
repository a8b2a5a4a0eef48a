import type { ObjectVersion } from '#domain/operation.ts'
import { internalPrefix } from '#domain/path.ts'
import type {
  ByteRange,
  CommitOutcome,
  CompleteOutcome,
  Expect,
  GetOutcome,
  Listing,
  Mark,
  ObjectAttributes,
  ObjectHead,
  ObjectStore,
  Part,
  PartOutcome,
  PinnedLink,
} from '#ports/object-store.ts'
import type { KnownCapabilities } from './capabilities.ts'
import { copyByUpload, deleteAfterCheck, unsent } from './detours.ts'
import { copyObject, deleteObject, discardObject, putObject } from './object-effects.ts'
import {
  getObject,
  headObject,
  linkToObject,
  listObjects,
  listUploads,
  tagsOfObject,
} from './object-reads.ts'
import {
  abortUpload,
  completeUpload,
  copyPart,
  createUpload,
  listParts,
  uploadPart,
} from './object-uploads.ts'
import type { S3Target } from './s3-target.ts'

/**
 * Files on S3, in one bucket. Takes a way round where the target lacks a conditional call (capabilities.ts).
 */
export class AwsObjectStore implements ObjectStore {
  readonly #target: S3Target
  readonly #capabilities: KnownCapabilities

  constructor(target: S3Target, capabilities: KnownCapabilities) {
    this.#target = target
    this.#capabilities = capabilities
  }

  async head(path: string): Promise<ObjectHead | null> {
    return headObject(this.#target, path)
  }

  async tags(path: string): Promise<Record<string, string>> {
    return tagsOfObject(this.#target, path)
  }

  async get(path: string, options: { etag?: string; range?: ByteRange } = {}): Promise<GetOutcome> {
    return getObject(this.#target, path, options)
  }

  async put(
    path: string,
    bytes: Uint8Array,
    expect: Expect,
    attributes: ObjectAttributes,
    mark: Mark,
  ): Promise<CommitOutcome> {
    return putObject(this.#target, path, bytes, expect, attributes, mark)
  }

  async copy(
    from: string,
    sourceEtag: string,
    to: string,
    expect: Expect,
    attributes: ObjectAttributes,
    mark: Mark,
  ): Promise<CommitOutcome> {
    const { conditionalCopy } = await unsent('copy', () => this.#capabilities.get())
    const copy = { from, sourceEtag, to, expect, attributes, mark }
    return conditionalCopy ? copyObject(this.#target, copy) : copyByUpload(this.#target, copy)
  }

  async delete(path: string, etag: string): Promise<{ readonly kind: 'done' | 'changed' | 'absent' }> {
    const { conditionalDelete } = await unsent('delete', () => this.#capabilities.get())
    return conditionalDelete
      ? deleteObject(this.#target, path, etag)
      : deleteAfterCheck(this.#target, path, etag)
  }

  async discard(path: string): Promise<void> {
    if (!path.startsWith(internalPrefix)) {
      throw new RangeError(`discard: got ${path}, expected a path under ${internalPrefix}`)
    }
    return discardObject(this.#target, path)
  }

  async createUpload(path: string, attributes: ObjectAttributes, mark: Mark): Promise<string> {
    return createUpload(this.#target, path, attributes, mark)
  }

  async uploadPart(path: string, uploadId: string, number: number, bytes: Uint8Array): Promise<PartOutcome> {
    return uploadPart(this.#target, path, uploadId, number, bytes)
  }

  async copyPart(
    path: string,
    uploadId: string,
    number: number,
    source: { readonly path: string; readonly etag: string; readonly range?: ByteRange },
  ): Promise<PartOutcome> {
    return copyPart(this.#target, path, uploadId, number, source)
  }

  async parts(path: string, uploadId: string): Promise<Part[] | null> {
    return listParts(this.#target, path, uploadId)
  }

  async complete(
    path: string,
    uploadId: string,
    parts: readonly Part[],
    expect: Expect,
  ): Promise<CompleteOutcome> {
    return completeUpload(this.#target, path, uploadId, parts, expect)
  }

  async abort(path: string, uploadId: string): Promise<void> {
    return abortUpload(this.#target, path, uploadId)
  }

  async list(
    prefix: string,
    options: { delimiter?: string; limit?: number; cursor?: string } = {},
  ): Promise<Listing> {
    return listObjects(this.#target, prefix, options)
  }

  async uploads(prefix: string): Promise<{ readonly path: string; readonly uploadId: string }[]> {
    return listUploads(this.#target, prefix)
  }

  async link(path: string, version: ObjectVersion, expiresInSeconds: number): Promise<PinnedLink> {
    return linkToObject(this.#target, path, version, expiresInSeconds)
  }
}
