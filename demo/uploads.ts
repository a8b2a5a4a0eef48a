import { readFile } from 'node:fs/promises'
import { PutObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3'
import pLimit from 'p-limit'
import { waitFor } from '#cli/local/wait.ts'
import { etagOfFile, sha256OfFile } from './digests.ts'
import { pickFiles, type RealFile } from './real-files.ts'
import { grouped, megabytes } from './transcript.ts'
import { patienceMs, type World } from './world.ts'

const fileCount = 1_000
const textCount = 10
const putsAtOnce = 16

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

const putAll = async ({ s3, deployment }: World, prefix: string, files: readonly RealFile[]): Promise<void> => {
  const limit = pLimit(putsAtOnce)
  const put = async ({ file, name }: RealFile): Promise<void> => {
    const Body = await readFile(file)
    await s3.send(new PutObjectCommand({ Bucket: deployment.bucket, Key: `${prefix}${name}`, Body }))
  }
  await Promise.all(files.map((file) => limit(() => put(file))))
}

const checkFiled = async (world: World, files: readonly RealFile[]): Promise<void> => {
  const startedAt = performance.now()
  const filed = await waitFor(
    async () => {
      const found = await etags(world, `filed/${world.run}-`)
      return found.size >= files.length ? found : undefined
    },
    { what: 'all files to be filed', deadlineMs: patienceMs, remedy: 'see .local/emulator.log', signal: world.signal },
  )
  const left = await waitFor(
    async () => {
      const found = await etags(world, `inbox/${world.run}-`)
      return found.size === 0 ? found : undefined
    },
    { what: 'the inbox to be empty', deadlineMs: patienceMs, remedy: 'see .local/emulator.log', signal: world.signal },
  )
  const seconds = (performance.now() - startedAt) / 1000
  world.transcript.say(`Done ${seconds.toFixed(1)} s after the last was put.`)
  const wrong: string[] = []
  for (const { file, name } of files) {
    if (filed.get(`filed/${name}`) !== (await etagOfFile(file))) wrong.push(name)
  }
  world.transcript.check(
    `all ${grouped(files.length)} are in filed/, each with the bytes it has on disk, and none is left in inbox/`,
    wrong.length === 0 && left.size === 0,
    `wrong: ${wrong.slice(0, 3).join(', ')}`,
  )
}

/** Key to ETag of everything under a prefix. */
const etags = async ({ s3, deployment }: World, prefix: string): Promise<Map<string, string>> => {
  const found = new Map<string, string>()
  const pages = paginateListObjectsV2({ client: s3 }, { Bucket: deployment.bucket, Prefix: prefix })
  for await (const { Contents = [] } of pages) {
    for (const { Key, ETag } of Contents) found.set(Key ?? '', ETag ?? '')
  }
  return found
}

const checkDigests = async (world: World, texts: readonly RealFile[]): Promise<void> => {
  const limit = pLimit(4)
  const agreeing = await Promise.all(texts.map((text) => limit(() => digestAgrees(world, text))))
  world.transcript.check(
    `the ${grouped(texts.length)} checksums that the other rule asked for agree with node:crypto over the files on disk`,
    agreeing.every(Boolean),
  )
}

/** Nobody here knows the operation's id: it is found by its path. */
const digestAgrees = async ({ lockstep, signal }: World, { file, name }: RealFile): Promise<boolean> => {
  const expected = await sha256OfFile(file)
  const path = `incoming/${name}`
  const operation = await waitFor(
    async () => {
      const found = await Array.fromAsync(lockstep.list({ path, status: 'succeeded' }))
      return found.at(0)
    },
    { what: `the checksum of ${path}`, deadlineMs: patienceMs, remedy: 'see .local/emulator.log', signal },
  )
  return operation.result?.['digest'] === expected
}
