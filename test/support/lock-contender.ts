import { isLockstepError, Lockstep } from '#client/index.ts'
import type { ContenderMessage, ContenderOrder, GuardedWork } from './lock-contenders.ts'

/**
 * A process that contends for locks, as told by its parent: so that it can be killed, and stopped, in the
 * middle of it.
 */
const lockstep = new Lockstep(JSON.parse(process.argv[2] ?? '{}') as object)

const tell = (message: ContenderMessage): void => void process.send?.(message)

const signals = new Map<string, AbortSignal>()

/** Takes a lock and keeps it, until this process is killed or told to do something under it. */
const hold = async (path: string, leaseMs: number | undefined): Promise<void> => {
  const lock = await lockstep.lock(path, { leaseMs })
  signals.set(lock.hold, lock.signal)
  tell({ kind: 'held', at: Date.now(), hold: lock.hold, token: lock.token })
}

const append = async (path: string, under: string): Promise<void> => {
  try {
    const operation = await lockstep.append(path, 'from a holder that was paused', { hold: under })
    await operation.result()
    tell({ kind: 'appended' })
  } catch (error) {
    const code = isLockstepError(error) ? error.code : String(error)
    tell({ kind: 'refused', code, aborted: signals.get(under)?.aborted === true })
  }
}

/** Reads a number from the file and writes the next one, under a lock on it: any overlap loses an update. */
const count = (path: string): Promise<GuardedWork> =>
  lockstep.withLock(path, {}, async ({ hold: under, token }) => {
    const enteredAt = Date.now()
    const { body = '0' } = await (await lockstep.read(path, { hold: under })).result()
    await (await lockstep.write(path, String(Number(body) + 1), { hold: under })).result()
    return { token, enteredAt, leftAt: Date.now() }
  })

const countOften = async (path: string, times: number): Promise<void> => {
  const works = await Promise.all(Array.from({ length: times }, () => count(path)))
  tell({ kind: 'counted', works })
}

const obey = async (order: ContenderOrder): Promise<void> => {
  if (order.kind === 'hold') await hold(order.path, order.leaseMs)
  else if (order.kind === 'append') await append(order.path, order.hold)
  else await countOften(order.path, order.times)
}

process.on('message', (order: ContenderOrder) => {
  obey(order).catch((error: unknown) => tell({ kind: 'failed', reason: String(error) }))
})
tell({ kind: 'ready' })
