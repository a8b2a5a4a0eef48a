import { readFile } from 'node:fs/promises'
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import { sha256OfFile } from './digests.ts'
import { pickFiles } from './real-files.ts'
import { patienceMs } from './until.ts'
import type { World } from './world.ts'

/** A copy, a move and a checksum of one real file, submitted at once: they take effect in the order submitted. */
export const transferFile = async (world: World): Promise<void> => {
  const { transcript, lockstep, run } = world
  transcript.step('A copy, a move and a checksum')
  const [real] = pickFiles(1, 'README.md')
  if (real === undefined)
    throw new Error('This checkout has no README.md of at most 64 KiB, nor has a dependency.')
  const at = (name: string): string => `demo/${run}/${name}`
  const content = await readFile(real.file)
  await lockstep.write(at('original.md'), content)
  await lockstep.copy(at('original.md'), at('copy.md'))
  await lockstep.move(at('original.md'), at('moved.md'))
  const checksum = await lockstep.checksum(at('moved.md'), 'sha256')
  transcript.say(
    'write original.md, copy it to copy.md, move it to moved.md, checksum moved.md: submitted without waiting.',
  )
  const { digest } = await checksum.result({ timeoutMs: patienceMs, signal: world.signal })
  const copied = await bytesAt(world, at('copy.md'))
  const moved = await bytesAt(world, at('moved.md'))
  transcript.check(
    'copy.md has the bytes of the file on disk',
    copied !== undefined && content.equals(copied),
  )
  transcript.check('so has moved.md', moved !== undefined && content.equals(moved))
  transcript.check('original.md is gone', !(await exists(world, at('original.md'))))
  const expected = await sha256OfFile(real.file)
  transcript.check(
    `the checksum is what node:crypto computes: ${expected.slice(0, 16)}...`,
    digest === expected,
    digest,
  )
}

const bytesAt = async ({ s3, deployment }: World, path: string): Promise<Uint8Array | undefined> => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: deployment.bucket, Key: path }))
  return Body?.transformToByteArray()
}

const exists = async ({ s3, deployment }: World, path: string): Promise<boolean> => {
  try {
    await s3.send(new HeadObjectCommand({ Bucket: deployment.bucket, Key: path }))
    return true
  } catch (error) {
    if (error instanceof Error && error.name === 'NotFound') return false
    throw error
  }
}
