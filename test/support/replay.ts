import { createHash } from 'node:crypto'
import type { OperationRecord } from '#domain/operation.ts'

/** A request as the tests make it: content as text. */
export interface Request {
  readonly kind: string
  readonly path?: string
  readonly from?: string | readonly string[]
  readonly to?: string
  readonly body?: string
  readonly algorithm?: string
  readonly ifNoneMatch?: string
}

/** What an operation must have ended with: the error's code, or the parts of the result that the contents decide. */
export type Ending = { readonly error: string } | Readonly<Record<string, unknown>>

/** Files as a sequential program would have them: what Lockstep must look like, however much runs at once. */
export class Replay {
  readonly files = new Map<string, string>()

  /** Applies one request, and gives how it must have ended. */
  apply(request: Request): Ending {
    const { path = '', to = '', body = '' } = request
    switch (request.kind) {
      case 'write':
        return this.#guarded(request, path, () => this.#put(path, body))
      case 'append': {
        const offset = this.files.get(path)?.length ?? 0
        return { offset, ...this.#put(path, (this.files.get(path) ?? '') + body) }
      }
      case 'delete':
        return { existed: this.files.delete(path) }
      case 'read':
        return this.#with([path], ([content = '']) => ({
          size: content.length,
          ...(content.length <= 65_536 && { body: content }),
        }))
      case 'stat':
        return this.#with([path], ([content = '']) => ({ size: content.length }))
      case 'checksum':
        return this.#with([path], ([content = '']) => ({
          digest: createHash('md5').update(content).digest('hex'),
        }))
      default:
        return this.#with([request.from ?? ''].flat(), (contents) =>
          this.#guarded(request, to, () => {
            if (request.kind === 'move') this.files.delete(String(request.from))
            return this.#put(to, contents.join(''))
          }),
        )
    }
  }

  #put(path: string, content: string): Ending {
    this.files.set(path, content)
    return { size: content.length }
  }

  #with(paths: readonly string[], work: (contents: string[]) => Ending): Ending {
    const contents = paths.map((path) => this.files.get(path))
    if (contents.includes(undefined)) return { error: 'NotFound' }
    return work(contents.map((content) => content ?? ''))
  }

  #guarded(request: Request, target: string, work: () => Ending): Ending {
    if (request.ifNoneMatch === '*' && this.files.has(target)) return { error: 'PreconditionFailed' }
    return work()
  }
}

/** The same parts of what a record says, to be compared with {@link Replay.apply}. */
export const endingOf = (record: OperationRecord, expected: Ending): Ending => {
  if (record.error !== undefined) return { error: record.error.code }
  const named = Object.keys(expected).map((name) => [name, record.result?.[name]])
  return Object.fromEntries(named) as Ending
}
