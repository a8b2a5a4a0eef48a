import { expect, test } from 'vitest'

import { bareEnvironment, cleanEnvironment } from '#cli/local/network.ts'

const environment = {
  PATH: '/usr/bin',
  HOME: '/home/me',
  HTTPS_PROXY: 'http://proxy',
  AWS_PROFILE: 'production',
  AWS_ENDPOINT_URL: 'http://elsewhere',
  CDK_DEFAULT_ACCOUNT: '123456789012',
  NODE_OPTIONS: '--inspect',
  NODE_EXTRA_CA_CERTS: '/etc/ssl/ours.pem',
  VITEST_WORKER_ID: '1',
  GITHUB_TOKEN: 'secret',
}

test('what works on the emulator never sees the account of the person, nor acts like a test', () => {
  expect(cleanEnvironment(environment)).toEqual({
    PATH: '/usr/bin',
    HOME: '/home/me',
    HTTPS_PROXY: 'http://proxy',
    NODE_EXTRA_CA_CERTS: '/etc/ssl/ours.pem',
    GITHUB_TOKEN: 'secret',
  })
})

test('functions see nothing of the settings of the person', () => {
  expect(bareEnvironment(environment)).toEqual({ PATH: '/usr/bin', HOME: '/home/me' })
})
