/**
 * One law of the protocol, played on the real engine over the memory ports with a fixed interleaving. It fails
 * (an AssertionError) if the law is broken, so a test runs it as it is, and a test of a defect expects it to
 * fail. Plain assertions and no test runner, since it also runs in a thread with patched modules.
 */
export interface Scenario {
  /** The law, as a sentence. */
  readonly law: string
  play(): Promise<void>
}
