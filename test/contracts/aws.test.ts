import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { inject } from 'vitest'
import { connectionTo, freshPorts } from '#test/support/aws-resources.ts'
import { describeLineStoreContract } from './line-store.suite.ts'
import { describeOperationStoreContract } from './operation-store.suite.ts'

const emulator = inject('emulator')

/** Each random sequence costs calls over a socket here; in memory the same laws are tried far more often. */
const modelRuns = 15

describeLineStoreContract(
  'aws',
  async () => {
    const { ports, deployment } = await freshPorts(emulator)
    const dynamo = new DynamoDBClient(connectionTo(emulator))
    const collectLine = async (key: string): Promise<void> => {
      const Key = { line: { S: key } }
      await dynamo.send(new DeleteItemCommand({ TableName: deployment.linesTable, Key }))
    }
    return { ...ports, collectLine }
  },
  { modelRuns },
)

describeOperationStoreContract('aws', async () => (await freshPorts(emulator)).ports, { modelRuns })
