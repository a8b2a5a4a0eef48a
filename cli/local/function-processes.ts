import { isAlive, listProcesses, type ProcessInfo } from './processes.ts'

/**
 * The emulator runs each sandbox of a Node function as a child process of its own, from a folder that it
 * makes with `mkdtemp(prefix="ministack-lambda-FUNCTION-")` (ministack/core/lambda_runtime.py,
 * `Worker._spawn`): the function's name and eight random characters out of a-z, 0-9 and `_`, none of them a
 * hyphen.
 */
const sandbox = /\/ministack-lambda-(.+)-[a-z0-9_]{8}\/_worker\.\w+/

export interface FunctionProcess {
  readonly pid: number
  /** As it was deployed, with the suffix that CloudFormation added. */
  readonly functionName: string
  readonly startedAt: string
}

/**
 * The processes that run functions for an emulator now: busy and warm sandboxes alike.
 *
 * @param emulatorPid the emulator, as in `Deployment.emulatorPid`.
 * @param functionName whose; a part of the name is enough (`Worker`), since CloudFormation adds to it.
 * Default: all.
 */
export async function listFunctionProcesses(
  emulatorPid: number,
  functionName = '',
): Promise<FunctionProcess[]> {
  return functionProcessesOf(await listProcesses(), emulatorPid, functionName)
}

export function functionProcessesOf(
  processes: readonly ProcessInfo[],
  emulatorPid: number,
  functionName: string,
): FunctionProcess[] {
  return processes.flatMap(({ pid, parentPid, command, startedAt }) => {
    const name = sandbox.exec(command)?.[1]
    if (parentPid !== emulatorPid || name === undefined || !name.includes(functionName)) return []
    return [{ pid, functionName: name, startedAt }]
  })
}

/**
 * Kills the sandboxes of a function as a crash does: SIGKILL, no goodbye. Messages in their hands return to
 * the queue after their visibility timeout.
 *
 * @returns the pids that were killed.
 */
export async function killFunctionProcesses(emulatorPid: number, functionName = ''): Promise<number[]> {
  const found = await listFunctionProcesses(emulatorPid, functionName)
  const killed: number[] = []
  for (const sandboxProcess of found) {
    if (!(await isAlive(sandboxProcess))) continue
    try {
      process.kill(sandboxProcess.pid, 'SIGKILL')
      killed.push(sandboxProcess.pid)
    } catch (error) {
      // It ended between our look and the signal.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  return killed
}
