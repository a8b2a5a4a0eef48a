import { type Dirent, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { checkoutDirectory } from '#cli/local/paths.ts'

/** A file of this checkout or of what it depends on. */
export interface RealFile {
  readonly file: string
  readonly name: string
  readonly size: number
}

/** Empty files show nothing, and a few huge ones would take the time of thousands of small ones. */
const smallest = 1
const largest = 64 * 1024

/**
 * `count` files that end with `suffix`, taken evenly from all there are, so that they are of many packages: thousands of
 * files that somebody really wrote lie in every checkout.
 */
export const pickFiles = (count: number, suffix = ''): RealFile[] => {
  everyFile ??= listFiles()
  const all = everyFile.filter((file) => file.endsWith(suffix))
  const picked: RealFile[] = []
  const stride = Math.max(1, Math.floor(all.length / count / 2))
  for (let at = 0; at < all.length && picked.length < count; at += stride) {
    const file = realFile(all[at] ?? '')
    if (file.size >= smallest && file.size <= largest) picked.push(file)
  }
  return picked
}

/** Some twenty thousand: looked up once. */
let everyFile: readonly string[] | undefined

const listFiles = (): string[] =>
  readdirSync(checkoutDirectory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !isOurState(entry))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

/** What the emulator and git keep changes while we look. */
const isOurState = ({ parentPath }: Dirent): boolean => /\/\.(local|git)(\/|$)/.test(parentPath)

/** The program that runs all this: the largest file that every checkout has. */
export const nodeItself = (): RealFile =>
  realFile(join(checkoutDirectory, 'node_modules', 'node', 'bin', 'node'))

const realFile = (file: string): RealFile => ({ file, name: basename(file), size: statSync(file).size })
