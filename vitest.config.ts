import { defineConfig } from 'vitest/config'

/** Pure tests take milliseconds; a machine that does ten other things must not fail them. */
const slowMachineMs = 30_000

/**
 * A test that waits for the emulator may meet a busy machine with two cores; one that is pure never needs
 * this long.
 */
const slowTestMs = 120_000

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: slowMachineMs,
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: slowTestMs,
          hookTimeout: slowTestMs,
        },
      },
      {
        test: {
          name: 'contracts',
          include: ['test/contracts/**/*.test.ts'],
          globalSetup: ['test/support/environment-bare.ts'],
          testTimeout: slowTestMs,
          hookTimeout: slowTestMs,
        },
      },
      {
        test: {
          name: 'infra',
          include: ['test/infra/**/*.test.ts'],
          testTimeout: slowTestMs,
          hookTimeout: slowTestMs,
        },
      },
      {
        test: {
          name: 'local',
          include: ['test/local/**/*.test.ts'],
          testTimeout: slowTestMs,
          hookTimeout: slowTestMs,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/environment.ts'],
          // One deployment serves all files: what one of them kills or fills would disturb the others.
          fileParallelism: false,
          testTimeout: slowTestMs,
          hookTimeout: slowTestMs,
        },
      },
    ],
  },
})
