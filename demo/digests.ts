import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'

/** Computed by Node's own crypto over the file on disk: Lockstep uses another implementation, over what is in S3. */
export const sha256OfFile = async (file: string): Promise<string> => {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** What S3 gives as ETag of a small file that was put whole, quotes included: its MD5. */
export const etagOfFile = async (file: string): Promise<string> =>
  `"${createHash('md5')
    .update(await readFile(file))
    .digest('hex')}"`
