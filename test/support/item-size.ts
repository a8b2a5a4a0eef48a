import type { AttributeValue } from '@aws-sdk/client-dynamodb'

/**
 * The bytes that DynamoDB counts for an item: names and values, by its documented rules ("DynamoDB item sizes
 * and formats"). A number takes about a byte for every two significant digits, and one.
 */
export const itemSizeOf = (item: Readonly<Record<string, AttributeValue>>): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOf(value), 0)

const containerBytes = 3

const sizeOf = (value: AttributeValue): number => {
  if (value.S !== undefined) return Buffer.byteLength(value.S)
  if (value.N !== undefined) return Math.ceil(value.N.replace(/[^0-9]/g, '').length / 2) + 1
  if (value.B !== undefined) return value.B.length
  if (value.L !== undefined)
    return value.L.reduce((sum, element) => sum + 1 + sizeOf(element), containerBytes)
  if (value.M !== undefined) {
    return itemSizeOf(value.M) + Object.keys(value.M).length + containerBytes
  }
  return 1
}
