import { randomBytes } from 'node:crypto'
import type { Deployment } from '#cli/local/environment.ts'
import type { Operation } from '#client/index.ts'
import type { Call } from '../measure/counting-proxy.ts'
import { pauseFeeding } from '../measure/deployed-functions.ts'
import { type Cost, costOf } from './cost.ts'
import { lineOf, Meter, operationOf } from './measure.ts'

const smallBytes = 200
const megabyte = 1_000_000
const waiting = { timeoutMs: 60_000 }

/** What is counted beside single operations. */
export interface Waiting {
  /** Calls for an operation from its acknowledgement until the one before it had finished. */
  readonly whileWaiting: number
  /** From the end of one operation to the start of the next on the same file. */
  readonly handOff: readonly string[]
}

export interface Budget {
  readonly costs: readonly Cost[]
  readonly waiting: Waiting
}

export const measureBudget = async (deployment: Deployment): Promise<Budget> => {
  const meter = await Meter.start(deployment)
  try {
    const bench = new Bench(meter)
    const costs = await bench.operations()
    return { costs, waiting: await measureWaiting(meter, deployment) }
  } finally {
    await meter.stop()
  }
}

class Bench {
  readonly #meter: Meter
  readonly #run = `budget-${randomBytes(4).toString('hex')}`

  constructor(meter: Meter) {
    this.#meter = meter
  }

  /** Each is measured alone, and a second time, so that nothing of a first call (what the target can do) is counted. */
  async operations(): Promise<Cost[]> {
    const { lockstep } = this.#meter
    const at = (name: string): string => `${this.#run}/${name}`
    const text = 'x'.repeat(smallBytes)
    await (await lockstep.write(at('source'), text)).result(waiting)
    return [
      await this.#twice(
        'write, 200 bytes, new file',
        (turn) => [at(`new-${turn}`)],
        ([to = '']) => lockstep.write(to, text),
      ),
      await this.#twice(
        'write, 200 bytes, replacing',
        () => [at('source')],
        ([to = '']) => lockstep.write(to, text),
      ),
      await this.#twice(
        'write, 10 KB',
        (turn) => [at(`item-${turn}`)],
        ([to = '']) => lockstep.write(to, 'x'.repeat(10_000)),
      ),
      await this.#twice(
        'write, 1 MB',
        (turn) => [at(`upload-${turn}`)],
        ([to = '']) => lockstep.write(to, 'x'.repeat(megabyte)),
      ),
      await this.#twice(
        'append, 200 bytes',
        () => [at('source')],
        ([to = '']) => lockstep.append(to, text),
      ),
      await this.#twice(
        'read, 200 bytes',
        () => [at('new-1')],
        ([path = '']) => lockstep.read(path),
      ),
      await this.#twice(
        'copy, 200 bytes',
        (turn) => [at('new-1'), at(`copy-${turn}`)],
        ([from = '', to = '']) => lockstep.copy(from, to),
      ),
      await this.#twice(
        'move, 200 bytes',
        (turn) => [at(`copy-${turn}`), at(`moved-${turn}`)],
        ([from = '', to = '']) => lockstep.move(from, to),
      ),
      await this.#twice(
        'delete',
        (turn) => [at(`moved-${turn}`)],
        ([path = '']) => lockstep.delete(path),
      ),
    ]
  }

  async #twice(
    scenario: string,
    pathsOf: (turn: number) => string[],
    submit: (paths: string[]) => Promise<Operation<unknown>>,
  ): Promise<Cost> {
    await this.#once(scenario, pathsOf(1), submit)
    return this.#once(scenario, pathsOf(2), submit)
  }

  async #once(
    scenario: string,
    paths: string[],
    submit: (paths: string[]) => Promise<Operation<unknown>>,
  ): Promise<Cost> {
    const { calls } = this.#meter
    const from = calls.length
    const operation = await submit(paths)
    const submitting = calls.slice(from).filter(({ by }) => by === 'client')
    await operation.result(waiting)
    await this.#meter.untilReleased(from, paths)
    const running = calls.slice(from).filter(({ by }) => by === 'function')
    return costOf(scenario, submitting, running)
  }
}

/** Two operations on one file, both accepted before either may run. */
const measureWaiting = async (meter: Meter, deployment: Deployment): Promise<Waiting> => {
  const path = `budget-${randomBytes(4).toString('hex')}/busy`
  const resume = await pauseFeeding(deployment.endpoint, 'Worker')
  const first = await meter.lockstep.append(path, 'first\n')
  const second = await meter.lockstep.append(path, 'second\n')
  const from = meter.calls.length
  await resume()
  await second.result(waiting)
  await meter.untilReleased(from, [path])
  const calls = meter.calls.slice(from).filter(({ by }) => by === 'function')
  const ended = calls.findIndex((call) => operationOf(call) === first.id && isEnding(call))
  const began = calls.findIndex((call) => operationOf(call) === second.id)
  const before = calls.slice(0, ended + 1)
  return {
    whileWaiting: before.filter((call) => operationOf(call) === second.id).length,
    handOff: calls.slice(ended + 1, began).map(nameOf),
  }
}

/** The update that makes a record final. */
const isEnding = ({ action, answer }: Call): boolean => {
  const { Attributes } = answer as { Attributes?: { status?: { S?: string } } }
  return action === 'UpdateItem' && Attributes?.status?.S === 'succeeded'
}

const nameOf = (call: Call): string => (lineOf(call) === undefined ? call.action : `${call.action} (line)`)
