import { createCRC32, createCRC64, createMD5, createSHA256, type IHasher } from 'hash-wasm'

/** Hashes whose state can be saved in the middle: node:crypto is faster for SHA-256, but cannot do that. */

export const algorithms = ['sha256', 'crc32', 'crc32c', 'crc64nvme', 'md5'] as const
export type Algorithm = (typeof algorithms)[number]

/** Polynomials reflected, as in RFC 3720 (CRC-32C) and the NVM Express specification 1.0 (CRC-64/NVME). */
const makers: Record<Algorithm, () => Promise<IHasher>> = {
  sha256: () => createSHA256(),
  crc32: () => createCRC32(),
  crc32c: () => createCRC32(0x82f63b78),
  crc64nvme: () => createCRC64('9a6c9329ac4bc9b5'),
  md5: () => createMD5(),
}

export interface Hash {
  update(bytes: Uint8Array): void
  /** Lower-case hexadecimal. Ends the hash. */
  digest(): string
  /** To go on from in another process, base64: at most 160 bytes, bound to the version of hash-wasm. */
  state(): string
}

const hashOf = (hasher: IHasher): Hash => ({
  update: (bytes) => void hasher.update(bytes),
  digest: () => hasher.digest('hex'),
  state: () => Buffer.from(hasher.save()).toString('base64'),
})

export const newHash = async (algorithm: Algorithm): Promise<Hash> =>
  hashOf((await makers[algorithm]()).init())

/**
 * The hash as saved; undefined if the state is of another algorithm or another build of hash-wasm (after a
 * deployment): the caller starts again then.
 */
export const resumedHash = async (algorithm: Algorithm, state: string): Promise<Hash | undefined> => {
  const hasher = (await makers[algorithm]()).init()
  try {
    return hashOf(hasher.load(Buffer.from(state, 'base64')))
  } catch {
    return undefined
  }
}
