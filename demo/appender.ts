import { localCredentials } from '#cli/local/network.ts'
import { Lockstep, type LockstepOptions } from '#client/index.ts'
import { patienceMs } from './until.ts'

/**
 * One of the processes that append to one file: `node demo/appender.ts OPTIONS PATH NAME COUNT`. It says `ready`, waits
 * until its standard input is closed, so that all begin at once, appends, and prints what became of each line.
 */

/** A line that was appended, and what its operation answered. */
export interface Appended {
  readonly id: string
  readonly line: string
  readonly offset: number
}

/** A line that tells whose it is; of different lengths, so that a torn one could not go unnoticed. */
const lineOf = (name: string, number: number): string =>
  `${name} line ${number} ${'.'.repeat((number * 7) % 40)} end of ${name} line ${number}\n`

/** Lines submitted one after another before their results are asked for: nobody needs to wait for one to submit the next. */
const linesAtOnce = 10

const main = async ([options = '', path = '', name = '', count = '0']: readonly string[]): Promise<void> => {
  const lockstep = new Lockstep({
    ...(JSON.parse(options) as LockstepOptions),
    credentials: localCredentials,
  })
  console.log('ready')
  for await (const _ of process.stdin);
  const lines = Array.from({ length: Number(count) }, (_, index) => lineOf(name, index + 1))
  const appended: Appended[] = []
  while (lines.length > 0) {
    const accepted = []
    for (const line of lines.splice(0, linesAtOnce)) {
      // Resolves when the append is durably accepted; its result is there when it has had its turn.
      accepted.push({ line, operation: await lockstep.append(path, line) })
    }
    // The last one first: when it is done, so are those before it, and nobody asks in vain.
    for (const { line, operation } of accepted.reverse()) {
      const { offset } = await operation.result({ timeoutMs: patienceMs })
      appended.push({ id: operation.id, line, offset })
    }
  }
  console.log(JSON.stringify(appended))
}

await main(process.argv.slice(2))
