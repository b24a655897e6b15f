import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeBusyboxRoot, writeConfig } from './bundle'
import { type ConfigChoice, defaultConfig, engineConfig } from './configs'
import type { Runtime } from './runtimes'

/** Bundles that differ in what runs and in how much is asked of the runtime. */
export type BundleName = 'true' | 'sleep' | 'engine' | 'steady' | 'many'

/** statfs(2) f_type of tmpfs. */
const TMPFS = 0x01021994

/** Where runtimes keep their state: on a tmpfs, as /run is wherever an init has mounted it. */
const statesFolder = (): string => (statfsSync('/run').type === TMPFS ? '/run' : '/dev/shm')

/** Everything that the measurements leave on disk and in the cgroup tree, so that all of it can be removed. */
export class Workplace {
  /** Prefix of every container's id and cgroup. */
  readonly prefix = `tsrunc-bench-${process.pid}`
  readonly folder = mkdtempSync(join(tmpdir(), 'tsrunc-bench-'))
  readonly rootfs = join(this.folder, 'rootfs')
  readonly #states = join(statesFolder(), this.prefix)
  readonly #kept: { readonly runtime: Runtime; readonly id: string }[] = []

  /** @param syscalls names of the system calls that libseccomp knows here. */
  constructor(syscalls: readonly string[], runtimes: readonly Runtime[]) {
    makeBusyboxRoot(this.rootfs)
    for (const runtime of runtimes) {
      mkdirSync(this.stateRoot(runtime), { recursive: true, mode: 0o700 })
      const choice = (args: readonly string[], id = this.id(runtime)): ConfigChoice => ({
        rootfs: this.rootfs,
        cgroupsPath: `/${id}`,
        args,
      })
      writeConfig(this.bundle(runtime, 'true'), defaultConfig(choice(['/bin/true'])))
      writeConfig(this.bundle(runtime, 'sleep'), defaultConfig(choice(['/bin/sleep', '1000'])))
      const steady = choice(['/bin/sleep', '1000'], this.steadyId(runtime))
      writeConfig(this.bundle(runtime, 'steady'), defaultConfig(steady))
      // Without a path of its own each container has the cgroup that its id gives it.
      const many = defaultConfig(choice(['/bin/true']))
      const { cgroupsPath: _, ...linux } = many.linux
      writeConfig(this.bundle(runtime, 'many'), { ...many, linux })
      writeConfig(this.bundle(runtime, 'engine'), engineConfig(choice(['/bin/true']), syscalls))
    }
  }

  /** The id of the containers that come and go: one at a time, so one is enough. */
  id(runtime: Runtime): string {
    return `${this.prefix}-${runtime.name}`
  }

  /** The id of one of those that run at once or wait beside others. */
  numbered(runtime: Runtime, number: number | string): string {
    return `${this.id(runtime)}-${number}`
  }

  /** The id of the container that runs all the time. */
  steadyId(runtime: Runtime): string {
    return `${this.id(runtime)}-steady`
  }

  /** A container of that name may be there until all is removed. */
  keep(runtime: Runtime, id: string): void {
    this.#kept.push({ runtime, id })
  }

  bundle(runtime: Runtime, name: BundleName): string {
    return join(this.folder, runtime.name, name)
  }

  stateRoot(runtime: Runtime): string {
    return join(this.#states, runtime.name)
  }

  file(name: string): string {
    return join(this.folder, name)
  }

  /** Removes a container that a failed measurement may have left. */
  discard(runtime: Runtime, id = this.id(runtime)): void {
    const argv = ['--root', this.stateRoot(runtime), 'delete', '--force', id]
    spawnSync(runtime.path, argv, { stdio: 'ignore' })
  }

  /** Removes everything. @returns the cgroups that runtimes had left behind, which is a finding. */
  remove(runtimes: readonly Runtime[], floorPrefix: string): readonly string[] {
    for (const runtime of runtimes) {
      this.discard(runtime)
      this.discard(runtime, this.steadyId(runtime))
    }
    for (const { runtime, id } of this.#kept) this.discard(runtime, id)
    const left = cgroupsNamed((name) => name.startsWith(this.prefix) || name.startsWith(floorPrefix))
    for (const path of left) rmdirSync(path)
    rmSync(this.#states, { recursive: true, force: true })
    rmSync(this.folder, { recursive: true, force: true })
    return left
  }
}

/** Cgroups right below a hierarchy's root, or below the root of v2. */
function cgroupsNamed(matches: (name: string) => boolean): readonly string[] {
  const root = '/sys/fs/cgroup'
  const folders = (path: string) => readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const candidates = folders(root).flatMap((entry) => {
    const path = join(root, entry.name)
    return [path, ...folders(path).map((child) => join(path, child.name))]
  })
  return candidates.filter((path) => matches(path.slice(path.lastIndexOf('/') + 1)))
}
