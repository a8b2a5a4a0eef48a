import type { IncomingHttpHeaders } from 'node:http'

/** The services that Lockstep calls. */
export type Service = 's3' | 'dynamodb' | 'sqs' | 'other'

export interface CallName {
  readonly service: Service
  /** As AWS names it: `PutObject`, `UpdateItem`, `SendMessage`. */
  readonly action: string
}

/** What is called, told from the request alone. */
export const nameCall = (method: string, url: string, headers: IncomingHttpHeaders): CallName => {
  const target = headerOf(headers, 'x-amz-target')
  if (target?.startsWith('DynamoDB_')) return { service: 'dynamodb', action: lastPart(target) }
  if (target?.startsWith('AmazonSQS')) return { service: 'sqs', action: lastPart(target) }
  const signedFor = /\/([a-z0-9-]+)\/aws4_request/.exec(headerOf(headers, 'authorization') ?? url)?.[1]
  if (signedFor !== undefined && signedFor !== 's3')
    return { service: 'other', action: `${signedFor} ${method}` }
  return { service: 's3', action: objectAction(method, new URL(url, 'http://any'), headers) }
}

/** By method, query and copy source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html */
const objectAction = (method: string, url: URL, headers: IncomingHttpHeaders): string => {
  const query = url.searchParams
  const isCopy = headerOf(headers, 'x-amz-copy-source') !== undefined
  if (query.has('partNumber') && method === 'PUT') return isCopy ? 'UploadPartCopy' : 'UploadPart'
  if (query.has('uploads')) return method === 'POST' ? 'CreateMultipartUpload' : 'ListMultipartUploads'
  if (query.has('uploadId')) return uploadActions[method] ?? `${method} upload`
  if (query.has('tagging')) return `${method === 'GET' ? 'Get' : 'Put'}ObjectTagging`
  if (query.has('delete')) return 'DeleteObjects'
  const isBucket = !/^\/[^/]+\/.+/.test(url.pathname)
  if (isBucket) return method === 'GET' ? 'ListObjects' : `${method} bucket`
  if (isCopy) return 'CopyObject'
  return objectActions[method] ?? `${method} object`
}

const uploadActions: Readonly<Record<string, string>> = {
  POST: 'CompleteMultipartUpload',
  DELETE: 'AbortMultipartUpload',
  GET: 'ListParts',
}

const objectActions: Readonly<Record<string, string>> = {
  GET: 'GetObject',
  HEAD: 'HeadObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
}

const lastPart = (target: string): string => target.slice(target.lastIndexOf('.') + 1)

const headerOf = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}
