import {
  type Bundle,
  deepEqual,
  expectStatus,
  killAt,
  launch,
  leftSoFar,
  match,
  type Outcome,
  runtime,
  sandbox,
} from '../../lib'

/** Which system calls are counted. */
export interface Clock {
  /** The execve of the runtime's process from which on it counts: 1 is the runtime itself. */
  readonly execve: number
  /** The runtime's process, or the first one that it makes from then on. */
  readonly who: 'main' | 'child'
}

interface Ended {
  readonly outcome: Outcome
  readonly execves: number
  readonly calls: number
  readonly killed: boolean
}

const SUMMARY = /^killat: execs=(\d+) main=(\d+) child=(\d+) killed=([01])/m

/**
 * Calls the runtime and ends one of its processes with SIGKILL at the entry of a system call.
 *
 * @param at the number of the call, from 1; 0 kills nothing
 * @param within as in SpawnOptions
 */
export const callKilled = async (
  clock: Clock,
  at: number,
  args: readonly string[],
  within: readonly string[] = [],
): Promise<Ended> => {
  const box = sandbox()
  const command = [runtime().path, '--root', box.marks.root, ...args]
  const running = launch([killAt(), String(clock.execve), String(at), clock.who, ...command], { within })
  const outcome = await running.exited
  const [, execves, main, child, killed] = SUMMARY.exec(outcome.stderr) ?? []
  return {
    outcome,
    execves: Number(execves),
    calls: Number(clock.who === 'main' ? main : child),
    killed: killed === '1',
  }
}

export const createArgs = (b: Bundle): string[] => ['create', '--bundle', b.path, b.id]

/** How often the runtime's process of these arguments executes a program: the last one of them does the work. */
export const lastExecve = async (b: Bundle): Promise<number> => {
  sandbox().containers.add(b.id)
  const { outcome, execves } = await callKilled({ execve: 1, who: 'main' }, 0, createArgs(b))
  expectStatus(outcome)
  await remove(b)
  return execves
}

export const remove = async (b: Bundle): Promise<void> => {
  expectStatus(await b.tryCall('delete', { flags: ['--force'] }))
}

/** After a crash: `delete --force` succeeds and nothing is left; now and then the same name is used once more. */
export const recovers = async (b: Bundle, again: boolean): Promise<void> => {
  await remove(b)
  deepEqual(await leftSoFar(), [])
  if (again) {
    await b.create()
    match((await b.state()).status, /^created$/)
    await remove(b)
    deepEqual(await leftSoFar(), [])
  }
}

/** Numbers from 1 to the count, at most `most` of them; environment variable SPEC_CRASH_ALL: every one. */
export const spread = (count: number, most: number): number[] => {
  const step = process.env['SPEC_CRASH_ALL'] === undefined ? Math.max(1, Math.ceil(count / most)) : 1
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => 1 + index * step)
}

/**
 * Tries every point and fails with all that went wrong.
 *
 * @throws Error that names the points
 */
export const atEach = async (
  points: readonly number[],
  attempt: (at: number, again: boolean) => Promise<void>,
): Promise<void> => {
  const failures: string[] = []
  for (const [index, at] of points.entries()) {
    try {
      await attempt(at, index % 4 === 0)
    } catch (error) {
      failures.push(`killed at system call ${at}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (failures.length > 0) {
    throw new Error(`${failures.length} of ${points.length} points:\n${failures.slice(0, 10).join('\n')}`)
  }
}
