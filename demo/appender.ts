import pLimit from 'p-limit'
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

/** Appends of one process that are not done yet: a client need not wait for one to submit the next. */
const atOnce = 3

const main = async ([options = '', path = '', name = '', count = '0']: readonly string[]): Promise<void> => {
  const lockstep = new Lockstep({
    ...(JSON.parse(options) as LockstepOptions),
    credentials: localCredentials,
  })
  console.log('ready')
  for await (const _ of process.stdin);
  const append = async (number: number): Promise<Appended> => {
    const line = lineOf(name, number)
    // Resolves when the append is durably accepted; its result comes when it has had its turn.
    const operation = await lockstep.append(path, line)
    const { offset } = await operation.result({ timeoutMs: patienceMs })
    return { id: operation.id, line, offset }
  }
  const limit = pLimit(atOnce)
  const numbers = Array.from({ length: Number(count) }, (_, index) => index + 1)
  console.log(JSON.stringify(await Promise.all(numbers.map((number) => limit(() => append(number))))))
}

await main(process.argv.slice(2))
