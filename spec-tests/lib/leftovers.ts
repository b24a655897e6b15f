import type { ChildProcess } from 'node:child_process'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupsNamed } from './cgroups'
import { parseMountinfo } from './mountinfo'
import { patient } from './patience'
import { runtime } from './runtime'
import { delay } from './spawn'

/** What was there before a test. */
export interface Snapshot {
  readonly pids: ReadonlySet<number>
  readonly mounts: ReadonlySet<number>
}

/** What is found of one test afterwards, in words, and how to remove it. */
interface Leftover {
  readonly text: string
  readonly remove: () => void
}

/** How a test's own things are recognised, on a machine where others work too. */
export interface Marks {
  /** Occurs in every identifier, path and environment of the test. */
  readonly tag: string
  /** The directory given to --root. */
  readonly root: string
  /** The runtime's TMPDIR. */
  readonly temporary: string
  /** What adopts the runtime's orphans: everything below them is the runtime's. */
  readonly reapers: ReadonlySet<ChildProcess>
  /** Programs of the test, which may still run while it looks. */
  readonly children: ReadonlySet<ChildProcess>
  /** Directories above a container's cgroup, which some runtimes keep. */
  readonly cgroupParents: readonly string[]
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const link = (path: string): string => {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

const allPids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

const ownMountinfo = (): string => read('/proc/self/mountinfo')

export const takeSnapshot = (): Snapshot => ({
  pids: new Set(allPids()),
  mounts: new Set(parseMountinfo(ownMountinfo()).map((mount) => mount.id)),
})

/**
 * By its environment, arguments, cgroup, program or directories, or by the root of its mount namespace: each runtime's helpers show at
 * least one. Other mounts of a test are seen by everybody in the host's namespace, and by who copied it: they prove nothing.
 */
const belongsTo = (pid: number, tag: string): boolean => {
  const base = `/proc/${pid}`
  return (
    ['cmdline', 'environ', 'cgroup'].some((name) => read(join(base, name)).includes(tag)) ||
    ['exe', 'cwd', 'root'].some((name) => link(join(base, name)).includes(tag)) ||
    parseMountinfo(read(join(base, 'mountinfo'))).some((mount) => mount.target === '/' && mount.root.includes(tag))
  )
}

/** Whether the process can still do something: one that waits to be reaped cannot. */
export const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/\) [ZX] /.test(read(`/proc/${pid}/stat`))

const descendants = (pid: number): number[] => {
  const children = read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((word) => word !== '')
    .map(Number)
  return children.flatMap((child) => [child, ...descendants(child)])
}

/** Without those that have ended: their numbers may be somebody else's by now. */
const living = (programs: ReadonlySet<ChildProcess>): number[] =>
  [...programs]
    .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
    .map(({ pid }) => pid ?? 0)

/** What the runtime has started and is there still. */
export const startedProcesses = (marks: Marks): number[] => living(marks.reapers).flatMap(descendants)

const processes = (before: Snapshot, marks: Marks): Leftover[] => {
  const reapers = living(marks.reapers)
  const adopted = new Set(startedProcesses(marks))
  const own = living(marks.children)
  return allPids()
    .filter((pid) => !before.pids.has(pid) && pid !== process.pid && !reapers.includes(pid) && !own.includes(pid))
    .filter((pid) => (adopted.has(pid) || belongsTo(pid, marks.tag)) && isAlive(pid))
    .map((pid) => ({
      text: `process ${pid}: ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')} (${read(`/proc/${pid}/comm`).trim()})`,
      remove: () => {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It ended by itself.
        }
      },
    }))
}

/** Places where no other test of this machine mounts anything. */
const SYSTEM = /^\/(dev|proc|sys|bin|sbin|usr|lib|etc)(\/|$)/

const mounts = (before: Snapshot, tag: string): Leftover[] =>
  parseMountinfo(ownMountinfo())
    .filter((mount) => !before.mounts.has(mount.id))
    .filter((mount) => mount.target.includes(tag) || mount.root.includes(tag) || SYSTEM.test(mount.target))
    .toReversed()
    .map((mount) => ({
      text: `mount ${mount.target} (${mount.type} ${mount.source})`,
      remove: () => execFileSync('umount', ['-l', mount.target], { stdio: 'ignore' }),
    }))

const cgroups = (marks: Marks): Leftover[] =>
  cgroupsNamed(marks.tag)
    .filter(
      (path) => !(runtime().quirks.keepsCgroupParents && marks.cgroupParents.some((parent) => path.endsWith(parent))),
    )
    .toReversed()
    .map((path) => ({ text: `cgroup ${path}`, remove: () => rmdirSync(path) }))

const DEFAULT_ROOTS = ['/run/tsrunc', '/run/runc', '/run/crun', '/run/youki', '/run', '/tmp', '/dev/shm', '/var/run']

const files = (marks: Marks): Leftover[] => {
  const inRoot = existsSync(marks.root) ? readdirSync(marks.root) : []
  const kept = runtime().quirks.keptInRoot
  const state = inRoot
    .filter((name) => !kept.some((pattern) => pattern.test(name)))
    .map((name) => join(marks.root, name))
  const temporary = existsSync(marks.temporary) ? readdirSync(marks.temporary) : []
  const elsewhere = DEFAULT_ROOTS.filter((directory) => existsSync(directory)).flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.includes(marks.tag))
      .map((name) => join(directory, name))
      .filter((path) => !marks.root.startsWith(path)),
  )
  return [...state, ...temporary.map((name) => join(marks.temporary, name)), ...elsewhere].map((path) => ({
    text: `file ${path}`,
    remove: () => execFileSync('rm', ['-rf', '--one-file-system', path]),
  }))
}

const keyrings = (tag: string): Leftover[] =>
  read('/proc/keys')
    .split('\n')
    .filter((line) => line.includes(tag))
    .map((line) => ({ text: `keyring ${line}`, remove: () => undefined }))

const find = (before: Snapshot, marks: Marks): Leftover[] => [
  ...processes(before, marks),
  ...mounts(before, marks.tag),
  ...cgroups(marks),
  ...files(marks),
  ...keyrings(marks.tag),
]

const remove = async (before: Snapshot, marks: Marks): Promise<void> => {
  for (let round = 0; round < 20; round++) {
    const left = find(before, marks)
    for (const item of left) {
      try {
        item.remove()
      } catch {
        // The next round tries again, when what held it is gone.
      }
    }
    if (left.length === 0) {
      return
    }
    await delay(20)
  }
}

/**
 * Everything of this test that outlived it; it is removed before the call returns. A process that is ending, or a key that
 * waits for the kernel's collector, gets a second.
 */
export const leftovers = async (before: Snapshot, marks: Marks): Promise<string[]> => {
  const begin = Date.now()
  // A session keyring outlives its process by some milliseconds: short pauses first, for nearly every test waits for one.
  for (let pause = 5; ; pause = Math.min(2 * pause, 50)) {
    const left = find(before, marks).map((item) => item.text)
    if (left.length === 0) {
      return []
    }
    // A process that the OOM killer ended keeps its credentials, and so its keyring, for another two seconds.
    const milliseconds = left.every((text) => text.startsWith('keyring')) ? 5000 : 1000
    if (Date.now() - begin >= patient(milliseconds)) {
      await remove(before, marks)
      return left
    }
    await delay(pause)
  }
}

/** What is there of the test at this moment, without waiting and without removing. */
export const leftNow = (before: Snapshot, marks: Marks): string[] => find(before, marks).map((item) => item.text)
