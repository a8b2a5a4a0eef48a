import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { convertToAttr, marshall, unmarshall } from '@aws-sdk/util-dynamodb'

/** An item as DynamoDB's wire has it. */
export type WireItem = Record<string, AttributeValue>

/** An item in plain values: numbers, text, bytes, lists, maps. */
export type Item = Record<string, unknown>

const options = { removeUndefinedValues: true } as const

export const toWire = (item: Item): WireItem => marshall(item, options)

export const fromWire = (item: WireItem): Item => unmarshall(item) as Item

/** The names that expressions mention: `#status` stands for `status`. Many of ours are reserved words. */
export const namesIn = (...expressions: string[]): Record<string, string> => {
  const mentioned = expressions.flatMap((expression) => expression.match(/#\w+/g) ?? [])
  return Object.fromEntries(mentioned.map((name) => [name, name.slice(1)]))
}

/** `{now: 5}` as the value of `:now`. Undefined ones are left out. */
export const valuesOf = (values: Item): WireItem =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [`:${name}`, convertToAttr(value, options)]),
  )

/** TTL attributes are in seconds. */
export const ttlOf = (epochMs: number): number => Math.ceil(epochMs / 1000)
