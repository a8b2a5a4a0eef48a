import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { errorCatalogue } from '#domain/errors.ts'
import { limits } from '#domain/limits.ts'
import { kindNames, kindOf } from '#operations/registry.ts'
import { defects } from '#test/support/defects.ts'

/** What the documentation says of the code is compared with the code, so that it cannot silently go stale. */

const files = globSync('**/*.md', { exclude: ['node_modules', '.local', 'cdk.out'] }).sort()

const textOf = (file: string): string => readFileSync(file, 'utf8')

/** Without code: what stands there is an example, and no link or table of ours. */
const proseOf = (file: string): string => textOf(file).replaceAll(/^```[\s\S]*?^```/gm, '')

/** The rows of all tables in a file, cell by cell, whose first cell is one name in backticks. */
const rowsOf = (file: string): Map<string, string[]> => {
  const rows = new Map<string, string[]>()
  for (const line of proseOf(file).split('\n')) {
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim())
    const name = /^`([^`]+)`$/.exec(cells[0] ?? '')?.[1]
    if (name !== undefined && !rows.has(name)) rows.set(name, cells.slice(1))
  }
  return rows
}

/** Only the part of a file between a heading and the next one of the same rank. */
const section = (file: string, heading: string): string[] => {
  const lines = proseOf(file).split('\n')
  const start = lines.indexOf(heading)
  const rank = heading.split(' ')[0] ?? '#'
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => line.startsWith(`${rank} `))
  return start < 0 ? [] : rest.slice(0, end < 0 ? undefined : end)
}

const units: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  s: 1000,
  min: 60_000,
  d: 86_400_000,
}

/** `16 KiB`, `7 d`, `1,000` as the number that the code has; times in ms, except for those called seconds. */
const amountOf = (name: string, text: string): number => {
  const [, digits = '', unit] = /^([\d,]+)(?: (\w+))?$/.exec(text) ?? []
  const amount = Number(digits.replaceAll(',', '')) * (unit === undefined ? 1 : (units[unit] ?? Number.NaN))
  return name.endsWith('Seconds') ? amount / 1000 : amount
}

/** As GitHub makes them: lower case, spaces to hyphens, punctuation gone. */
const anchorsOf = (file: string): Set<string> => {
  const headings = proseOf(file).matchAll(/^#{1,6} (.+)$/gm)
  return new Set(
    Array.from(headings, ([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

const brokenLinksOf = (file: string): string[] =>
  Array.from(proseOf(file).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#')
      const linked = path === '' ? file : normalize(join(dirname(file), path))
      if (!existsSync(linked)) return true
      return anchor !== undefined && !anchorsOf(linked).has(anchor)
    })

/** Files of the project that the text names in backticks; patterns and placeholders are none. */
const missingFilesOf = (file: string): string[] =>
  Array.from(
    proseOf(file).matchAll(/`((?:\.ci|bench|cli|demo|docs|functions|infra|shared|test)\/[\w./-]+)`/g),
    ([, path = '']) => path,
  ).filter((path) => !existsSync(path))

describe.each(files)('%s', (file) => {
  test('links to what is there', () => {
    expect(brokenLinksOf(file)).toEqual([])
  })

  test('names files that are there', () => {
    expect(missingFilesOf(file)).toEqual([])
  })

  test('knows nothing of the machine it was written on', () => {
    const strange =
      /\/(?:work|root|home\/\w+|tmp)\/|registry\.npmjs|pypi\.org|pythonhosted|repo1\.maven|proxy\.golang/g
    expect(textOf(file).match(strange) ?? []).toEqual([])
  })
})

describe('docs/semantics.md', () => {
  test('has every limit of the code, as it is there, and no other', () => {
    const rows = section('docs/semantics.md', '## Limits').flatMap((line) => {
      const [, name = '', text = ''] = /^\| `(\w+)` \| ([^|]+?) \|/.exec(line) ?? []
      return name === '' ? [] : [[name, amountOf(name, text)] as const]
    })
    expect(Object.fromEntries(rows)).toEqual(limits)
  })
})

describe('docs/errors.md', () => {
  test('has the error catalogue, as it is in the code', () => {
    const documented = section('docs/errors.md', '# Errors').flatMap((line) => {
      const row = /^\| `(\w+)` \| (\d+) \| (\d+) \| (\w+) \| ([^|]+?) \|$/.exec(line)
      if (row === null) return []
      const [, code = '', httpStatus, exitCode, retry, sentence] = row
      return [
        [code, { httpStatus: Number(httpStatus), exitCode: Number(exitCode), retry, sentence }] as const,
      ]
    })
    expect(Object.fromEntries(documented)).toEqual(errorCatalogue)
  })
})

describe.each(kindNames)('the kind %s', (name) => {
  test('is in the guide, with every argument that it takes', () => {
    const [args = ''] = rowsOf('docs/guide.md').get(name) ?? []
    const { schema, content } = kindOf(name)
    const expected = schema instanceof z.ZodMiniObject ? Object.keys(schema.shape) : []
    expect(expected).not.toEqual([])
    const named = Array.from(args.matchAll(/`(\w+)`/g), ([, argument]) => argument)
    expect(new Set(named)).toEqual(new Set(expected))
    expect(args.includes('content')).toBe(content !== 'none')
  })

  test('is in the semantics, with what it reads and writes', () => {
    expect(rowsOf('docs/semantics.md').get(name)).toHaveLength(3)
  })
})

test('docs/correctness.md names every defect that a test looks for, and no other', () => {
  const rows = section('docs/correctness.md', '## The rules and their tests').join('\n')
  const named = Array.from(rows.matchAll(/"([^"]+)"/g), ([, name]) => name)
  expect(new Set(named)).toEqual(new Set(defects.map(({ name }) => name)))
})

test('every decision is in the index', () => {
  const index = textOf('docs/README.md')
  const missing = globSync('docs/decisions/*.md').filter(
    (file) => !index.includes(file.slice('docs/'.length)),
  )
  expect(missing).toEqual([])
})
