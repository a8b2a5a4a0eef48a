import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { fingerprintSources } from '#cli/local/fingerprint.ts'
import { temporaryDirectory } from '#test/support/environment-directory.ts'

let checkout: string

beforeEach(() => {
  checkout = temporaryDirectory()
  mkdirSync(join(checkout, 'shared/domain'), { recursive: true })
  writeFileSync(join(checkout, 'shared/domain/line.ts'), 'export const line = 1')
})

describe('the fingerprint of the sources', () => {
  test('is the same for the same sources', () => {
    expect(fingerprintSources(checkout)).toBe(fingerprintSources(checkout))
  })

  test('changes with what a file says, with its name, and with the command that reads them', () => {
    const before = fingerprintSources(checkout)
    writeFileSync(join(checkout, 'shared/domain/line.ts'), 'export const line = 2')
    const edited = fingerprintSources(checkout)
    renameSync(join(checkout, 'shared/domain/line.ts'), join(checkout, 'shared/domain/queue.ts'))
    const renamed = fingerprintSources(checkout)
    expect(new Set([before, edited, renamed, fingerprintSources(checkout, 'node app.ts')]).size).toBe(4)
  })

  test('does not change with what is not deployed', () => {
    const before = fingerprintSources(checkout)
    mkdirSync(join(checkout, 'test'))
    writeFileSync(join(checkout, 'test/line.test.ts'), '')
    expect(fingerprintSources(checkout)).toBe(before)
  })
})
