import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { cgroupsNamed, hierarchyOf, removeCgroupsNamed } from '../lib/cgroups'
import { delay, type Running, start } from '../lib/spawn'
import { judge, type Verdict } from './tap'

/** One program of the suite, run against one runtime. */
export interface Run extends Verdict {
  readonly program: string
  /** What was there of its containers when all of them had been deleted. */
  readonly left: readonly string[]
  /** Everything that it printed. */
  readonly output: string
}

/** A runtime and what it may keep in its root directory. */
export interface Subject {
  readonly path: string
  readonly keptInRoot: RegExp
}

/** Milliseconds; the slowest take about 20 s. */
const TIMEOUT = 180_000

/** Programs that use one cgroup of a fixed name: never two at a time, whatever the runtime. */
const SHARES_A_CGROUP = /^(linux_cgroups_|delete_resources|delete_only_create_resources)/

/** That cgroup, with an absolute and with a relative path. */
const CGROUPS: readonly string[] = ['cgrouptest', 'testdir']

/** Whether two runs of the program would meet in one cgroup. */
export const needsTurn = (program: string): boolean => SHARES_A_CGROUP.test(program)

/** What is put before a program for the controllers that it needs and the host does not mount. */
const controllersFor = (program: string, directory: string): string[] =>
  /^linux_cgroups_(relative_)?network$/.test(program) &&
  (hierarchyOf('net_cls') === undefined || hierarchyOf('net_prio') === undefined)
    ? [join(__dirname, 'network-controllers'), join(directory, 'leftovers')]
    : []

/** The cgroups that were left in those. */
const leftInControllers = (directory: string): string[] => {
  const leftovers = join(directory, 'leftovers')
  return existsSync(leftovers) ? readFileSync(leftovers, 'utf8').split('\n').filter(Boolean) : []
}

/** The programs call the runtime without --root: this keeps containers of others apart, and notes the calls. */
const wrap = (subject: Subject, directory: string): string => {
  const wrapper = join(directory, 'runtime')
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
  writeFileSync(
    wrapper,
    `#!/bin/sh
printf '%s\\n' "$*" >>${quoted(join(directory, 'calls'))}
exec ${quoted(subject.path)} --root ${quoted(join(directory, 'state'))} "$@"
`,
    { mode: 0o755 },
  )
  return wrapper
}

/** The identifiers that the runtime was called with: the suite's are UUIDs. */
const containersOf = (directory: string): string[] => {
  const calls = join(directory, 'calls')
  const text = existsSync(calls) ? readFileSync(calls, 'utf8') : ''
  return [...new Set(text.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [])]
}

const stateOf = (directory: string, subject: Subject): string[] => {
  const state = join(directory, 'state')
  return existsSync(state) ? readdirSync(state).filter((name) => !subject.keptInRoot.test(name)) : []
}

const isOver = (running: Running): boolean => running.reaper.exitCode !== null || running.reaper.signalCode !== null

/** Everything below the reaper: the program, the runtime, the containers. */
const processesOf = (pid: number): string[] => {
  const children = `/proc/${pid}/task/${pid}/children`
  const pids = existsSync(children) ? readFileSync(children, 'utf8').trim().split(' ').filter(Boolean).map(Number) : []
  return pids.flatMap((child) => {
    const command = readFileSync(`/proc/${child}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return [`process ${child}: ${command}`, ...processesOf(child)]
  })
}

/** Deletes the containers that the program did not delete, and tells what stays nevertheless. */
const clean = async (running: Running, directory: string, subject: Subject): Promise<string[]> => {
  const problems: string[] = []
  for (const id of stateOf(directory, subject)) {
    try {
      execFileSync(join(directory, 'runtime'), ['delete', '--force', id], { stdio: 'pipe', timeout: 20_000 })
    } catch (error) {
      problems.push(`delete --force ${id}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  for (let round = 0; round < 100 && !isOver(running); round++) {
    await delay(20)
  }
  if (!isOver(running)) {
    problems.push(...processesOf(running.reaper.pid ?? 0))
    running.reaper.kill('SIGKILL')
  }
  const cgroups = [...containersOf(directory).flatMap((id) => cgroupsNamed(id)), ...leftInControllers(directory)]
  const state = stateOf(directory, subject).map((name) => `in the root directory: ${name}`)
  return [...problems, ...cgroups.map((path) => `cgroup ${path}`), ...state]
}

/**
 * Runs a program of the suite in a mount namespace of its own (some of its containers have none) under a process that
 * adopts what it leaves (a zombie would still count as there).
 *
 * @param suite the folder with `programs/`, `runtimetest` and the root file system
 */
export const runProgram = async (suite: string, program: string, subject: Subject): Promise<Run> => {
  const directory = mkdtempSync(join(tmpdir(), `oci-suite-${basename(subject.path)}-`))
  chmodSync(directory, 0o755)
  mkdirSync(join(directory, 'tmp'))
  const namespace = ['unshare', '--mount', '--propagation', 'private']
  const command = [...namespace, ...controllersFor(program, directory), join(suite, 'programs', program)]
  const environment = { PATH: process.env['PATH'] ?? '', HOME: '/root', TMPDIR: join(directory, 'tmp') }
  const running = start(command, join(directory, 'output'), {
    cwd: suite,
    env: { ...environment, RUNTIME: wrap(subject, directory) },
    timeout: TIMEOUT,
  })
  const verdict = await running.exited.then(
    ({ status, stdout, stderr }) => judge(status, stdout, stderr),
    (error: unknown) => ({ passed: false, why: error instanceof Error ? error.message : String(error) }),
  )
  const left = await clean(running, directory, subject)
  // Directories above a container's cgroup, which runc and crun keep.
  for (const name of [...containersOf(directory), ...(needsTurn(program) ? CGROUPS : [])]) {
    removeCgroupsNamed(name)
  }
  const output = `${running.stdout()}${running.stderr()}`
  rmSync(directory, { recursive: true, force: true })
  return { program, ...verdict, left, output }
}
