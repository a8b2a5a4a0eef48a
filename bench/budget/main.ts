import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LocalEnvironment } from '#cli/local/environment.ts'
import { checkoutDirectory } from '#cli/local/paths.ts'
import type { Cost } from './cost.ts'
import { type Budget, measureBudget } from './scenarios.ts'

const resultsFile = join(checkoutDirectory, 'bench', 'results', 'budget.json')

/** `npm run bench -- budget`: what operations cost, counted on the local deployment, as a table and as JSON. */
export const benchBudget = async (): Promise<void> => {
  const onProgress = (message: string) => console.error(`${message} ...`)
  const environment = new LocalEnvironment({ onProgress })
  const { state } = await environment.status()
  try {
    const budget = await measureBudget(await environment.up())
    print(budget)
    mkdirSync(join(resultsFile, '..'), { recursive: true })
    writeFileSync(resultsFile, `${JSON.stringify(budget, undefined, 2)}\n`)
    console.log(`\nWith every single call: ${resultsFile}`)
  } finally {
    if (state !== 'up') await environment.down()
  }
}

const columns: readonly (readonly [title: string, pick: (cost: Cost) => string | number])[] = [
  ['operation, alone on its files', ({ scenario }) => scenario],
  ['round trips', ({ roundTrips }) => roundTrips],
  ['table calls', ({ dynamoCalls }) => dynamoCalls],
  ['write units', ({ writeUnits }) => writeUnits],
  ['read units', ({ readUnits }) => readUnits],
  ['object requests', ({ objectRequests }) => objectRequests],
  ['queue requests', ({ queueRequests }) => queueRequests],
  ['bytes in functions', ({ functionBytes }) => functionBytes],
]

const print = ({ costs, waiting }: Budget): void => {
  const rows = [
    columns.map(([title]) => title),
    ...costs.map((cost) => columns.map(([, pick]) => String(pick(cost)))),
  ]
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const padded = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)
  for (const row of rows) console.log(row.map(padded).join('  '))
  console.log(`\nWhile an operation waits behind another: ${waiting.whileWaiting} calls for it.`)
  console.log(`From the end of one to the start of the next on the same file: ${waiting.handOff.join(', ')}.`)
}
