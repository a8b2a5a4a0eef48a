import type { Command } from 'commander'
import type { ChecksumResult } from '#client/index.ts'
import { type SubmitFlags, type WaitFlags, withId, withTimeout } from '../flags.ts'
import { followOne } from '../follow.ts'
import { examplesFirst } from '../help.ts'
import { interruption } from '../interrupt.ts'
import { printLine } from '../output.ts'
import { openLockstep } from '../session.ts'

interface ChecksumFlags extends SubmitFlags, WaitFlags {
  readonly algorithm: string
}

export const define = (command: Command): void => {
  examplesFirst(withTimeout(withId(command)), [
    ['lockstep checksum backup.tar', 'sha256, as sha256sum prints it'],
    ['lockstep checksum backup.tar --algorithm crc64nvme', 'or crc32, crc32c, md5'],
  ])
    .argument('<PATH>', 'of the file in the bucket')
    .option('-a, --algorithm <NAME>', 'sha256, crc32, crc32c, crc64nvme or md5', 'sha256')
    .option('--if-match <ETAG>', 'only if it is this version')
    .action(async (path: string, { id, ifMatch, algorithm, ...flags }: ChecksumFlags) => {
      const lockstep = await openLockstep(command)
      const operation = await lockstep.checksum(path, algorithm, { id, ifMatch, signal: interruption() })
      await followOne(operation, { ...flags, always: true }, ({ result }) => {
        printLine(`${(result as unknown as ChecksumResult).digest}  ${path}`)
      })
    })
}
