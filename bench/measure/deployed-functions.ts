/**
 * The functions as the emulator has them deployed. Its API for Lambda is asked directly: nothing else here needs the SDK's
 * client for it. Signatures are not checked there.
 */

interface Configuration {
  readonly FunctionName: string
  readonly Timeout: number
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> }
}

const headers = {
  'content-type': 'application/json',
  authorization:
    'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0',
}

const deadlineMs = 10_000

const ask = async <T>(url: string, method = 'GET', body?: unknown): Promise<T> => {
  const signal = AbortSignal.timeout(deadlineMs)
  const answer = await fetch(url, {
    method,
    headers,
    signal,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

export const listFunctions = async (endpoint: string): Promise<Configuration[]> => {
  const { Functions } = await ask<{ Functions: Configuration[] }>(
    `${endpoint}/2015-03-31/functions/?MaxItems=50`,
  )
  return Functions.filter(({ FunctionName }) => FunctionName.startsWith('LockstepProcessing-'))
}

/** What of a function may be changed here. */
export interface Settings {
  /** Added to, or replaced in, its environment. */
  readonly variables?: Readonly<Record<string, string>>
  readonly timeoutSeconds?: number
}

/**
 * Changes a deployed function, ends its sandboxes, and returns what restores it. A function keeps running under its old
 * settings until its next invocation.
 */
export const reconfigure = async (
  endpoint: string,
  configuration: Configuration,
  { variables = {}, timeoutSeconds }: Settings,
): Promise<() => Promise<void>> => {
  const url = `${endpoint}/2015-03-31/functions/${configuration.FunctionName}/configuration`
  const before = configuration.Environment?.Variables ?? {}
  const restored = { Environment: { Variables: before }, Timeout: configuration.Timeout }
  await ask(url, 'PUT', {
    Environment: { Variables: { ...before, ...variables } },
    Timeout: timeoutSeconds ?? configuration.Timeout,
  })
  return async () => void (await ask(url, 'PUT', restored))
}

interface Mapping {
  readonly UUID: string
  readonly FunctionArn: string
}

/** Stops the feeding of a function from its queues; its messages stay there. Returns what starts it again. */
export const pauseFeeding = async (endpoint: string, functionName: string): Promise<() => Promise<void>> => {
  const all = `${endpoint}/2015-03-31/event-source-mappings/`
  const { EventSourceMappings } = await ask<{ EventSourceMappings: Mapping[] }>(all)
  const fed = EventSourceMappings.filter(({ FunctionArn }) => FunctionArn.includes(functionName))
  if (fed.length === 0) throw new Error(`no event source feeds a function like ${functionName}`)
  const setEnabled = async (Enabled: boolean): Promise<void> => {
    for (const { UUID } of fed) await ask(`${all}${UUID}`, 'PUT', { Enabled })
  }
  await setEnabled(false)
  return () => setEnabled(true)
}

/** Runs a function to its end, as its schedule would. */
export const invoke = async (endpoint: string, functionName: string): Promise<void> => {
  const all = await listFunctions(endpoint)
  const found = all.find(({ FunctionName }) => FunctionName.includes(functionName))
  if (found === undefined) throw new Error(`no function like ${functionName} is deployed`)
  await ask(`${endpoint}/2015-03-31/functions/${found.FunctionName}/invocations`, 'POST', {})
}
