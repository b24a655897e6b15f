import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** Where one bundle is made and run: everything that stands in for a path of the other machine lies here. */
export class Place {
  readonly id: string
  readonly folder: string
  readonly rootfs: string
  readonly state: string
  /** The name of its cgroup, right below the root of each hierarchy. */
  readonly cgroup: string

  constructor(number: number) {
    this.id = `try-bundles-${process.pid}-${number}`
    this.folder = mkdtempSync(join(tmpdir(), 'try-bundles-'))
    // A container's user of another id range must be able to pass.
    chmodSync(this.folder, 0o711)
    this.rootfs = join(this.folder, 'rootfs')
    this.state = join(this.folder, 'state')
    this.cgroup = this.id
    mkdirSync(this.rootfs)
  }

  /** An empty file, or a text. @returns its path. */
  file(name: string, content = ''): string {
    const path = join(this.folder, name)
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    writeFileSync(path, content)
    return path
  }

  directory(name: string): string {
    const path = join(this.folder, name)
    mkdirSync(path, { recursive: true, mode: 0o755 })
    return path
  }

  /** Gives everything below `path` to `uid` and `gid`, links themselves and not what they point to. */
  static give(path: string, uid: number, gid: number): void {
    chownSync(path, uid, gid)
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name)
      if (entry.isDirectory()) Place.give(child, uid, gid)
      else if (entry.isFile()) chownSync(child, uid, gid)
    }
  }

  /** Removes it all. @returns cgroups that the runtime had left behind. */
  remove(): readonly string[] {
    const left = cgroupsOf(this.id)
    for (const path of left) rmdirSync(path)
    rmSync(this.folder, { recursive: true, force: true })
    return left
  }
}

/** Cgroups named `name`, deepest first. A runtime may put one below its own cgroup when the configuration names none. */
function cgroupsOf(name: string): readonly string[] {
  const search = (folder: string): readonly string[] =>
    subfolders(folder).flatMap((path) => [...search(path), ...(basename(path).includes(name) ? [path] : [])])
  return search('/sys/fs/cgroup')
}

/** None of a folder that is gone: cgroups of others come and go. */
function subfolders(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
