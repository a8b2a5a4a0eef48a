import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { installEmulator, isInstalled, requirementsFile, venvPython } from '#cli/local/install.ts'
import { temporaryDirectory } from '#test/support/environment-directory.ts'

let directory: string
let requirements: string

beforeEach(() => {
  const root = temporaryDirectory()
  directory = join(root, 'venv')
  requirements = join(root, 'requirements.lock')
  writeFileSync(requirements, 'emulator==1.0\n')
})

const stamp = (text: string) => writeFileSync(join(directory, '.lockstep-stamp'), text)

const digest = () => createHash('sha256').update(readFileSync(requirements)).digest('hex')

function layOutInstallation(): void {
  mkdirSync(dirname(venvPython(directory)), { recursive: true })
  writeFileSync(venvPython(directory), '')
  stamp(digest())
}

describe('the installation of the emulator', () => {
  test('is whole when its stamp is that of the lock file', () => {
    layOutInstallation()
    expect(isInstalled(directory, requirements)).toBe(true)
  })

  test('is not whole without a stamp, which is written last', () => {
    layOutInstallation()
    rmSync(join(directory, '.lockstep-stamp'))
    expect(isInstalled(directory, requirements)).toBe(false)
  })

  test('is not whole when the lock file has changed since, other than in its comments', () => {
    layOutInstallation()
    writeFileSync(requirements, '# A remark.\nemulator==1.0\n')
    expect(isInstalled(directory, requirements)).toBe(true)
    writeFileSync(requirements, 'emulator==1.1\n')
    expect(isInstalled(directory, requirements)).toBe(false)
  })

  test('is not whole when the Python that it was made with is gone', () => {
    layOutInstallation()
    rmSync(venvPython(directory))
    symlinkSync('/gone/python3', venvPython(directory))
    expect(isInstalled(directory, requirements)).toBe(false)
  })

  test('fails with what pip said, and leaves nothing that passes for whole', async () => {
    writeFileSync(requirements, 'not a requirement at all ===\n')
    await expect(installEmulator({ directory, requirements })).rejects.toMatchObject({
      code: 'InstallFailed',
      message: expect.stringContaining('Invalid requirement') as string,
    })
    expect(isInstalled(directory, requirements)).toBe(false)
  }, 60_000)

  test('ends when it is told to', async () => {
    const stop = AbortSignal.abort(new Error('Ctrl-C'))
    await expect(installEmulator({ directory, requirements, signal: stop })).rejects.toThrow('Ctrl-C')
  })
})

describe('the lock file of the emulator', () => {
  const lines = readFileSync(requirementsFile, 'utf8').split('\n')

  test('pins every package to one version, with hashes', () => {
    const packages = lines.filter((line) => /^[a-z]/.test(line))
    expect(packages.length).toBeGreaterThan(10)
    for (const line of packages) expect(line).toMatch(/^[\w.-]+==[\w.]+ (; [^\\]+ )?\\$/)
    for (const line of packages)
      expect(lines[lines.indexOf(line) + 1]).toMatch(/^ {4}--hash=sha256:[0-9a-f]{64}/)
  })

  test('names no registry', () => {
    expect(lines.filter((line) => line.includes('://'))).toEqual([])
  })
})
