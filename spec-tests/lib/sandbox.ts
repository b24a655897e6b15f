import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeCgroupsNamed } from './cgroups'
import { denying, refuses } from './denial'
import { handedOn } from './descriptors'
import { leftNow, leftovers, type Marks, type Snapshot, startedProcesses, takeSnapshot } from './leftovers'
import { parseMountinfo } from './mountinfo'
import { patient } from './patience'
import { runtime } from './runtime'
import { leaveSharedPlanner, plannerSocket, useSharedPlanner, waitForSocket } from './shared-planner'
import { alive, delay, eventually, type Outcome, type Running, type SpawnOptions, start } from './spawn'

/** Everything that one test makes: its directory, its names, its programs. */
export interface Sandbox {
  readonly directory: string
  readonly tag: string
  readonly marks: Marks
  readonly before: Snapshot
  /** Identifiers of containers that may exist. */
  readonly containers: Set<string>
  /** Programs to be ended with the test. */
  readonly children: Set<ChildProcess>
  /** Those of them that adopt the runtime's orphans. */
  readonly reapers: Set<ChildProcess>
  readonly cgroupParents: string[]
  /** The test's own programs. */
  readonly programs: Running[]
  /** What a test has to undo itself, last first. */
  readonly undo: (() => void)[]
  sequence: number
  /** A call of the runtime was refused for want of what SPEC_DENY takes away; or no such call is to be taken away any more. */
  denied: 'nothing yet' | 'refused' | 'over'
  /** Who calls the runtime, where it is not root: see unprivileged.ts. */
  caller?: Caller
}

export interface Caller {
  /** A command that becomes a program of this user. */
  readonly within: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Where the user finds a file of the host. */
  readonly path: (path: string) => string
  /** Gives it a file or a directory with all that is in it. */
  readonly own: (path: string) => void
}

let open: Sandbox | undefined

/** @throws Error outside of a test */
export const sandbox = (): Sandbox => {
  if (open === undefined) {
    throw new Error('no test is running')
  }
  return open
}

export const openSandbox = (): Sandbox => {
  // For what a test starts without this library.
  process.env['TSRUNC_PLANNER'] = 'off'
  const tag = `spec${process.pid.toString(36)}${randomBytes(4).toString('hex')}`
  const directory = mkdtempSync(join(tmpdir(), `${tag}.`))
  // A container with a user namespace has to get through to its root.
  chmodSync(directory, 0o755)
  const cgroupParents: string[] = []
  const reapers = new Set<ChildProcess>()
  const children = new Set<ChildProcess>()
  const marks = {
    tag,
    reapers,
    children,
    root: join(directory, 'state'),
    temporary: join(directory, 'tmp'),
    cgroupParents,
  }
  mkdirSync(marks.temporary)
  open = {
    directory,
    tag,
    marks,
    before: takeSnapshot(),
    containers: new Set(),
    children,
    reapers,
    cgroupParents,
    programs: [],
    undo: [],
    sequence: 0,
    denied: 'nothing yet',
  }
  return open
}

/** A name that nobody else on the machine uses. */
export const uniqueName = (): string => {
  const box = sandbox()
  box.sequence += 1
  return `${box.tag}-${box.sequence}`
}

/** A path for a file of this test. */
export const scratch = (name: string): string => join(sandbox().directory, name)

/** Sandboxes that have their planner, or want none. */
const planners = new WeakSet<Sandbox>()
const cold = new WeakSet<Sandbox>()

/** This test is about node, or about planners that it starts by itself. */
export const plansCold = (): void => {
  cold.add(sandbox())
}

/**
 * Whether containers are planned by a planner: SPEC_TESTS_PLANNER=on. A user of becomeUser() calls from a mount namespace of its
 * own, for which no planner plans.
 */
const isWarm = (): boolean =>
  process.env['SPEC_TESTS_PLANNER'] === 'on' && sandbox().caller === undefined && !cold.has(sandbox())

/** No call leaves a planner behind that no test has asked for. */
const plannerMode = (): Record<string, string> => {
  if (runtime().name !== 'tsrunc') return {}
  if (!isWarm()) return { TSRUNC_PLANNER: 'off' }
  if (!planners.has(sandbox())) {
    planners.add(sandbox())
    useSharedPlanner(sandbox().marks.root)
  }
  return { TSRUNC_PLANNER: 'on' }
}

/** Starts a planner for the sandbox's --root, unless there is one. It is ended with the test. */
export const startPlanner = (flags: readonly string[] = [], program = runtime().path): ChildProcess => {
  const box = sandbox()
  planners.add(box)
  leaveSharedPlanner(box.marks.root)
  const planner = spawn(program, ['--root', box.marks.root, 'planner', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: runtimeEnvironment(),
  })
  box.children.add(planner)
  waitForSocket(plannerSocket(box.marks.root))
  return planner
}

/** What the runtime gets as its environment unless a test says otherwise. */
export const runtimeEnvironment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  TMPDIR: sandbox().marks.temporary,
  SPEC_TESTS: sandbox().tag,
  ...plannerMode(),
  ...sandbox().caller?.env,
})

const begin = (command: readonly string[], options: SpawnOptions): Running => {
  const box = sandbox()
  box.sequence += 1
  const env = { ...plannerMode(), ...(options.env ?? runtimeEnvironment()) }
  const running = start(command, join(box.directory, `output-${box.sequence}`), { ...options, env })
  box.children.add(running.reaper)
  box.reapers.add(running.reaper)
  return running
}

/** Starts a program of the test's own in the sandbox: it is ended with the test at the latest. */
export const launch = (command: readonly string[], options: SpawnOptions = {}): Running => {
  const running = begin(command, { timeout: 120_000, ...options })
  sandbox().programs.push(running)
  return running
}

/** Starts the runtime with --root in the sandbox. */
export const launchRuntime = (args: readonly string[], options: SpawnOptions = {}): Running =>
  callAs(['--root', sandbox().marks.root, ...args], options)

/** The runtime with these arguments alone, as the user of the test. */
export const callAs = (args: readonly string[], options: SpawnOptions = {}): Running => {
  const { path } = runtime()
  const box = sandbox()
  const { caller } = box
  const before = box.denied === 'over' ? [] : denying()
  const running =
    caller === undefined
      ? begin([...before, path, ...args], options)
      : begin([caller.path(path), ...args], {
          ...options,
          // Denied by root: a user's own filter would need no_new_privs, and newuidmap would have no privileges.
          within: [...before, ...caller.within, ...(options.within ?? [])],
        })
  void running.exited.then(
    (outcome) => {
      if (box.denied !== 'over' && refuses(outcome)) box.denied = 'refused'
    },
    () => undefined,
  )
  return running
}

/** Runs the runtime to its end, whatever its status. */
export const callRuntime = (args: readonly string[], options: SpawnOptions = {}): Promise<Outcome> =>
  launchRuntime(args, options).exited

const endChildren = async (children: readonly ChildProcess[]): Promise<void> => {
  for (const child of children.filter(alive)) {
    child.kill('SIGKILL')
  }
  await eventually('the end of the helpers', () => !children.some(alive))
}

/** Deletes what the test has not deleted itself. Returns what went wrong. */
const deleteContainers = async (box: Sandbox): Promise<string[]> => {
  box.denied = 'over'
  const inRoot = existsSync(box.marks.root) ? readdirSync(box.marks.root) : []
  const problems: string[] = []
  for (const id of [...box.containers].filter((candidate) => inRoot.includes(candidate))) {
    try {
      const outcome = await callRuntime(['delete', '--force', id])
      if (outcome.status !== 0) {
        problems.push(`delete --force ${id}: status ${outcome.status}: ${outcome.stderr.trim()}`)
      }
    } catch (error) {
      problems.push(String(error))
    }
  }
  return problems
}

/** After it nothing below the directory is of another file system: it can be removed without a look at what it removes. */
const unmountBelow = (directory: string): void => {
  const inside = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'))
    .filter((mount) => mount.target.startsWith(directory))
    .toReversed()
  for (const mount of inside) {
    execFileSync('umount', ['-l', mount.target])
  }
}

/** Ends the test's programs and containers and removes its directory. Returns what the runtime left behind. */
export const closeSandbox = async (box: Sandbox): Promise<string[]> => {
  const problems = [...handedOn(startedProcesses(box.marks)), ...(await deleteContainers(box))]
  await endChildren([...box.children].filter((child) => !box.reapers.has(child)))
  for (const program of box.programs) {
    await program.kill('SIGKILL').catch(() => undefined)
    await program.exited.catch(() => undefined)
  }
  for (const step of box.undo.toReversed()) {
    step()
  }
  const left = await leftovers(box.before, box.marks)
  removeCgroupsNamed(box.tag)
  await endChildren([...box.reapers])
  unmountBelow(box.directory)
  rmSync(box.directory, { recursive: true, force: true })
  open = undefined
  return [...problems, ...left]
}

/** What the runtime has left so far, for a test that looks in the middle. Retries for a moment while processes end. */
export const leftSoFar = async (): Promise<string[]> => {
  const box = sandbox()
  for (let round = 0; ; round++) {
    const left = leftNow(box.before, box.marks)
    if (left.length === 0 || round >= patient(20)) {
      return left
    }
    await delay(50)
  }
}
