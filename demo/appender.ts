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

const main = async ([options = '', path = '', name = '', count = '0']: readonly string[]): Promise<void> => {
  const lockstep = new Lockstep({
    ...(JSON.parse(options) as LockstepOptions),
    credentials: localCredentials,
  })
  console.log('ready')
  for await (const _ of process.stdin);
  const accepted = []
  for (let number = 1; number <= Number(count); number += 1) {
    const line = lineOf(name, number)
    // Resolves when the append is durably accepted, not when it is done: a client never waits for the others.
    accepted.push({ line, operation: await lockstep.append(path, line) })
  }
  const appended: Appended[] = []
  for (const { line, operation } of accepted) {
    const { offset } = await operation.result({ timeoutMs: patienceMs })
    appended.push({ id: operation.id, line, offset })
  }
  console.log(JSON.stringify(appended))
}

await main(process.argv.slice(2))
