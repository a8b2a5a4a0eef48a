import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { LocalEnvironmentError } from '#cli/local/errors.ts'
import { findPython, type PythonProbe } from '#cli/local/python.ts'
import { temporaryDirectory } from '#test/support/environment-directory.ts'

const machine = (installed: Record<string, PythonProbe>) => (name: string) => Promise.resolve(installed[name])

const python = (minor: number, venv = true): PythonProbe => ({
  major: 3,
  minor,
  executable: `/usr/bin/python3.${minor}`,
  venv,
})

async function refusal(
  installed: Record<string, PythonProbe>,
  wanted?: string,
): Promise<LocalEnvironmentError> {
  try {
    await findPython({ ask: machine(installed), wanted })
  } catch (error) {
    if (error instanceof LocalEnvironmentError) return error
    throw error
  }
  throw new Error('A Python was found where none should be.')
}

describe('findPython', () => {
  test('takes python3 if it is new enough and whole', async () => {
    const installed = { python3: python(11), 'python3.13': python(13) }
    expect((await findPython({ ask: machine(installed) })).minor).toBe(11)
  })

  test('looks past an old python3 and past one without venv', async () => {
    const installed = { python3: python(9), 'python3.13': python(13, false), 'python3.12': python(12) }
    expect((await findPython({ ask: machine(installed) })).minor).toBe(12)
  })

  test('takes the interpreter that the person named, and no other', async () => {
    const installed = { python3: python(11), '/opt/python': python(14) }
    expect((await findPython({ ask: machine(installed), wanted: '/opt/python' })).minor).toBe(14)
    expect((await refusal({ python3: python(11) }, '/opt/python')).message).toContain(
      'LOCKSTEP_PYTHON=/opt/python',
    )
  })

  test('a machine without Python is told so in one sentence with the remedy', async () => {
    const error = await refusal({})
    expect(error.code).toBe('PythonMissing')
    expect(error.message).toMatch(
      /^The local emulator needs Python 3\.10 or newer, and none was found on PATH: install it/,
    )
    expect(sentences(error.message)).toBe(1)
  })

  test('a Python that is too old is named with its version', async () => {
    const error = await refusal({ python3: python(9), python: python(8) })
    expect(error.code).toBe('PythonTooOld')
    expect(error.message).toContain('/usr/bin/python3.9 is 3.9')
    expect(sentences(error.message)).toBe(1)
  })

  test('a Python without venv or ensurepip is told which package to add', async () => {
    const error = await refusal({ python3: python(11, false) })
    expect(error.code).toBe('PythonIncomplete')
    expect(error.message).toContain('apt-get install python3.11-venv')
    expect(sentences(error.message)).toBe(1)
  })

  test('a stand-in on PATH that does not run counts as missing', async () => {
    const standIn = join(temporaryDirectory(), 'python3')
    writeFileSync(standIn, '#!/bin/sh\necho "command not found" >&2\nexit 127\n')
    chmodSync(standIn, 0o755)
    await expect(findPython({ wanted: standIn })).rejects.toMatchObject({ code: 'PythonMissing' })
  })

  test('asks a real interpreter', async () => {
    const found = await findPython()
    expect(found.major).toBe(3)
    expect(found.minor).toBeGreaterThanOrEqual(10)
  })
})

/** Ends of sentences: a full stop before a space and a capital letter, or at the very end. */
function sentences(message: string): number {
  return message.match(/\.(?=\s+[A-Z]|$)/g)?.length ?? 0
}
