import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { type AwsPorts, awsPorts } from '#aws/aws-ports.ts'
import type { Deployment } from '#cli/local/environment.ts'
import { localCredentials } from '#cli/local/network.ts'
import { Lockstep } from '#client/index.ts'
import { isFinal, type OperationRecord } from '#domain/operation.ts'

/** A deployment seen from all sides: as its users do, as outsiders do, and under the hood. */
export interface Deployed {
  readonly deployment: Deployment
  readonly lockstep: Lockstep
  readonly ports: AwsPorts
  /** A plain S3 client: an outsider. */
  readonly s3: S3Client
  readonly sqs: SQSClient
}

export const connectTo = (deployment: Deployment): Deployed => {
  const { endpoint, region, certificateFile } = deployment
  const common = { endpoint, region, credentials: localCredentials }
  const trusting =
    certificateFile === undefined
      ? {}
      : { requestHandler: { httpsAgent: new Agent({ ca: readFileSync(certificateFile) }) } }
  return {
    deployment,
    lockstep: new Lockstep({ ...deployment, ...common }),
    ports: awsPorts(deployment, { ...common, log: () => undefined }),
    s3: new S3Client({ ...common, ...trusting, forcePathStyle: true }),
    sqs: new SQSClient({ ...common, ...trusting, useQueueUrlAsEndpoint: false }),
  }
}

/** A prefix that no other test uses. */
export const ownPrefix = (name: string): string => `${name}-${randomBytes(4).toString('hex')}`

/** A busy machine with two cores is slow, but not that slow. */
const patienceMs = 60_000
const pauseMs = 100

/** Looks until there is something to see; fails at the deadline with what never came. */
export const until = async <T>(
  what: string,
  look: () => Promise<T | undefined>,
  deadlineMs = patienceMs,
): Promise<T> => {
  const startedAt = performance.now()
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() - startedAt > deadlineMs)
      throw new Error(`waited ${deadlineMs} ms for ${what}, in vain`)
    await delay(pauseMs)
  }
}

/** DynamoDB's limit on a batch. */
const pageSize = 100

const recordsOf = async (ports: AwsPorts, ids: readonly string[]): Promise<OperationRecord[]> => {
  const pages = Array.from({ length: Math.ceil(ids.length / pageSize) }, (_, page) =>
    ports.operations.getMany(ids.slice(page * pageSize, (page + 1) * pageSize)),
  )
  return (await Promise.all(pages)).flat()
}

/** The records of all ids once every one is final. */
export const finalRecords = async (
  ports: AwsPorts,
  ids: readonly string[],
  deadlineMs = patienceMs,
): Promise<Map<string, OperationRecord>> => {
  const final = new Map<string, OperationRecord>()
  await until(
    `${ids.length} operations to end`,
    async () => {
      for (const record of await recordsOf(
        ports,
        ids.filter((id) => !final.has(id)),
      )) {
        if (isFinal(record.status)) final.set(record.id, record)
      }
      return final.size === ids.length ? true : undefined
    },
    deadlineMs,
  ).catch((error: unknown) => {
    const open = ids.filter((id) => !final.has(id))
    throw new Error(
      `still open: ${open.length} of ${ids.length}, among them ${open.slice(0, 5).join(', ')}`,
      {
        cause: error,
      },
    )
  })
  return final
}

/** What an outsider reads at a path; undefined if nothing is there. */
export const contentAt = async ({ s3, deployment }: Deployed, path: string): Promise<Buffer | undefined> => {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: deployment.bucket, Key: path }))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchKey') return undefined
    throw error
  }
}

export const sizeAt = async ({ s3, deployment }: Deployed, path: string): Promise<number | undefined> => {
  try {
    const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: deployment.bucket, Key: path }))
    return ContentLength
  } catch (error) {
    if (error instanceof Error && error.name === 'NotFound') return undefined
    throw error
  }
}

/** Puts a file as any S3 tool would; gives its ETag. */
export const putOutside = async (
  { s3, deployment }: Deployed,
  path: string,
  body: string | Uint8Array,
): Promise<string> => {
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket: deployment.bucket, Key: path, Body: body }))
  return ETag ?? ''
}
