/** One planner for the tests of a file that are about something else: node starts once, and the calls of many tests meet in it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { patient } from './patience'
import { runtime } from './runtime'
import { alive } from './spawn'

/** Seconds without a call until it ends by itself: no test takes so long, and none of it is left should this process be killed. */
const IDLE = '600'

/** Where a call with this --root looks for its planner. */
export const plannerSocket = (root: string): string => join(root, '~planner')

/** Until a planner listens, or has had the time to. */
export const waitForSocket = (socket: string): void => {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (let round = 0; !existsSync(socket) && round < patient(2000); round++) {
    Atomics.wait(pause, 0, 0, 5)
  }
}

let shared: { readonly root: string; readonly planner: ChildProcess } | undefined

/** After the last test of a file. */
export const endSharedPlanner = (): void => {
  if (shared === undefined) return
  shared.planner.kill('SIGKILL')
  rmSync(shared.root, { recursive: true, force: true })
  shared = undefined
}

process.once('exit', endSharedPlanner)

const startShared = (): string => {
  const root = mkdtempSync(join(tmpdir(), 'planner.'))
  const planner = spawn(runtime().path, ['--root', root, 'planner', '--idle', IDLE], {
    stdio: 'ignore',
    // Nothing in it tells of the test that happens to be the first: the planner is not that one's.
    env: { PATH: process.env['PATH'] ?? '', HOME: '/root', TMPDIR: root },
    cwd: '/',
  })
  shared = { root, planner }
  waitForSocket(plannerSocket(root))
  return root
}

/** Calls with this --root find the planner by a link to its socket: it plans for any directory of containers. */
export const useSharedPlanner = (root: string): void => {
  if (shared !== undefined && !alive(shared.planner)) endSharedPlanner()
  const own = shared?.root ?? startShared()
  mkdirSync(root, { recursive: true, mode: 0o700 })
  linkSync(plannerSocket(own), plannerSocket(root))
}

/** Calls with this --root no longer find it: another planner takes its place. */
export const leaveSharedPlanner = (root: string): void => {
  const inodeOf = (at: string): number | undefined => statSync(plannerSocket(at), { throwIfNoEntry: false })?.ino
  if (shared !== undefined && inodeOf(root) === inodeOf(shared.root)) rmSync(plannerSocket(root), { force: true })
}
