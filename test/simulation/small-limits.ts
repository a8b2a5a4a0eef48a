import type { Patch } from '#test/support/patches.ts'

const limit = (find: string, replace: string): Patch => ({ file: 'shared/domain/limits.ts', find, replace })

/**
 * Everything that the real limits reserve for large files happens here to files of some hundred bytes: bodies
 * in items of their own, parts, shards, full lines.
 */
export const smallLimits: readonly Patch[] = [
  limit('partMinBytes: 5 * MIB', 'partMinBytes: 48'),
  limit('smallWorkBytes: 256 * MIB', 'smallWorkBytes: 160'),
  limit('inlineBodyBytes: 512', 'inlineBodyBytes: 24'),
  limit('waiters: 1000', 'waiters: 8'),
  { file: 'shared/domain/part-plan.ts', find: '64 * 1024 * 1024', replace: '100' },
  { file: 'shared/operations/checksum.ts', find: '32 * 1024 * 1024', replace: '64' },
]
