/**
 * The emulator takes any credentials for the account's owner, so it must not be reachable from other
 * machines.
 */
export const loopback = '127.0.0.1'

export const localRegion = 'us-east-1'

/** The account that the emulator keeps for callers without one of their own. */
export const localAccount = '000000000000'

/** What the emulator takes for the owner of that account. */
export const localCredentials = { accessKeyId: 'test', secretAccessKey: 'test' } as const

/**
 * Tells the emulator's variables from those of a real account, which must not leak into what runs against it.
 */
const ofAnAccount = /^(AWS_|CDK_|LOCALSTACK_)/

/** Set by test runners and debuggers for themselves; a program that we start must not obey them. */
const ofAnotherNode = /^(NODE_OPTIONS|NODE_V8_COVERAGE|VITEST.*|npm_.*)$/

/** What a program needs to run on this machine, and nothing that tells it what to do. */
const ofTheMachine = ['HOME', 'USER', 'LANG', 'LC_ALL', 'LC_CTYPE', 'PATH', 'LD_LIBRARY_PATH']

/**
 * As little as possible of this process's environment, for the emulator: it hands its own to the functions,
 * which in the cloud see nothing of the person's settings (proxies, certificates, tokens) either.
 */
export function bareEnvironment(environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = ofTheMachine.map((name) => [name, environment[name]] as const)
  return Object.fromEntries(
    kept.filter((entry): entry is readonly [string, string] => entry[1] !== undefined),
  )
}

/**
 * This process's environment without what would send a child to a real account or make it behave like a test.
 */
export function cleanEnvironment(environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !ofAnAccount.test(entry[0]) && !ofAnotherNode.test(entry[0]),
  )
  return Object.fromEntries(kept)
}
