import { DeleteObjectsCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3'
import type { World } from './world.ts'

/** Deletes the files of this run, so that the environment holds what it held before. */
export const tidyUp = async ({ s3, deployment, run }: World): Promise<void> => {
  const { bucket: Bucket } = deployment
  for (const Prefix of [`demo/${run}/`, `inbox/${run}-`, `incoming/${run}-`, `filed/${run}-`]) {
    for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix })) {
      const Objects = Contents.map(({ Key }) => ({ Key: Key ?? '' }))
      if (Objects.length > 0)
        await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }))
    }
  }
}
