import { memoryWorld } from '#memory/memory-ports.ts'
import { describeLineStoreContract } from './line-store.suite.ts'
import { describeOperationStoreContract } from './operation-store.suite.ts'

describeLineStoreContract('memory', async () => {
  const world = memoryWorld()
  return { ...world, collectLine: async (key) => world.tables.collectLine(key) }
})

describeOperationStoreContract('memory', async () => memoryWorld())
