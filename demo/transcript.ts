import { styleText } from 'node:util'

/** A claim that does not hold does not stop the run, so that one run tells all. */
export interface Totals {
  readonly passed: number
  readonly failed: number
}

/**
 * What the person sees: numbered steps, plain sentences, and a line for each check. Times are shown because they are
 * interesting; nothing depends on them.
 */
export class Transcript {
  #steps = 0
  #passed = 0
  #failed = 0
  readonly #startedAt = performance.now()

  begin(sentence: string): void {
    this.#print(`\n${styleText('bold', sentence)}`)
  }

  /** Begins a step. */
  step(title: string): void {
    this.#steps += 1
    this.#print(`\n${styleText('bold', `${this.#steps}. ${title}`)}  ${styleText('dim', this.#clock())}`)
  }

  say(...lines: string[]): void {
    for (const line of lines) this.#print(line === '' ? '' : `   ${line}`)
  }

  /** Something as it is in the system: a line of a file, a place in a queue. */
  show(...lines: string[]): void {
    for (const line of lines) this.#print(styleText('dim', `     | ${line}`))
  }

  /** One claim, checked. `problem` says what was found instead. */
  check(claim: string, holds: boolean, problem = ''): void {
    if (holds) this.#passed += 1
    else this.#failed += 1
    const mark = holds ? styleText('green', 'ok') : styleText('red', 'NOT SO:')
    this.#print(`   ${mark} ${claim}${holds || problem === '' ? '' : ` (${problem})`}`)
  }

  end(): Totals {
    const totals = { passed: this.#passed, failed: this.#failed }
    const verdict =
      totals.failed === 0
        ? styleText('green', `All ${totals.passed} checks hold.`)
        : styleText('red', `${totals.failed} of ${totals.passed + totals.failed} checks do not hold.`)
    this.#print(`\n${verdict}  ${styleText('dim', this.#clock())}`)
    return totals
  }

  #clock(): string {
    return `(at ${((performance.now() - this.#startedAt) / 1000).toFixed(1)} s)`
  }

  #print(line: string): void {
    console.log(line)
  }
}

/** `1,234` */
export const grouped = (count: number): string => count.toLocaleString('en-US')

/** `126.6 MB` */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
