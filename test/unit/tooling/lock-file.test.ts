import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { missingEntries, platformOf } from '../../../.ci/complete-lock.mjs'

interface Entry {
  version?: string
  resolved?: string
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Entry> }

describe('package-lock.json', () => {
  test('names every package that a tool wants for some platform, or npm ci refuses it (npm run lock)', () => {
    expect(Object.keys(missingEntries(lock.packages))).toEqual([])
  })

  test('names no registry, so that everyone installs from their own', () => {
    expect(Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined)).toEqual([])
  })

  test('pins every package that package.json asks for, to the version that it names', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
      string,
      Record<string, string>
    >
    for (const [name, version] of Object.entries({
      ...manifest['dependencies'],
      ...manifest['devDependencies'],
    })) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/)
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version)
    }
  })
})

describe('the platform of a package', () => {
  test('is told by its name', () => {
    expect(platformOf('@biomejs/cli-linux-arm64-musl')).toEqual({
      os: ['linux'],
      cpu: ['arm64'],
      libc: ['musl'],
    })
    expect(platformOf('@oxlint/binding-linux-arm-gnueabihf')).toEqual({
      os: ['linux'],
      cpu: ['arm'],
      libc: ['glibc'],
    })
    expect(platformOf('@oxlint-tsgolint/darwin-x64')).toEqual({
      os: ['darwin'],
      cpu: ['x64'],
      libc: undefined,
    })
    expect(platformOf('fsevents')).toBeUndefined()
  })
})

describe('missing entries', () => {
  const tool = {
    version: '1.0.0',
    optionalDependencies: { '@t/linux-x64': '1.0.0', '@t/win32-x64': '1.0.0' },
  }
  const linux = { version: '1.0.0', optional: true }

  test('are those that are asked for and not there, with the version that is asked for', () => {
    const packages = { '': {}, 'node_modules/t': tool, 'node_modules/@t/linux-x64': linux }
    expect(missingEntries(packages)).toEqual({
      'node_modules/@t/win32-x64': { version: '1.0.0', cpu: ['x64'], optional: true, os: ['win32'] },
    })
  })

  test('are not missed when they lie inside the package that asks for them', () => {
    const inside = { 'node_modules/t/node_modules/@t/win32-x64': linux, 'node_modules/@t/linux-x64': linux }
    expect(missingEntries({ '': {}, 'node_modules/t': tool, ...inside })).toEqual({})
  })
})
