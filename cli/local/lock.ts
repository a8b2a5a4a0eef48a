import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { isAlive, ownIdentity, type ProcessIdentity } from './processes.ts'
import { waitFor } from './wait.ts'

export interface LockOptions {
  /** Held for what, as people would say it: it is shown to those who wait. */
  readonly purpose: string
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
  /** Called once when someone else has the lock. */
  readonly onWait?: ((holder: LockHolder) => void) | undefined
}

export interface LockHolder extends ProcessIdentity {
  readonly purpose: string
}

export interface HeldLock {
  release(): void
}

const claimSuffix = '.claim'

/**
 * A lock between processes, as a directory of claims: one file per process that wants it, naming that
 * process.
 *
 * A process makes its claim, then looks at all the others. It has the lock if no other claimant is alive;
 * else it takes its claim back and tries again. Two can never both have it, since each made its claim before
 * it looked. A claim left by a process that died is deleted by whoever sees it, which is safe, because file
 * names are never used again: the race of other lock files, between seeing that a lock is stale and replacing
 * it, is not there.
 */
export async function acquireLock(directory: string, options: LockOptions): Promise<HeldLock> {
  mkdirSync(directory, { recursive: true })
  const holder: LockHolder = { ...(await ownIdentity()), purpose: options.purpose }
  let told = false
  const claim = await waitFor(
    async () => {
      const mine = makeClaim(directory, holder)
      const [other] = await otherClaims(directory, mine)
      if (other === undefined) return mine
      rmSync(join(directory, mine), { force: true })
      if (!told) options.onWait?.(other)
      told = true
      return undefined
    },
    {
      what: `another process to finish with ${directory}`,
      deadlineMs: options.deadlineMs,
      remedy: 'see which process that is in the files there, and end it if it hangs',
      signal: options.signal,
      jitter: true,
    },
  )
  return { release: () => rmSync(join(directory, claim), { force: true }) }
}

/** Who has the lock, or is trying to get it; undefined if nobody does. */
export async function lockHolder(directory: string): Promise<LockHolder | undefined> {
  return (await otherClaims(directory, undefined))[0]
}

/** A claim must never be seen half-written, so it is written under another name and linked into place. */
function makeClaim(directory: string, holder: LockHolder): string {
  const name = `${holder.pid}-${randomBytes(6).toString('hex')}`
  const draft = join(directory, `${name}.draft`)
  writeFileSync(draft, JSON.stringify(holder))
  linkSync(draft, join(directory, name + claimSuffix))
  rmSync(draft)
  return name + claimSuffix
}

async function otherClaims(directory: string, mine: string | undefined): Promise<LockHolder[]> {
  const living: LockHolder[] = []
  for (const name of listClaims(directory)) {
    if (name === mine) continue
    const holder = readClaim(join(directory, name))
    if (holder === undefined) continue
    if (await isAlive(holder)) living.push(holder)
    else rmSync(join(directory, name), { force: true })
  }
  return living
}

function listClaims(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith(claimSuffix))
  } catch {
    return []
  }
}

function readClaim(file: string): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LockHolder
  } catch {
    // Withdrawn while we looked.
    return undefined
  }
}
