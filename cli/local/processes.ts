import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'

import { waitFor } from './wait.ts'

const run = promisify(execFile)

/** A process, told apart from a later one with the same (recycled) pid by when it started. */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque: compare for equality only. */
  readonly startedAt: string
}

export interface ProcessInfo extends ProcessIdentity {
  readonly parentPid: number
  /** The arguments, joined by spaces: good for recognising, not for parsing. */
  readonly command: string
}

/** Every living process of this machine that we may look at. Zombies are dead: they run nothing. */
export async function listProcesses(): Promise<ProcessInfo[]> {
  if (process.platform !== 'linux') return parsePs((await run('ps', psArguments)).stdout)
  const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return found.map((name) => readProc(Number(name))).filter((info) => info !== undefined)
}

export async function findProcess(pid: number): Promise<ProcessInfo | undefined> {
  if (process.platform === 'linux') return readProc(pid)
  return (await listProcesses()).find((info) => info.pid === pid)
}

/** Whether that very process lives; another one that got its pid does not count. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await findProcess(identity.pid))?.startedAt === identity.startedAt
}

let own: ProcessIdentity | undefined

/** The identity of this process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  own ??= await findProcess(process.pid)
  if (own === undefined)
    throw new Error(`The process list of this machine lacks the process that reads it, ${process.pid}.`)
  return { pid: own.pid, startedAt: own.startedAt }
}

/**
 * Asks a process to end, and ends it when it does not within `graceMs`. Looks at its identity before each
 * signal, so a recycled pid is left alone.
 */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  if (!(await isAlive(identity))) return
  signalIfThere(identity.pid, 'SIGTERM')
  if (await endsWithin(identity, graceMs)) return
  signalIfThere(identity.pid, 'SIGKILL')
  await waitFor(async () => ((await isAlive(identity)) ? undefined : true), {
    what: `process ${identity.pid} to end after SIGKILL`,
    deadlineMs: 10_000,
    remedy: `look at it with: ps -p ${identity.pid}`,
  })
}

/**
 * Ends every process whose command line holds `mark`: what an earlier run, killed before it could tidy up,
 * left behind. The mark must name something that only we would, such as a path of ours.
 */
export async function endMarked(mark: string, graceMs: number): Promise<void> {
  const marked = (await listProcesses()).filter(
    ({ pid, command }) => pid !== process.pid && command.includes(mark),
  )
  for (const leftover of marked) await endProcess(leftover, graceMs)
}

async function endsWithin(identity: ProcessIdentity, graceMs: number): Promise<boolean> {
  const startedAt = performance.now()
  return waitFor(
    async () => {
      if (!(await isAlive(identity))) return true
      return performance.now() - startedAt >= graceMs ? false : undefined
    },
    { what: `process ${identity.pid} to end`, deadlineMs: graceMs + 1000, remedy: 'try again' },
  )
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It ended between our look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

let bootId: string | undefined

/** Start times are counted from boot, so they repeat after a reboot unless the boot is part of them. */
function readBootId(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return bootId
}

function readProc(pid: number): ProcessInfo | undefined {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    if (stat === undefined) return undefined
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()
    return { pid, parentPid: stat.parentPid, startedAt: `${readBootId()}:${stat.startTicks}`, command }
  } catch {
    // It ended while we looked, or belongs to someone else.
    return undefined
  }
}

/**
 * The parent and the start time out of `/proc/PID/stat` (proc(5)): fields 4 and 22, counted after the name,
 * which stands in brackets and may itself hold brackets and spaces.
 */
export function parseStat(stat: string): { parentPid: number; startTicks: string } | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, parentPid] = fields
  const startTicks = fields[19]
  if (state === undefined || state === 'Z' || state === 'X' || startTicks === undefined) return undefined
  return { parentPid: Number(parentPid), startTicks }
}

/**
 * `lstart` is five words of fixed form (`Mon Nov 24 08:18:00 2026`), to the second: as fine as macOS tells.
 */
const psArguments = ['-axww', '-o', 'pid=,ppid=,stat=,lstart=,command=']
const psLine = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/

export function parsePs(output: string): ProcessInfo[] {
  return output.split('\n').flatMap((line) => {
    const [, pid, parentPid, state, startedAt, command] = psLine.exec(line) ?? []
    if (startedAt === undefined || command === undefined || state?.startsWith('Z')) return []
    return [{ pid: Number(pid), parentPid: Number(parentPid), startedAt, command }]
  })
}
