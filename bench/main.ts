/** `npm run bench -- NAME`. Each bench is loaded only when it is asked for. */
const benches: Readonly<Record<string, () => Promise<void>>> = {
  budget: async () => (await import('./budget/main.ts')).benchBudget(),
}

const [name = ''] = process.argv.slice(2)
const bench = benches[name]
if (bench === undefined) {
  console.error(
    `bench: got "${name}", expected one of ${Object.keys(benches).join(', ')}. Try: npm run bench -- budget`,
  )
  process.exitCode = 2
} else await bench()
