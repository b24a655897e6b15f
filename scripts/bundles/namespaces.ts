import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Place } from './place'

/** Namespace types of config.json: unshare(1)'s option and the name in /proc/PID/ns. */
const TYPES: Readonly<Record<string, { readonly option: string; readonly file: string }>> = {
  pid: { option: '--pid', file: 'pid' },
  network: { option: '--net', file: 'net' },
  ipc: { option: '--ipc', file: 'ipc' },
  uts: { option: '--uts', file: 'uts' },
  mount: { option: '--mount', file: 'mnt' },
  cgroup: { option: '--cgroup', file: 'cgroup' },
}
const START_TIMEOUT_MS = 5_000

/** Somebody else's namespaces, to be joined: those of a process that sleeps in new ones of the given types. */
export class NeighbourNamespaces {
  readonly #place: Place
  readonly #unshare: ChildProcess
  readonly #pid: number
  readonly #mounted: string[] = []

  private constructor(place: Place, unshare: ChildProcess, pid: number) {
    this.#place = place
    this.#unshare = unshare
    this.#pid = pid
  }

  /** @throws Error when a type is not one that unshare(1) can make here. */
  static async make(place: Place, types: readonly string[]): Promise<NeighbourNamespaces> {
    const known = types.map((type) => {
      const entry = TYPES[type]
      if (entry === undefined) throw new Error(`cannot make a ${type} namespace to be joined`)
      return entry
    })
    const options = [...known.map(({ option }) => option), '--fork', '--kill-child', 'sleep', 'infinity']
    const unshare = spawn('unshare', options, { stdio: 'ignore' })
    return new NeighbourNamespaces(place, unshare, await sleeperBelow(unshare))
  }

  /** The path of one of them, of the same kind as `original`: of a process in /proc, or a mounted file. */
  path(type: string, original: string): string {
    const live = `/proc/${this.#pid}/ns/${TYPES[type]?.file}`
    if (original.startsWith('/proc/')) return live
    const file = this.#place.file(`namespaces/${type}`)
    execFileSync('mount', ['--bind', live, file])
    this.#mounted.push(file)
    return file
  }

  async remove(): Promise<void> {
    for (const file of this.#mounted) execFileSync('umount', [file])
    const ended = new Promise((resolve) => this.#unshare.once('exit', resolve))
    this.#unshare.kill('SIGKILL') // and with --kill-child, the sleeper
    await ended
  }
}

/** The pid of the process that `unshare --fork` started, once it sleeps. */
async function sleeperBelow(unshare: ChildProcess): Promise<number> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline && unshare.exitCode === null && unshare.pid !== undefined) {
    const child = childrenOf(unshare.pid)[0]
    if (child !== undefined && readlinkSync(`/proc/${child}/exe`).endsWith('/sleep')) return child
    await sleep(10)
  }
  unshare.kill('SIGKILL')
  throw new Error('unshare made no namespaces')
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}
