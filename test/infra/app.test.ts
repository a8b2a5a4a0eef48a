import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UnknownStageError } from '#infra/errors.ts'
import { parseStage } from '#infra/stage.ts'
import cdkJson from '../../cdk.json' with { type: 'json' }
import packageJson from '../../package.json' with { type: 'json' }

const checkout = resolve(import.meta.dirname, '../..')

describe('the stage', () => {
  test('is dev unless given', () => {
    expect(parseStage(undefined)).toBe('dev')
    expect(parseStage('dev')).toBe('dev')
    expect(parseStage('prod')).toBe('prod')
  })

  test.each(['production', '', 'toString', null, 1, true])('is never guessed from %j', (value) => {
    expect(() => parseStage(value)).toThrow(UnknownStageError)
    expect(() => parseStage(value)).toThrow(expect.objectContaining({ code: 'UnknownStage', stage: value }))
  })
})

describe('the app, as cdk runs it', () => {
  let output: string
  beforeAll(() => {
    output = mkdtempSync(join(tmpdir(), 'lockstep-app-'))
  })
  afterAll(() => rmSync(output, { recursive: true }))

  function run(context: Readonly<Record<string, unknown>>) {
    const [command, ...args] = cdkJson.app.split(' ')
    expect(command).toBe('node')
    return spawnSync(process.execPath, args, {
      cwd: checkout,
      encoding: 'utf8',
      env: {
        CDK_OUTDIR: output,
        CDK_CONTEXT_JSON: JSON.stringify({ ...cdkJson.context, 'aws:cdk:bundling-stacks': [], ...context }),
      },
    })
  }

  test('makes two stacks per stage without account, region, credentials or Docker', () => {
    for (const stage of ['dev', 'prod']) {
      const { status, stderr } = run({ stage })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const templates = readdirSync(output).filter((file) => file.endsWith('.template.json'))
      expect(templates).toEqual(
        expect.arrayContaining([
          `LockstepStorage-${stage}.template.json`,
          `LockstepProcessing-${stage}.template.json`,
        ]),
      )
    }
  })

  test('refuses an unknown stage and says which there are', () => {
    const { status, stderr } = run({ stage: 'production' })
    expect(status).not.toBe(0)
    expect(stderr).toContain('Context "stage" is "production", expected one of dev, prod.')
  })
})

describe('the toolchain', () => {
  test('is pinned: aws-cdk@latest is a stray release that cannot read what aws-cdk-lib writes', () => {
    const pinned = packageJson.devDependencies
    expect(pinned['aws-cdk']).toBe('2.1148.1')
    expect(pinned['aws-cdk-lib']).toBe('2.276.0')
    expect(pinned['constructs']).toBe('10.8.1')
  })

  test.each(['aws-cdk', 'aws-cdk-lib', 'constructs'] as const)('is installed as pinned: %s', (name) => {
    const manifest = readFileSync(join(checkout, 'node_modules', name, 'package.json'), 'utf8')
    expect((JSON.parse(manifest) as { version: string }).version).toBe(packageJson.devDependencies[name])
  })
})
