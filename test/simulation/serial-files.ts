import { createHash } from 'node:crypto'
import type { FileState } from './ledger.ts'
import type { Wish } from './world.ts'

/** What an operation must come to when the operations before it are done, and nobody else is there. */
export type Expected =
  | { readonly kind: 'succeeded'; readonly result: Readonly<Record<string, unknown>> }
  | { readonly kind: 'failed'; readonly code: string }

interface Content {
  readonly bytes: Buffer
  readonly contentType: string | undefined
  readonly metadata: Readonly<Record<string, string>>
}

const failed = (code: string): Expected => ({ kind: 'failed', code })

/**
 * The files as they would be if operations ran one after another: what each kind means, said as shortly as
 * possible, without any of the code under test.
 */
export class SerialFiles {
  readonly files = new Map<string, FileState>()
  readonly #etagOf: (id: string, path: string) => string | undefined

  /** `etagOf`: the ETag that the effect of an operation gave to a file; bytes alone do not tell it. */
  constructor(etagOf: (id: string, path: string) => string | undefined) {
    this.#etagOf = etagOf
  }

  apply(wish: Wish): Expected {
    const { kind, request } = wish
    switch (kind) {
      case 'read':
      case 'stat':
      case 'checksum':
        return this.#look(wish, String(request['path']))
      case 'delete':
        return this.#delete(wish, String(request['path']))
      case 'copy':
      case 'move':
        return this.#transfer(wish, String(request['from']), String(request['to']))
      case 'concat':
        return this.#concat(wish, request['from'] as readonly string[], String(request['to']))
      default:
        return this.#write(wish, String(request['path']))
    }
  }

  #look({ kind, request }: Wish, path: string): Expected {
    const file = this.files.get(path)
    if (file === undefined) return failed('NotFound')
    const { bytes, etag, contentType, metadata } = file
    const common = { etag, size: bytes.length }
    if (kind === 'read') return { kind: 'succeeded', result: { ...common, body: bytes.toString('utf8') } }
    if (kind === 'stat') return { kind: 'succeeded', result: { ...common, contentType, metadata } }
    const digest = createHash(String(request['algorithm'])).update(bytes).digest('hex')
    return { kind: 'succeeded', result: { ...common, digest } }
  }

  #delete(wish: Wish, path: string): Expected {
    if (this.#isUnmet(wish, path)) return failed('PreconditionFailed')
    return { kind: 'succeeded', result: { existed: this.files.delete(path) } }
  }

  #transfer(wish: Wish, from: string, to: string): Expected {
    const source = this.files.get(from)
    if (source === undefined) return failed('NotFound')
    if (this.#isUnmet(wish, to)) return failed('PreconditionFailed')
    const expected = this.#put(wish, to, source)
    if (wish.kind === 'move') this.files.delete(from)
    return expected
  }

  #concat(wish: Wish, from: readonly string[], to: string): Expected {
    const sources = from.map((path) => this.files.get(path))
    if (sources.includes(undefined)) return failed('NotFound')
    if (this.#isUnmet(wish, to)) return failed('PreconditionFailed')
    const model = this.files.get(from.includes(to) ? to : (from[0] ?? to))
    const bytes = Buffer.concat(sources.map((source) => source?.bytes ?? Buffer.alloc(0)))
    return this.#put(wish, to, { contentType: model?.contentType, metadata: model?.metadata ?? {}, bytes })
  }

  #write(wish: Wish, path: string): Expected {
    if (this.#isUnmet(wish, path)) return failed('PreconditionFailed')
    const { request } = wish
    const own: Content = {
      bytes: Buffer.from(wish.content ?? []),
      contentType: (request['contentType'] as string | undefined) ?? 'application/octet-stream',
      metadata: (request['metadata'] as Record<string, string> | undefined) ?? {},
    }
    const old = this.files.get(path)
    if (wish.kind === 'write' || old === undefined) {
      return this.#put(wish, path, own, wish.kind === 'append' ? { offset: 0 } : {})
    }
    const bytes = Buffer.concat([old.bytes, own.bytes])
    return this.#put(wish, path, { ...old, bytes }, { offset: old.bytes.length })
  }

  #put(wish: Wish, path: string, content: Content, more: Record<string, unknown> = {}): Expected {
    const etag = this.#etagOf(wish.id, path) ?? 'no effect'
    const { bytes, contentType, metadata } = content
    this.files.set(path, { bytes, contentType, metadata, etag })
    return { kind: 'succeeded', result: { etag, size: bytes.length, ...more } }
  }

  #isUnmet({ request }: Wish, path: string): boolean {
    const exists = this.files.has(path)
    return (request['ifMatch'] === '*' && !exists) || (request['ifNoneMatch'] === '*' && exists)
  }
}
