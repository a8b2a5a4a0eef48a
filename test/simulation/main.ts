import { parseArgs } from 'node:util'
import { huntDefects } from './defect-hunt.ts'
import { shrunk } from './shrinking.ts'
import type { Outcome } from './simulation.ts'
import { runOnAllProcessors } from './threads.ts'

const help = `Simulates whole deployments in memory, one seed deciding everything: order, faults, crashes, time.

  node test/simulation/main.ts [--runs N] [--seed S] [--profile JSON] [--no-shrink] [--defects]

  --runs N        seeds S, S+1, ... S+N-1 (default 2000)
  --seed S        the first seed (default: random). One seed alone: --runs 1
  --profile JSON  fixes parts of the set-up, as printed with a failure
  --no-shrink     prints a failure as it was found, not the smallest like it
  --defects       instead: tells which seed, from 1 to N, notices each known defect first

A failure prints its seed, its set-up and what happened on each path, and exits with 1.`

const freshSeed = (): number => Math.floor(Math.random() * 2 ** 31)

const print = (text: string): void => void process.stdout.write(`${text}\n`)

const describe = ({ seed, profile, operations, steps, virtualMs, violation }: Outcome): string =>
  [
    `seed ${seed}: ${violation?.message ?? 'nothing wrong'}`,
    `${operations} operations, ${steps} steps, ${(virtualMs / 1000).toFixed(1)} s of virtual time`,
    `again: node test/simulation/main.ts --runs 1 --no-shrink --seed ${seed} --profile '${JSON.stringify(profile)}'`,
    '',
    violation?.timeline ?? '',
  ].join('\n')

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '2000' },
      seed: { type: 'string' },
      profile: { type: 'string', default: '{}' },
      'no-shrink': { type: 'boolean', default: false },
      defects: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    print(help)
    return 0
  }
  const first = Number(values.seed ?? freshSeed())
  const runs = Number(values.runs)
  if (!Number.isInteger(first) || !Number.isInteger(runs) || runs < 1) {
    print(`--seed and --runs: got ${values.seed} and ${values.runs}, expected whole numbers\n\n${help}`)
    return 2
  }
  if (values.defects) {
    await huntDefects(runs, print)
    return 0
  }
  print(`seeds ${first} to ${first + runs - 1}`)
  const profile = JSON.parse(values.profile) as Record<string, never>
  const report = await runOnAllProcessors({ first, runs, profile, mostFailures: 1 })
  const seconds = report.ms / 1000
  print(
    `${report.runs} runs, ${report.operations} operations, ${report.steps} steps in ${seconds.toFixed(1)} s ` +
      `(${(report.runs / seconds).toFixed(0)} runs/s): ${report.failures.length === 0 ? 'nothing wrong' : 'FAILED'}`,
  )
  const [failure] = report.failures
  if (failure === undefined) return 0
  print(describe(values['no-shrink'] ? failure : await shrunk(failure)))
  return 1
}

process.exitCode = await main()
