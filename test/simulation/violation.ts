/** The promises and invariants that a run is judged by. */
export type Law =
  /** Nobody takes effect, or claims, without being granted; a writer is never together with anyone. */
  | 'exclusion'
  /** Effects and results are those of the ticket order, and of the order of acknowledged submits. */
  | 'order'
  /** One effect each, none after the end, none of what failed. */
  | 'once'
  /** Results and contents are those of a serial run. */
  | 'result'
  /** Nothing that an outsider wrote is lost. */
  | 'outsider'
  /** Tickets only grow, final records never change. */
  | 'growth'
  /** With faults off, everything ends in bounded time. */
  | 'progress'
  /** Nothing is left behind. */
  | 'garbage'

export class Violation extends Error {
  override readonly name = 'Violation'
  readonly law: Law

  constructor(law: Law, message: string) {
    super(`${law}: ${message}`)
    this.law = law
  }
}
