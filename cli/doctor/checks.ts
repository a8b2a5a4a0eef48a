import { type AwsPorts, awsPorts } from '#aws/aws-ports.ts'
import { type ErrorCode, type Found, isLockstepError, type Lockstep } from '#client/index.ts'
import { lineOfPath } from '#domain/line.ts'
import { withCatalogue } from '#engine/retry.ts'
import { Queues } from './queues.ts'

export interface Check {
  readonly name: string
  /** `warning`: it works, but somebody should look at it. */
  readonly state: 'ok' | 'warning' | 'failed'
  readonly detail: string
  /** What to do about it. */
  readonly remedy?: string
  /** Of the error that made it fail. */
  readonly code?: ErrorCode
}

type Finding = Omit<Check, 'name'>

const ok = (detail: string): Finding => ({ state: 'ok', detail })
const warning = (detail: string, remedy: string): Finding => ({ state: 'warning', detail, remedy })

/** No path of a user: it is looked for, and never written. */
const absentPath = 'lockstep-doctor/there-is-no-such-file'

/** A cold function starts within this. */
const workerPatienceMs = 20_000

/**
 * Looks at each part of the deployment, one after another. Ends early when nothing can be reached at all,
 * since all that follows would only say the same.
 */
export async function* checkDeployment(lockstep: Lockstep): AsyncGenerator<Check> {
  let found: Found | undefined
  const first = await checked('deployment', async () => {
    found = await lockstep.found()
    return ok(`bucket ${found?.deployment.bucket}, from ${found?.origin}`)
  })
  yield first
  if (found === undefined) return
  const ports = awsPorts(found.deployment, { ...found.connection, log: () => undefined })
  const queues = new Queues(found)
  for (const [name, look] of looks(lockstep, found, ports, queues)) {
    const check = await checked(name, look)
    yield check
    if (name === 'bucket' && check.code === 'Unreachable') return
  }
}

const looks = (
  lockstep: Lockstep,
  { deployment }: Found,
  ports: AwsPorts,
  queues: Queues,
): [name: string, look: () => Promise<Finding>][] => [
  [
    'bucket',
    async () => {
      await ports.objects.list('', { limit: 1 })
      return ok(`${deployment.bucket} can be listed`)
    },
  ],
  [
    'lines table',
    async () => {
      await ports.lines.read([lineOfPath(absentPath)])
      return ok(`${deployment.linesTable} can be read`)
    },
  ],
  [
    'operations table',
    async () => {
      await ports.operations.get(ports.ids.operationId())
      return ok(`${deployment.operationsTable} can be read`)
    },
  ],
  ['operations queue', () => checkQueue(queues, deployment.operationsQueueUrl)],
  ['shards queue', () => checkQueue(queues, deployment.shardsQueueUrl)],
  ['rejected messages', () => checkRejected(queues, deployment.rejectedQueueUrl)],
  ['capabilities', () => checkCapabilities(ports)],
  ['worker', () => checkWorker(lockstep)],
]

const checked = async (name: string, look: () => Promise<Finding>): Promise<Check> => {
  try {
    return { name, ...(await withCatalogue(look)) }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const code: ErrorCode = isLockstepError(error) ? error.code : 'Internal'
    return { name, state: 'failed', detail, remedy: remedies[code] ?? 'See the message.', code }
  }
}

const remedies: Partial<Record<ErrorCode, string>> = {
  AccessDenied: 'Use credentials that may do this: `grantDirect` of the construct gives them.',
  Unreachable: 'Start or deploy it, or name another one with --stage, --endpoint or --region.',
  Throttled: 'Try again in a minute; if it stays, ask for a higher quota.',
}

const checkQueue = async (queues: Queues, url: string): Promise<Finding> => {
  const { waiting, hidden, deadLetters } = await queues.counts(url)
  const counts = `${waiting} waiting, ${hidden} being handled`
  if (deadLetters === undefined || deadLetters === 0)
    return ok(`${counts}, ${deadLetters ?? 'unknown'} dead letters`)
  return warning(
    `${counts}, ${deadLetters} dead letters`,
    'The dead-letter function sends them again or ends their operations; if they stay, look at its log.',
  )
}

const checkRejected = async (queues: Queues, url: string): Promise<Finding> => {
  const { waiting } = await queues.counts(url)
  if (waiting === 0) return ok('none')
  return warning(
    `${waiting} corrupt or foreign messages`,
    'Read them (each carries its reason as an attribute), find who sends them, and purge the queue.',
  )
}

const checkCapabilities = async (ports: AwsPorts): Promise<Finding> => {
  const lacks = Object.entries(await ports.probe()).flatMap(([name, has]) => (has ? [] : [name]))
  if (lacks.length === 0) return ok('the object store can do all that AWS can')
  return warning(
    `the object store lacks ${lacks.join(', ')}: Lockstep takes a way round`,
    'Nothing on an emulator. On AWS this must not be: report it.',
  )
}

/** The one check that shows the whole way: record, line, queue, function, result. */
const checkWorker = async (lockstep: Lockstep): Promise<Finding> => {
  const start = performance.now()
  const operation = await lockstep.stat(absentPath)
  const { status, error } = await operation.wait({ timeoutMs: workerPatienceMs })
  const tookMs = Math.round(performance.now() - start)
  if (error?.code === 'NotFound') return ok(`answered a stat in ${tookMs} ms`)
  const remedy = 'Look at the log of the worker function.'
  return {
    state: 'failed',
    detail: `a stat of an absent file ${status}: ${error?.message ?? 'no reason'}`,
    remedy,
  }
}
