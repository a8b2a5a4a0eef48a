import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import * as z from 'zod/mini'
import { internalPrefix } from '#domain/path.ts'
import { PortFault } from '#ports/faults.ts'
import { codeOf, faultOf, statusOf } from './faults.ts'
import { copySourceOf, isAbsent, type S3Target } from './s3-target.ts'

/** Where what a target can do is remembered, for all processes. */
const capabilitiesKey = `${internalPrefix}capabilities.json`
const probePrefix = `${internalPrefix}probe/`

/** An emulator may be updated in place. */
const rememberedForMs = 30 * 24 * 60 * 60 * 1000

const capabilitiesSchema = z.object({
  /** CopyObject heeds `If-Match` and `If-None-Match` on its target. */
  conditionalCopy: z.boolean(),
  /** DeleteObject heeds `If-Match`. */
  conditionalDelete: z.boolean(),
})

/** What a target can do beyond what every S3 can. AWS can do all of it. */
export type Capabilities = z.infer<typeof capabilitiesSchema>

const documentSchema = z.extend(capabilitiesSchema, { v: z.literal(1), probedAt: z.number() })

/** One line of a log: JSON. */
export type Log = (line: Readonly<Record<string, unknown>>) => void

/**
 * What the target can do, asked once per process: remembered in the bucket, or else probed and remembered.
 */
export class KnownCapabilities {
  readonly #target: S3Target
  readonly #log: Log
  #known: Promise<Capabilities> | undefined

  constructor(target: S3Target, log: Log) {
    this.#target = target
    this.#log = log
  }

  /** Concurrent calls share one look. After a failed one the next call looks again. */
  get(): Promise<Capabilities> {
    this.#known ??= this.#find().catch((error: unknown) => {
      this.#known = undefined
      throw error
    })
    return this.#known
  }

  async #find(): Promise<Capabilities> {
    const remembered = await recall(this.#target)
    const capabilities = remembered ?? (await probeCapabilities(this.#target))
    if (remembered === undefined) await this.#remember(capabilities)
    const detours = detoursOf(capabilities)
    if (detours.length > 0) {
      const message = `the target lacks conditional calls, so these take a way round: ${detours.join('; ')}`
      this.#log({ level: 'WARN', message, bucket: this.#target.bucket, ...capabilities })
    }
    return capabilities
  }

  /** Not to be able to write it down is no reason not to go on. */
  async #remember(capabilities: Capabilities): Promise<void> {
    try {
      await rememberCapabilities(this.#target, capabilities)
    } catch (error) {
      const message = `could not remember what the target can do: ${String(error)}`
      this.#log({ level: 'WARN', message, bucket: this.#target.bucket })
    }
  }
}

const detoursOf = ({ conditionalCopy, conditionalDelete }: Capabilities): string[] => [
  ...(conditionalCopy ? [] : ['copies are multipart uploads']),
  ...(conditionalDelete
    ? []
    : ['a delete looks first, and may delete what an outsider writes at that moment']),
]

const recall = async (target: S3Target): Promise<Capabilities | undefined> => {
  const text = await target.ask('capabilities', async () => {
    try {
      const command = new GetObjectCommand({ Bucket: target.bucket, Key: capabilitiesKey })
      return await (await target.clients.s3.send(command)).Body?.transformToString()
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  })
  const parsed = documentSchema.safeParse(jsonOf(text))
  if (!parsed.success || parsed.data.probedAt < target.world.clock.now() - rememberedForMs) return undefined
  const { v: _v, probedAt: _probedAt, ...capabilities } = parsed.data
  return capabilities
}

const jsonOf = (text: string | undefined): unknown => {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

export const rememberCapabilities = (target: S3Target, capabilities: Capabilities): Promise<void> =>
  target.ask('capabilities', async () => {
    const document = { v: 1, probedAt: target.world.clock.now(), ...capabilities }
    const command = new PutObjectCommand({
      Bucket: target.bucket,
      Key: capabilitiesKey,
      Body: JSON.stringify(document),
      ContentType: 'application/json',
    })
    await target.clients.s3.send(command)
  })

/**
 * Tries each call on objects of its own, which it deletes afterwards: one whose condition does not hold,
 * which must be refused, and one whose condition holds, which must be done. For the deploy script and
 * `doctor` too. Throws PortFault.
 */
export const probeCapabilities = async (target: S3Target): Promise<Capabilities> => {
  const folder = `${probePrefix}${target.world.ids.nonce()}`
  const source = `${folder}/source`
  const copy = `${folder}/copy`
  const etag = await putProbe(target, source)
  await putProbe(target, copy)
  try {
    return {
      conditionalCopy: await heedsOnCopy(target, source, copy, etag),
      conditionalDelete: await heedsOnDelete(target, source, etag),
    }
  } finally {
    await Promise.allSettled([source, copy].map((key) => deleteProbe(target, key)))
  }
}

/** The same bytes give the same ETag, and no bytes have this one. */
const wrongEtag = '"00000000000000000000000000000000"'

const putProbe = async (target: S3Target, key: string): Promise<string> => {
  const command = new PutObjectCommand({
    Bucket: target.bucket,
    Key: key,
    Body: 'probe',
  })
  return (await ask(target, () => target.clients.s3.send(command))).ETag ?? ''
}

const deleteProbe = (target: S3Target, key: string) =>
  ask(target, () => target.clients.s3.send(new DeleteObjectCommand({ Bucket: target.bucket, Key: key })))

const heedsOnCopy = async (
  target: S3Target,
  source: string,
  copy: string,
  etag: string,
): Promise<boolean> => {
  const copyIf = (condition: { IfMatch: string } | { IfNoneMatch: '*' }) => {
    const input = {
      Bucket: target.bucket,
      Key: copy,
      CopySource: copySourceOf(target.bucket, source),
      ...condition,
    }
    return answerTo(target, () =>
      target.clients.s3.send(new CopyObjectCommand({ ...input, MetadataDirective: 'REPLACE' })),
    )
  }
  return (
    (await copyIf({ IfMatch: wrongEtag })) === 'refused' &&
    (await copyIf({ IfNoneMatch: '*' })) === 'refused' &&
    (await copyIf({ IfMatch: etag })) === 'done'
  )
}

const heedsOnDelete = async (target: S3Target, source: string, etag: string): Promise<boolean> => {
  const deleteIf = (IfMatch: string) =>
    answerTo(target, () =>
      target.clients.s3.send(new DeleteObjectCommand({ Bucket: target.bucket, Key: source, IfMatch })),
    )
  return (await deleteIf(wrongEtag)) === 'refused' && (await deleteIf(etag)) === 'done'
}

/**
 * `unknown`: answered with something else than yes or 412, such as 501: the target does not know the
 * condition.
 */
const answerTo = async (
  target: S3Target,
  send: () => Promise<unknown>,
): Promise<'done' | 'refused' | 'unknown'> => {
  try {
    await send()
    return 'done'
  } catch (error) {
    if (statusOf(error) === 412 || codeOf(error) === 'PreconditionFailed') return 'refused'
    if (statusOf(error) === 501 || codeOf(error) === 'NotImplemented') return 'unknown'
    const fault = faultOf(error, 'objects.probe', `bucket "${target.bucket}"`)
    if (fault instanceof PortFault) throw fault
    return 'unknown'
  }
}

const ask = <T>(target: S3Target, send: () => Promise<T>): Promise<T> => target.ask('probe', send)
