import type { ObjectAttributes, ObjectHead, ObjectStore } from '#ports/object-store.ts'

/**
 * What HTTP says of bytes of unknown type. Never guessed from the name or the content: a guess that is wrong
 * once sticks to the file, and S3 would otherwise put its own `binary/octet-stream`.
 */
export const defaultContentType = 'application/octet-stream'

/**
 * All that a copied or appended file keeps. Tags are not part of a head: they are fetched only if there are
 * some.
 */
export const keptAttributes = async (
  objects: ObjectStore,
  path: string,
  head: ObjectHead,
): Promise<ObjectAttributes> =>
  head.tagged ? { ...head.attributes, tags: await objects.tags(path) } : head.attributes

/** Of a file that is made anew. */
export const newAttributes = (args: {
  contentType?: string | undefined
  metadata?: Record<string, string> | undefined
}): ObjectAttributes => ({
  contentType: args.contentType ?? defaultContentType,
  metadata: args.metadata ?? {},
})
