import { readFile } from 'node:fs/promises'
import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3'
import pLimit from 'p-limit'
import { sha256OfFile } from './digests.ts'
import { pickFiles, type RealFile } from './real-files.ts'
import { grouped, megabytes } from './transcript.ts'
import { until } from './until.ts'
import type { World } from './world.ts'

const fileCount = 120
const textCount = 10
/** Requests of the plain client on their way at once. */
const atOnce = 16

/**
 * Two of the rules in infra/rules.ts at work: what is put under `inbox/` is moved to `filed/`, and what is put under
 * `incoming/` as `.txt` gets a checksum. The client that puts them is any S3 client.
 */
export const uploadFiles = async (world: World): Promise<void> => {
  const { transcript } = world
  transcript.step('Files put by a plain S3 client trigger functions')
  const files = named(world, pickFiles(fileCount))
  const texts = named(world, pickFiles(textCount, '.txt'))
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  transcript.say(
    `${grouped(files.length)} files of this checkout (${megabytes(bytes)}) go to inbox/: a rule moves them to filed/.`,
    `${grouped(texts.length)} texts go to incoming/: another rule has their checksums computed.`,
  )
  await putAll(world, 'inbox/', files)
  await putAll(world, 'incoming/', texts)
  await checkFiled(world, files)
  await checkDigests(world, texts)
}

/** Under a name that no other file of this run has. */
const named = ({ run }: World, files: readonly RealFile[]): RealFile[] =>
  files.map((file, index) => ({ ...file, name: `${run}-${index}-${file.name}` }))

const putAll = async (
  { s3, deployment }: World,
  prefix: string,
  files: readonly RealFile[],
): Promise<void> => {
  const limit = pLimit(atOnce)
  const put = async ({ file, name }: RealFile): Promise<void> => {
    const Body = await readFile(file)
    await s3.send(new PutObjectCommand({ Bucket: deployment.bucket, Key: `${prefix}${name}`, Body }))
  }
  await Promise.all(files.map((file) => limit(() => put(file))))
}

const checkFiled = async (world: World, files: readonly RealFile[]): Promise<void> => {
  const { transcript, run, signal } = world
  const startedAt = performance.now()
  await until('all files to be filed', signal, async () => {
    const left = await keysUnder(world, `inbox/${run}-`)
    return left.length === 0 ? true : undefined
  })
  transcript.say(`Done ${((performance.now() - startedAt) / 1000).toFixed(1)} s after the last was put.`)
  const limit = pLimit(atOnce)
  const intact = await Promise.all(files.map((file) => limit(() => isFiled(world, file))))
  const filed = await keysUnder(world, `filed/${run}-`)
  transcript.check(
    `all ${grouped(files.length)} are in filed/, each with the bytes it has on disk, and none is left in inbox/`,
    intact.every(Boolean) && filed.length === files.length,
    `${intact.filter(Boolean).length} of ${filed.length} are as they should be`,
  )
}

const isFiled = async ({ s3, deployment }: World, { file, name }: RealFile): Promise<boolean> => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: deployment.bucket, Key: `filed/${name}` }))
  const [found, onDisk] = await Promise.all([Body?.transformToByteArray(), readFile(file)])
  return found !== undefined && onDisk.equals(found)
}

const keysUnder = async ({ s3, deployment }: World, prefix: string): Promise<string[]> => {
  const found: string[] = []
  const pages = paginateListObjectsV2({ client: s3 }, { Bucket: deployment.bucket, Prefix: prefix })
  for await (const { Contents = [] } of pages) found.push(...Contents.map(({ Key }) => Key ?? ''))
  return found
}

/** Nobody here knows the ids of these operations: they are found by their paths. */
const checkDigests = async (world: World, texts: readonly RealFile[]): Promise<void> => {
  const digests = await until('the checksums of the texts', world.signal, async () => {
    const found = await digestsFound(world)
    return texts.every(({ name }) => found.has(`incoming/${name}`)) ? found : undefined
  })
  const agreeing = await Promise.all(
    texts.map(async ({ file, name }) => digests.get(`incoming/${name}`) === (await sha256OfFile(file))),
  )
  world.transcript.check(
    `the ${grouped(texts.length)} checksums that the other rule asked for agree with node:crypto over the files on disk`,
    agreeing.every(Boolean),
  )
}

/** More than this run can have made since its texts were put; newest first. */
const operationsLookedAt = 1_000

const digestsFound = async ({ lockstep }: World): Promise<Map<string, unknown>> => {
  const found = new Map<string, unknown>()
  for await (const { kind, args, result } of lockstep.list({
    status: 'succeeded',
    limit: operationsLookedAt,
  })) {
    if (kind === 'checksum') found.set(String(args['path']), result?.['digest'])
  }
  return found
}
