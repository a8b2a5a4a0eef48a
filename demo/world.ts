import { S3Client } from '@aws-sdk/client-s3'
import type { Deployment } from '#cli/local/environment.ts'
import { localCredentials } from '#cli/local/network.ts'
import { Lockstep } from '#client/index.ts'
import type { Transcript } from './transcript.ts'

/** Everything that a step of the demo needs. */
export interface World {
  readonly deployment: Deployment
  readonly lockstep: Lockstep
  /** Any S3 tool would do: it knows nothing of Lockstep. */
  readonly s3: S3Client
  /** Part of every path that this run makes, so that it meets nothing of others and can tidy up after itself. */
  readonly run: string
  readonly transcript: Transcript
  readonly signal: AbortSignal
}

export const connect = (deployment: Deployment): { lockstep: Lockstep; s3: S3Client } => ({
  lockstep: new Lockstep({ ...deployment, credentials: localCredentials }),
  s3: new S3Client({
    endpoint: deployment.endpoint,
    region: deployment.region,
    credentials: localCredentials,
    forcePathStyle: true,
  }),
})
