import type { Call } from '#memory/intercept.ts'

/** One thing that happened. */
export interface Happening {
  /** Milliseconds since the start of the run. */
  readonly atMs: number
  readonly who: string
  readonly what: string
  /** The operation on whose behalf, if any. */
  readonly operation: string | undefined
  /** The path that it happened to; undefined if it is no matter of one path. */
  readonly path: string | undefined
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value, (_name, inner: unknown) =>
    inner instanceof Uint8Array ? Buffer.from(inner).toString('latin1') : inner,
  )
  return text === undefined ? '' : text.length <= 120 ? text : `${text.slice(0, 117)}...`
}

/** What happened, in order: kept as it is, and made readable only when a run fails. */
export class History {
  readonly #now: () => number
  readonly #start: number
  readonly happenings: Happening[] = []

  constructor(now: () => number) {
    this.#now = now
    this.#start = now()
  }

  note(who: string, what: string, operation?: string, path?: string): void {
    this.happenings.push({ atMs: this.#now() - this.#start, who, what, operation, path })
  }

  fault(who: string, fate: string, call: Call, operation: string | undefined): void {
    this.note(who, `${call.port}.${call.method}: ${fate}`, operation)
  }

  /** A call that changed something. */
  call(who: string, call: Call, value: unknown, operation: string | undefined): void {
    const kind = (value as { kind?: string } | undefined)?.kind
    const what = `${call.port}.${call.method}${kind === undefined ? '' : ` -> ${kind}`}`
    this.note(who, what, operation ?? idIn(call))
  }

  /** Told of what is worth a closer look, at the end. */
  ending(operation: string, document: unknown): void {
    this.note('', `is final: ${shown(document)}`, operation)
  }
}

/** Most calls name the operation first; a few name it second. */
const idIn = (call: Call): string | undefined => {
  const isId = (value: unknown): value is string => typeof value === 'string' && /^[0-9A-Z]{26}$/.test(value)
  return call.args.find(isId)
}
