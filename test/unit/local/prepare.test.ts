import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { isInstalled, nodeIn, prepare } from '#cli/local/prepare.mjs'
import { temporaryDirectory } from '#test/support/environment-directory.ts'

interface LockEntry {
  version: string
  optional?: boolean
}

let checkout: string
let installs: number

beforeEach(() => {
  checkout = temporaryDirectory()
  installs = 0
  writeLock('package-lock.json', { '': { version: '1' }, 'node_modules/a': { version: '1.0.0' } })
})

function writeLock(name: string, packages: Record<string, LockEntry>): void {
  writeFileSync(join(checkout, name), JSON.stringify({ packages }))
}

/** What `npm ci` leaves behind, as far as anybody looks. */
function layOut(packages: Record<string, LockEntry> = { 'node_modules/a': { version: '1.0.0' } }): void {
  rmSync(join(checkout, 'node_modules'), { recursive: true, force: true })
  mkdirSync(join(checkout, 'node_modules/.bin'), { recursive: true })
  writeFileSync(nodeIn(checkout), '')
  chmodSync(nodeIn(checkout), 0o755)
  writeLock('node_modules/.package-lock.json', packages)
}

const install = () => {
  installs += 1
  layOut()
}

describe('prepare', () => {
  test('installs once, and again only when the lock file changes', () => {
    prepare(checkout, install)
    prepare(checkout, install)
    expect(installs).toBe(1)
    writeLock('package-lock.json', { '': { version: '1' }, 'node_modules/a': { version: '1.1.0' } })
    prepare(checkout, install)
    expect(installs).toBe(2)
  })

  test('does not install what someone has installed themselves', () => {
    layOut()
    prepare(checkout, install)
    expect(installs).toBe(0)
  })

  test('installs again when node_modules was deleted, or its Node', () => {
    prepare(checkout, install)
    rmSync(join(checkout, 'node_modules'), { recursive: true })
    prepare(checkout, install)
    rmSync(nodeIn(checkout))
    prepare(checkout, install)
    expect(installs).toBe(3)
  })

  test('an install that fails leaves no stamp', () => {
    const fail = () => {
      layOut({})
      throw new Error('npm ci ended with 1')
    }
    expect(() => prepare(checkout, fail)).toThrow('npm ci ended with 1')
    prepare(checkout, install)
    expect(installs).toBe(1)
  })
})

describe('what npm installed', () => {
  test('is what the lock file says if nothing is missing, different or too much', () => {
    layOut()
    expect(isInstalled(checkout)).toBe(true)
    layOut({})
    expect(isInstalled(checkout)).toBe(false)
    layOut({ 'node_modules/a': { version: '1.0.1' } })
    expect(isInstalled(checkout)).toBe(false)
    layOut({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } })
    expect(isInstalled(checkout)).toBe(false)
  })

  test('may lack packages for other platforms', () => {
    writeLock('package-lock.json', {
      '': { version: '1' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a-darwin': { version: '1.0.0', optional: true },
    })
    layOut()
    expect(isInstalled(checkout)).toBe(true)
  })
})
