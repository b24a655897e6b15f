import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Runtime } from './runtimes'
import { type Bench, createContainer, verb } from './scenarios'
import { measuredEnvironment } from './stopwatch'

/** KiB, proportional set size: what would be free if these processes ended. */
export interface Memory {
  /** The runtime's own processes while `run` waits in the foreground for its container. */
  readonly waitingRun: number
  /** The container's init between create and start. */
  readonly createdInit: number
}

const START_TIMEOUT_MS = 10_000

export async function measureMemory(bench: Bench, runtime: Runtime): Promise<Memory> {
  return { createdInit: await createdInit(bench, runtime), waitingRun: await waitingRun(bench, runtime) }
}

async function createdInit(bench: Bench, runtime: Runtime): Promise<number> {
  const { stopwatch, workplace } = bench
  const { pid } = await createContainer(bench, runtime)
  const size = proportionalSetSize(pid)
  await stopwatch.run(verb(bench, runtime, 'kill', workplace.id(runtime), 'KILL'))
  await stopwatch.reap(pid)
  await stopwatch.run(verb(bench, runtime, 'delete', workplace.id(runtime)))
  return size
}

async function waitingRun(bench: Bench, runtime: Runtime): Promise<number> {
  const id = bench.workplace.id(runtime)
  const [path = '', ...argv] = verb(bench, runtime, 'run', '--bundle', bench.workplace.bundle(runtime, 'sleep'), id)
  const running = spawn(path, argv, { stdio: 'ignore', env: measuredEnvironment() })
  const ended = new Promise((resolve) => running.once('exit', resolve))
  try {
    const payload = await pidOfRunning(bench, runtime, running)
    const own = descendants(running.pid ?? 0).filter((pid) => pid !== payload)
    return own.reduce((total, pid) => total + proportionalSetSize(pid), 0)
  } finally {
    bench.workplace.discard(runtime)
    const deadline = setTimeout(() => running.kill('SIGKILL'), START_TIMEOUT_MS)
    await ended
    clearTimeout(deadline)
  }
}

/** Waits until the program of the container runs, which is when `run` has nothing left to do. @throws Error */
async function pidOfRunning(bench: Bench, runtime: Runtime, running: ChildProcess): Promise<number> {
  const [path = '', ...argv] = verb(bench, runtime, 'state', bench.workplace.id(runtime))
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline && running.exitCode === null) {
    await sleep(50)
    const state = stateOf(path, argv)
    if (state?.status === 'running') {
      await sleep(200)
      return state.pid
    }
  }
  throw new Error(`${runtime.name}: the container of the memory measurement does not run`)
}

function stateOf(path: string, argv: readonly string[]): { status: string; pid: number } | undefined {
  try {
    return JSON.parse(execFileSync(path, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return undefined // not created yet
  }
}

/** `pid` and everything below it. */
function descendants(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(descendants)]
}

/** KiB. proc_pid_smaps(5). @throws Error for a process that has no memory, such as one that has ended. */
function proportionalSetSize(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const size = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]
  if (size === undefined) throw new Error(`/proc/${pid}/smaps_rollup has no Pss`)
  return Number(size)
}
