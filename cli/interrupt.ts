/** Somebody pressed Ctrl-C, or the process was asked to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  /** 128 and the number of the signal, as shells do. */
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

let shared: AbortSignal | undefined

/**
 * Aborts with {@link Interrupted} at the first Ctrl-C; a second one ends the process at once, as if nobody
 * listened.
 */
export const interruption = (): AbortSignal => {
  shared ??= listen()
  return shared
}

const listen = (): AbortSignal => {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () =>
      controller.abort(new Interrupted('Interrupted before anything was acknowledged.', exitCodes[name])),
    )
  }
  return controller.signal
}
