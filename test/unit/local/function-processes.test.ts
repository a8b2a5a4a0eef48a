import { describe, expect, test } from 'vitest'

import { functionProcessesOf } from '#cli/local/function-processes.ts'

const emulatorPid = 100

const running = (pid: number, parentPid: number, folder: string) => ({
  pid,
  parentPid,
  startedAt: `start of ${pid}`,
  command: `node /tmp/x/.local/tmp/${folder}/_worker.js`,
})

const worker = 'LockstepProcessing-dev-ProcessingWorkerFunction0FCADA52-C235C8FB8'
const sweeper = 'LockstepProcessing-dev-ProcessingSweeperFunction1234'

const processes = [
  running(1, emulatorPid, `ministack-lambda-${worker}-im1hxi9q`),
  running(2, emulatorPid, `ministack-lambda-${worker}-g_nuze1j`),
  running(3, emulatorPid, `ministack-lambda-${sweeper}-379itvgg`),
  running(4, 200, `ministack-lambda-${worker}-6g7w6t22`),
  { pid: 5, parentPid: emulatorPid, startedAt: '', command: 'node -e something else' },
]

describe('function processes', () => {
  test('are told apart by function', () => {
    expect(functionProcessesOf(processes, emulatorPid, worker).map(({ pid }) => pid)).toEqual([1, 2])
    expect(functionProcessesOf(processes, emulatorPid, 'WorkerFunction').map(({ pid }) => pid)).toEqual([
      1, 2,
    ])
    expect(functionProcessesOf(processes, emulatorPid, 'Sweeper')).toMatchObject([
      { pid: 3, functionName: sweeper },
    ])
  })

  test('of another emulator, and other children of this one, are left out', () => {
    expect(functionProcessesOf(processes, emulatorPid, '').map(({ pid }) => pid)).toEqual([1, 2, 3])
  })
})
