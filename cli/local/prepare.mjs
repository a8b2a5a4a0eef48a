/**
 * Makes sure that node_modules holds what package-lock.json says, before `npm test`, `npm start` and their
 * like.
 *
 * It runs before anything is installed, on whatever Node started npm: plain JavaScript for Node 20, nothing
 * imported.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const oldestNode = 20

/**
 * A package as npm's lock files name it.
 *
 * @typedef {{ version?: string, optional?: boolean, devOptional?: boolean }} LockEntry
 * @typedef {{ packages: Record<string, LockEntry | undefined> }} Lock
 */

/**
 * Whether the packages in node_modules are those of the lock file, going by npm's own record of what it put
 * there, which it writes last. Packages that are optional or for other platforms may be missing; none may be
 * another.
 *
 * @param {string} directory the checkout
 */
export function isInstalled(directory) {
  const lock = readLock(join(directory, 'package-lock.json'))
  const installed = readLock(join(directory, 'node_modules', '.package-lock.json'))
  if (lock === undefined || installed === undefined || !isExecutable(nodeIn(directory))) return false
  const known = Object.keys(installed.packages).every((path) => lock.packages[path] !== undefined)
  const wanted = Object.entries(lock.packages).filter(([path]) => path !== '')
  return known && wanted.every(([path, entry]) => isSame(entry, installed.packages[path]))
}

/**
 * @param {LockEntry | undefined} wanted
 * @param {LockEntry | undefined} found
 */
function isSame(wanted, found) {
  if (found === undefined) return wanted?.optional === true || wanted?.devOptional === true
  return found.version === wanted?.version
}

/**
 * The Node that everything else runs on. It comes from the lock file too, by a script that an install may
 * have skipped.
 *
 * @param {string} directory the checkout
 */
export function nodeIn(directory) {
  return join(directory, 'node_modules', '.bin', 'node')
}

/**
 * Installs what is not installed. The stamp spares the look at every package; it is written last, so an
 * install that was cut short is made anew.
 *
 * @param {string} directory the checkout
 * @param {(directory: string) => void} [install]
 */
export function prepare(directory, install = runNpmCi) {
  const stampFile = join(directory, 'node_modules', '.lockstep-stamp')
  const stamp = stampOf(directory)
  if (isExecutable(nodeIn(directory)) && readText(stampFile) === stamp) return
  // Someone may have run npm themselves.
  if (!isInstalled(directory)) install(directory)
  writeFileSync(stampFile, stamp)
}

/** @param {string} directory */
function stampOf(directory) {
  const lock = readFileSync(join(directory, 'package-lock.json'))
  return createHash('sha256').update(`${process.platform} ${process.arch}\n`).update(lock).digest('hex')
}

/** @param {string} directory */
function runNpmCi(directory) {
  console.error('Installing the packages of package-lock.json (npm ci)')
  // npm's own Node, since the one in node_modules is about to be deleted.
  const { npm_execpath: npm, npm_node_execpath: node = process.execPath } = process.env
  const ci = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const [command, ...rest] = npm === undefined ? ['npm', ...ci] : [node, npm, ...ci]
  // Its report goes to standard error: what the main script prints must be alone on standard output.
  const { status, error } = spawnSync(command, rest, { cwd: directory, stdio: ['ignore', 2, 2] })
  if (status === 0) return
  const reason = error?.message ?? status
  throw new Error(`npm ci ended with ${reason}: see what it says above, mend that, and run this again.`)
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** @param {string} file */
function readText(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/**
 * @param {string} file
 * @returns {Lock | undefined}
 */
function readLock(file) {
  const text = readText(file)
  return text === undefined ? undefined : JSON.parse(text)
}

function main() {
  const major = Number.parseInt(process.versions.node, 10)
  if (major < oldestNode) {
    throw new Error(
      `Lockstep's tools need Node ${oldestNode} or newer, this is ${process.version}: install a newer one.`,
    )
  }
  prepare(join(dirname(fileURLToPath(import.meta.url)), '..', '..'))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
