import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

/**
 * The rule is only as good as the tool's sight: without a parser for TypeScript, or a resolver for
 * `#domain/*`, it would find no dependency at all, and nothing wrong. So wrong imports are laid before it.
 */
const run = promisify(execFile)

const checkout = process.cwd()
let project: string

beforeEach(() => {
  // Inside the checkout, as the tool looks for its parser from where it runs.
  mkdirSync(join(checkout, '.local'), { recursive: true })
  project = mkdtempSync(join(checkout, '.local', 'rule-'))
  write(
    'package.json',
    '{"type": "module", "imports": {"#domain/*": "./shared/domain/*", "#aws/*": "./shared/aws/*"}}',
  )
  write('shared/domain/line.ts', 'export interface Line { readonly next: number }')
  write(
    'shared/aws/store.ts',
    "import type { Line } from '#domain/line.ts'\nexport const line: Line = { next: 1 }",
  )
})

afterEach(() => rmSync(project, { recursive: true, force: true }))

function write(path: string, text: string): void {
  const file = join(project, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

async function brokenRules(): Promise<string[]> {
  const config = join(checkout, '.dependency-cruiser.cjs')
  const tool = join(checkout, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
  const cruise = run(process.execPath, [tool, '--config', config, '--output-type', 'json', '.'], {
    cwd: project,
  })
  const { stdout } = await cruise.catch((error: unknown) => error as { stdout: string })
  const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string } }[] } }
  return [...new Set(summary.violations.map(({ rule }) => rule.name))].toSorted()
}

describe('the dependency rule', () => {
  test('lets imports go down', async () => {
    expect(await brokenRules()).toEqual([])
  })

  test('sees an import of a type that goes up', async () => {
    write(
      'shared/domain/wrong.ts',
      "import type { line } from '#aws/store.ts'\nexport type Wrong = typeof line",
    )
    expect(await brokenRules()).toEqual(['what-shared-domain-may-import'])
  })

  test('sees a cycle, an import of a test, and one that leads nowhere', async () => {
    write('shared/aws/a.ts', "import { b } from './b.ts'\nexport const a = () => b")
    write('shared/aws/b.ts', "import { a } from './a.ts'\nexport const b = () => a")
    write('test/support/fake.ts', 'export const fake = 1')
    write(
      'functions/worker/handler.ts',
      "import { fake } from '../../test/support/fake.ts'\nexport const x = fake",
    )
    write('cli/main.ts', "export * from '#domain/gone.ts'")
    const expected = ['no-cycles', 'no-unresolved', 'nothing-imports-tests', 'what-functions-may-import']
    expect(await brokenRules()).toEqual(expected)
  })
})
