/**
 * `source`, whose next chunk is waited for no longer than until the signal aborts; then its reason is thrown.
 * A source that is waiting for somebody else (a pipe) could otherwise not be left.
 */
export async function* abortable<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  if (signal === undefined) {
    yield* source
    return
  }
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await nextUnlessAborted(iterator, signal)
      if (next.done === true) return
      yield next.value
    }
  } finally {
    const closed = Promise.resolve(iterator.return?.()).catch(ignore)
    // One that is still waiting closes when it has its chunk; nobody waits for that.
    if (!signal.aborted) await closed
  }
}

const ignore = (): void => undefined

/**
 * Not `Promise.race` with one promise for all chunks: that would keep every chunk in memory until the end.
 */
const nextUnlessAborted = <T>(
  iterator: AsyncIterator<T>,
  signal: AbortSignal,
): Promise<IteratorResult<T, unknown>> =>
  new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
