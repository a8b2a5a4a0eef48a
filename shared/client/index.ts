/**
 * The public TypeScript client.
 *
 * ```ts
 * import { Lockstep } from 'lockstep'
 * const lockstep = new Lockstep()
 * const operation = await lockstep.append('logs/today.txt', 'hello\n')
 * await operation.result()
 * ```
 */

export type { Deployment } from '#aws/deployment.ts'
export {
  type ErrorCode,
  type ErrorDocument,
  errorCatalogue,
  isLockstepError,
  LockstepError,
} from '#domain/errors.ts'
export {
  type FinalStatus,
  isFinal,
  type OperationDocument,
  type Progress,
  type Status,
} from '#domain/operation.ts'
export type { LineDocument, LinePlace, ListOptions } from '#engine/explain.ts'
export type { OperationRequest } from '#engine/request.ts'
export { checkRequest } from './accept.ts'
export type { Connection, Credentials } from './connection.ts'
export type { FileContent } from './content.ts'
export type { DeploymentOptions, Found } from './discover.ts'
export type { FileEntry, ListFilesOptions } from './files.ts'
export { type HeldLock, Lock } from './lock.ts'
export type { LockTarget } from './lock-target.ts'
export type { LockOptions } from './locking.ts'
export * from './lockstep.ts'
export { Operation } from './operation.ts'
export type * from './options.ts'
export type { WaitOptions } from './polling.ts'
export type * from './results.ts'
