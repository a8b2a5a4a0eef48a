import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * `npm test`: the checks, then every test, then one line with the totals over all of them, alone on its line,
 * for people and for machines that read only that. Nothing stops at the first failure: one run tells all.
 */
interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

interface Check {
  readonly name: string
  readonly command: string
  readonly commandArguments: readonly string[]
}

const folders = ['infra', 'functions', 'shared', 'cli', 'console', 'demo', 'bench', 'test'].filter(existsSync)

const checks: readonly Check[] = [
  { name: 'types', command: 'tsc', commandArguments: ['--noEmit'] },
  { name: 'format and lint', command: 'biome', commandArguments: ['check', '.'] },
  { name: 'lint with types', command: 'oxlint', commandArguments: ['--type-aware', '--deny-warnings'] },
  { name: 'dependency rule', command: 'depcruise', commandArguments: folders },
  { name: 'unused code', command: 'knip', commandArguments: ['--no-progress', '--no-config-hints'] },
]

async function runCheck({ name, command, commandArguments }: Check): Promise<Totals> {
  const startedAt = performance.now()
  const { code, output } = await run(command, commandArguments)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const line = [command, ...commandArguments].join(' ')
  if (code === 0) {
    console.log(`ok      ${name} (${seconds} s)`)
    return { passed: 1, failed: 0, skipped: 0 }
  }
  console.log(`FAILED  ${name} (${seconds} s): ${line}\n${output.trimEnd()}\n`)
  return { passed: 0, failed: 1, skipped: 0 }
}

async function run(
  command: string,
  commandArguments: readonly string[],
): Promise<{ code: unknown; output: string }> {
  const child = spawn(command, commandArguments, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  let output = ''
  const collect = (chunk: Buffer) => {
    output += chunk.toString('utf8')
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

/** What is read of vitest's JSON report. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { status: string }[]
  }[]
}

/**
 * Cheapest first. Pure tests share one run, which keeps both cores busy to its end. The others have a run each: they
 * wait for processes, and an emulator or a deployment that fails must not take the results of the others with it.
 */
const runs = [['unit', 'simulation', 'infra'], ['contracts'], ['local'], ['e2e']]

async function runTests(projects: readonly string[]): Promise<Totals> {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-report-'))
  const file = join(directory, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const commandArguments = ['run', ...projects.flatMap((project) => ['--project', project]), ...reporters]
  try {
    const child = spawn('vitest', commandArguments, { stdio: ['ignore', 'inherit', 'inherit'] })
    const [code] = (await once(child, 'exit')) as [number | null]
    return countTests(readReport(file), code)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    // The runner died before it could write one; its exit code then counts.
    return undefined
  }
}

/**
 * A file that could not be loaded has no failed test in it, and an error outside of tests belongs to none:
 * both count.
 */
function countTests(report: Report | undefined, code: number | null): Totals {
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = report ?? {}
  const brokenFiles = (report?.testResults ?? []).filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  )
  const counted = numFailedTests + brokenFiles.length
  const failed = code !== 0 && counted === 0 ? 1 : counted
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests }
}

async function main(): Promise<void> {
  const results: Totals[] = []
  for (const check of checks) results.push(await runCheck(check))
  if (!process.argv.includes('--checks-only')) {
    for (const projects of runs) results.push(await runTests(projects))
  }
  const total = (field: keyof Totals) => results.reduce((sum, result) => sum + result[field], 0)
  const skipped = total('skipped') > 0 ? `, ${total('skipped')} skipped` : ''
  console.log(`\n${total('passed')} passed, ${total('failed')} failed${skipped}`)
  process.exitCode = total('failed') === 0 ? 0 : 1
}

await main()
