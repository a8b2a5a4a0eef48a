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
 * Whether the packages in node_modules are those of the lock file, going by npm's own record of what it put
 * there, which it writes last. Packages that are optional or for other platforms may be missing; none may be
 * another.
 */
export function isInstalled(directory) {
  const lock = readJson(join(directory, 'package-lock.json'))
  const installed = readJson(join(directory, 'node_modules', '.package-lock.json'))
  if (lock === undefined || installed === undefined || !isExecutable(nodeIn(directory))) return false
  const wanted = Object.entries(lock.packages).filter(([path]) => path !== '')
  const same = ([path, entry]) => {
    const found = installed.packages[path]
    return found === undefined
      ? entry.optional === true || entry.devOptional === true
      : found.version === entry.version
  }
  const known = Object.keys(installed.packages).every((path) => lock.packages[path] !== undefined)
  return known && wanted.every(same)
}

/**
 * The Node that everything else runs on. It comes from the lock file too, by a script that an install may
 * have skipped.
 */
export function nodeIn(directory) {
  return join(directory, 'node_modules', '.bin', 'node')
}

export function stampOf(directory) {
  const lock = readFileSync(join(directory, 'package-lock.json'))
  return createHash('sha256').update(`${process.platform} ${process.arch}\n`).update(lock).digest('hex')
}

export function prepare(directory, install = runNpmCi) {
  const stampFile = join(directory, 'node_modules', '.lockstep-stamp')
  const stamp = stampOf(directory)
  if (isExecutable(nodeIn(directory)) && readText(stampFile) === stamp) return
  // Someone may have run npm themselves.
  if (!isInstalled(directory)) install(directory)
  writeFileSync(stampFile, stamp)
}

function runNpmCi(directory) {
  console.error('Installing the packages of package-lock.json (npm ci)')
  // npm's own Node, since the one in node_modules is about to be deleted.
  const { npm_execpath: npm, npm_node_execpath: node = process.execPath } = process.env
  const arguments_ = ['ci', '--no-audit', '--no-fund']
  const [command, all] = npm === undefined ? ['npm', arguments_] : [node, [npm, ...arguments_]]
  // Its report goes to standard error: what the main script prints must be alone on standard output.
  const { status, error } = spawnSync(command, all, { cwd: directory, stdio: ['ignore', 2, 2] })
  if (status === 0) return
  throw new Error(
    `npm ci ended with ${error?.message ?? status}: see what it says above, mend that, and run this again.`,
  )
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function readText(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function readJson(file) {
  const text = readText(file)
  return text === undefined ? undefined : JSON.parse(text)
}

function main() {
  const major = Number(process.versions.node.split('.')[0])
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
    console.error(error.message)
    process.exitCode = 1
  }
}
