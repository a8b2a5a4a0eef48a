import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import type { LineDocument } from '#client/index.ts'
import type { Appended } from './appender.ts'
import { grouped } from './transcript.ts'
import { until } from './until.ts'
import type { World } from './world.ts'

const clientCount = 20
const linesEach = 5
const appender = fileURLToPath(new URL('appender.ts', import.meta.url))

/** Twenty processes append to one file, and while they do, the file's line is shown. */
export const appendTogether = async (world: World): Promise<void> => {
  const { transcript, run } = world
  transcript.step(`${clientCount} processes append to one file at once`)
  const path = `demo/${run}/shared.log`
  const clients = await Promise.all(
    Array.from({ length: clientCount }, (_, index) => Client.start(world, path, index + 1)),
  )
  const startedAt = performance.now()
  const tickets = new TicketBook()
  const appending = Promise.all(clients.map((client) => client.append()))
  await showLine(world, path, tickets)
  const appended = (await tickets.watch(world, path, appending)).flat()
  const seconds = (performance.now() - startedAt) / 1000
  transcript.say(
    `${grouped(appended.length)} appends, each an operation of its own, took ${seconds.toFixed(1)} s.`,
  )
  await checkFile(world, path, appended)
  checkOrder(world, appended, tickets)
}

class Client {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>

  private constructor(process: ChildProcessByStdio<Writable, Readable, null>, lines: Interface) {
    this.#process = process
    this.#lines = lines[Symbol.asyncIterator]()
  }

  /** Resolves when it is connected and only waits for the start. */
  static async start({ deployment, signal }: World, path: string, number: number): Promise<Client> {
    const name = `client-${String(number).padStart(2, '0')}`
    const child = spawn(
      process.execPath,
      [appender, JSON.stringify(deployment), path, name, String(linesEach)],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        signal,
      },
    )
    // An abort is told to whoever waits for the answer; without a listener it would end this process at once.
    child.on('error', () => undefined)
    const client = new Client(child, createInterface({ input: child.stdout }))
    await client.#nextLine()
    return client
  }

  async append(): Promise<Appended[]> {
    const ended = once(this.#process, 'exit')
    this.#process.stdin.end()
    const answer = await this.#nextLine()
    await ended
    return JSON.parse(answer) as Appended[]
  }

  async #nextLine(): Promise<string> {
    const next: IteratorResult<string, undefined> = await this.#lines.next()
    if (next.done === true)
      throw new Error('One of the appending processes ended early: see what it says above.')
    return next.value
  }
}

/** The tickets that appends held while they stood in the line, as seen from outside. */
class TicketBook {
  readonly #tickets = new Map<string, number>()

  note(line: LineDocument): void {
    for (const { id, ticket } of [...line.holders, ...line.waiters]) this.#tickets.set(id, ticket)
  }

  ticketOf(id: string): number | undefined {
    return this.#tickets.get(id)
  }

  /** Looks at the line again and again until `work` is done. */
  async watch<T>({ lockstep, signal }: World, path: string, work: Promise<T>): Promise<T> {
    const isDone = work.then(
      () => true,
      () => true,
    )
    await until('the appends', signal, async () => {
      this.note(await lockstep.line(path))
      return (await Promise.race([isDone, Promise.resolve(false)])) ? true : undefined
    })
    return work
  }
}

/** Prints who holds the file and who waits for it, in the moment when many do. */
const showLine = async (
  { transcript, lockstep, signal }: World,
  path: string,
  tickets: TicketBook,
): Promise<void> => {
  const line = await until('a line behind the file', signal, async () => {
    const found = await lockstep.line(path)
    tickets.note(found)
    return found.holders.length > 0 && found.waiters.length >= clientCount ? found : undefined
  })
  const [holder] = line.holders
  const [next, second, ...others] = line.waiters
  transcript.say('The line of the file while they append (waiting costs no call and no computing time):')
  transcript.show(
    `holds  ticket ${holder?.ticket}  ${holder?.kind} ${holder?.id}`,
    `next   ticket ${next?.ticket}  ${next?.kind} ${next?.id}`,
    `then   ticket ${second?.ticket}  ${second?.kind} ${second?.id}`,
    `and ${grouped(others.length)} more behind`,
  )
  transcript.check('one append holds the file, all others wait', line.holders.length === 1)
}

const checkFile = async (world: World, path: string, appended: readonly Appended[]): Promise<void> => {
  const { transcript, s3, deployment } = world
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: deployment.bucket, Key: path }))
  const bytes = Buffer.from((await Body?.transformToByteArray()) ?? [])
  const found = bytes.toString().split(/(?<=\n)/)
  const expected = appended.map(({ line }) => line)
  transcript.check(
    `the file has ${grouped(clientCount * linesEach)} lines: each exactly once, none lost, none torn`,
    found.length === clientCount * linesEach && found.toSorted().join('') === expected.toSorted().join(''),
    `${found.length} lines`,
  )
  const inPlace = appended.filter(
    ({ line, offset }) => bytes.subarray(offset, offset + line.length).toString() === line,
  )
  transcript.check(
    'each append was told where in the file its line starts, and there it is',
    inPlace.length === appended.length,
    `${inPlace.length} of ${appended.length}`,
  )
}

const checkOrder = ({ transcript }: World, appended: readonly Appended[], tickets: TicketBook): void => {
  const seen = appended.flatMap(({ id, offset }) => {
    const ticket = tickets.ticketOf(id)
    return ticket === undefined ? [] : [{ ticket, offset }]
  })
  const byTicket = seen.toSorted((a, b) => a.ticket - b.ticket)
  const inOrder = byTicket.every(({ offset }, index) => offset > (byTicket[index - 1]?.offset ?? -1))
  transcript.check(
    `the lines stand in the order of their tickets (${grouped(seen.length)} were seen waiting with theirs)`,
    inOrder && seen.length > 0,
  )
}
