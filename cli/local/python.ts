import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { LocalEnvironmentError } from './errors.ts'

const run = promisify(execFile)

/** The oldest Python that the emulator supports (its own `Requires-Python`). */
const oldest = { major: 3, minor: 10 }
const needed = `Python ${oldest.major}.${oldest.minor} or newer`

/** Newest first after the plain name, which is what the person most likely means. */
const usualNames = ['python3', ...[14, 13, 12, 11, 10].map((minor) => `python3.${minor}`), 'python']

/**
 * Asked of the interpreter itself, since a file of the right name proves nothing: version managers put
 * stand-ins on PATH for versions that are not active, and Debian splits `venv` and `ensurepip` off into a
 * package of their own.
 */
const probe = `
import json, sys
def has(name):
    try:
        __import__(name)
        return True
    except Exception:
        return False
print(json.dumps({"major": sys.version_info[0], "minor": sys.version_info[1], "executable": sys.executable,
                  "venv": has("venv") and has("ensurepip")}))
`

export interface PythonProbe {
  readonly major: number
  readonly minor: number
  /** The interpreter itself, behind whatever stand-in was found. */
  readonly executable: string
  /** Whether it can make virtual environments with pip in them. */
  readonly venv: boolean
}

/** Answers what the interpreter of that name is, or undefined if there is none that runs. */
export type ProbePython = (name: string) => Promise<PythonProbe | undefined>

export interface FindPythonOptions {
  /** The interpreter that the person named (`LOCKSTEP_PYTHON`); only that one is looked at then. */
  readonly wanted?: string | undefined
  readonly ask?: ProbePython
}

/**
 * The interpreter to build the emulator's environment with.
 *
 * @throws LocalEnvironmentError `PythonMissing`, `PythonTooOld` or `PythonIncomplete`, each with its remedy.
 */
export async function findPython(options: FindPythonOptions = {}): Promise<PythonProbe> {
  const { wanted, ask = askInterpreter } = options
  const seen: PythonProbe[] = []
  for (const name of wanted === undefined ? usualNames : [wanted]) {
    const found = await ask(name)
    if (found === undefined) continue
    if (isNewEnough(found) && found.venv) return found
    seen.push(found)
  }
  throw explain(seen, wanted)
}

function isNewEnough(python: PythonProbe): boolean {
  return python.major > oldest.major || (python.major === oldest.major && python.minor >= oldest.minor)
}

function explain(seen: readonly PythonProbe[], wanted: string | undefined): LocalEnvironmentError {
  const incomplete = seen.find(isNewEnough)
  if (incomplete !== undefined) {
    const version = `${incomplete.major}.${incomplete.minor}`
    return new LocalEnvironmentError(
      'PythonIncomplete',
      `${incomplete.executable} (Python ${version}) cannot make virtual environments, and the local ` +
        'emulator is installed in one: add its venv and ensurepip modules (Debian, Ubuntu: ' +
        `apt-get install python${version}-venv).`,
    )
  }
  const [old] = seen
  if (old !== undefined) {
    return new LocalEnvironmentError(
      'PythonTooOld',
      `The local emulator needs ${needed}, and ${old.executable} is ${old.major}.${old.minor}: install a ` +
        'newer one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python), ' +
        'or name it in LOCKSTEP_PYTHON.',
    )
  }
  const where = wanted === undefined ? 'none was found on PATH' : `LOCKSTEP_PYTHON=${wanted} does not run`
  return new LocalEnvironmentError(
    'PythonMissing',
    `The local emulator needs ${needed}, and ${where}: install it (Debian, Ubuntu: apt-get install python3 ` +
      'python3-venv; macOS: brew install python), or name it in LOCKSTEP_PYTHON.',
  )
}

async function askInterpreter(name: string): Promise<PythonProbe | undefined> {
  try {
    const { stdout } = await run(name, ['-c', probe], { timeout: 20_000 })
    return JSON.parse(stdout) as PythonProbe
  } catch {
    // Not there, or a stand-in for a version that is not active: either way it cannot be used.
    return undefined
  }
}
