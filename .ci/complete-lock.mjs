/**
 * Completes package-lock.json with the packages for other platforms that the registry at hand did not have.
 *
 * Tools with a native program have one optional package per platform. A registry mirror may hold only those
 * for the platforms of its own users; npm then leaves the others out of the lock file, and `npm ci` refuses
 * the file ("Missing: ... from lock file"), there and everywhere. An entry with the version that the tool
 * asks for, and the platform that its name tells, mends that; it lacks the hash, which only a registry that
 * has the package can give.
 *
 * Run by `npm run lock`, after npm has written the file.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const lockFile = new URL('../package-lock.json', import.meta.url)

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]

/**
 * @typedef {{ version?: string, dev?: boolean, optional?: boolean, optionalDependencies?: Record<string,
 * string>,
 *   os?: string[], cpu?: string[], libc?: string[] }} Entry
 */

/**
 * The entries that the lock file lacks, by their place in it.
 *
 * @param {Record<string, Entry>} packages
 * @returns {Record<string, Entry>}
 */
export function missingEntries(packages) {
  /** @type {Record<string, Entry>} */
  const missing = {}
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const platform = platformOf(name)
      if (path === '' || platform === undefined || isThere(packages, path, name)) continue
      const dev = entry.dev === true ? { dev: true } : {}
      const { cpu, libc, os } = platform
      // In npm's order.
      missing[`node_modules/${name}`] = {
        version,
        cpu,
        ...dev,
        ...(libc ? { libc } : {}),
        optional: true,
        os,
      }
    }
  }
  return missing
}

/**
 * Whether Node would find that package from there: beside it, or in a node_modules further up.
 *
 * @param {Record<string, Entry>} packages
 * @param {string} path
 * @param {string} name
 */
function isThere(packages, path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`] !== undefined) return true
    if (folder === '') return false
  }
}

/**
 * The platform that a package is for, by its name: `@x/cli-linux-arm64-musl`. Undefined if it names none.
 *
 * @param {string} name
 */
export function platformOf(name) {
  const words = name.split(/[/-]/)
  const at = words.findIndex((word) => systems.includes(word))
  const [system, cpu, library] = words.slice(at)
  if (at === -1 || system === undefined || cpu === undefined) return undefined
  return { cpu: [cpu], os: [system], libc: libraryOf(library) }
}

/** @param {string | undefined} word */
function libraryOf(word) {
  if (word?.startsWith('musl')) return ['musl']
  return word?.startsWith('gnu') ? ['glibc'] : undefined
}

function main() {
  const lock = JSON.parse(readFileSync(lockFile, 'utf8'))
  const missing = missingEntries(lock.packages)
  const all = Object.entries({ ...lock.packages, ...missing })
  // npm's own order, so that its next run changes nothing.
  lock.packages = Object.fromEntries(all.sort(([a], [b]) => a.localeCompare(b, 'en')))
  writeFileSync(lockFile, `${JSON.stringify(lock, undefined, 2)}\n`)
  console.log(`${Object.keys(missing).length} packages for other platforms added to package-lock.json`)
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) main()
