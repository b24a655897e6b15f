import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseMountinfo } from './mountinfo'

/** One cgroup hierarchy of this host. */
export interface Hierarchy {
  readonly mount: string
  readonly version: 1 | 2
  /** v1: the controllers or `name=…`; v2: those of cgroup.controllers at its root. */
  readonly controllers: readonly string[]
}

const NOT_CONTROLLERS = /^(rw|ro|relatime|noatime|nosuid|nodev|noexec|xattr|release_agent=.*|clone_children)$/

const probeHierarchies = (): Hierarchy[] => {
  const seen = new Map<string, Hierarchy>()
  for (const mount of parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'))) {
    if (mount.type === 'cgroup') {
      const controllers = mount.superOptions.filter((word) => !NOT_CONTROLLERS.test(word))
      seen.set(mount.device, { mount: mount.target, version: 1, controllers })
    } else if (mount.type === 'cgroup2') {
      const controllers = readFileSync(join(mount.target, 'cgroup.controllers'), 'utf8').trim().split(' ')
      seen.set(mount.device, { mount: mount.target, version: 2, controllers: controllers.filter((c) => c !== '') })
    }
  }
  return [...seen.values()]
}

let found: Hierarchy[] | undefined

export const hierarchies = (): Hierarchy[] => {
  found ??= probeHierarchies()
  return found
}

/** 2 only where nothing but cgroup2 is mounted. */
export const cgroupVersion = (): 1 | 2 => (hierarchies().every((hierarchy) => hierarchy.version === 2) ? 2 : 1)

export const hierarchyOf = (controller: string): Hierarchy | undefined =>
  hierarchies().find((hierarchy) => hierarchy.version === cgroupVersion() && hierarchy.controllers.includes(controller))

/**
 * The directory of a cgroup for one controller.
 *
 * @param path as in config.json's cgroupsPath, absolute
 * @throws Error when the controller is not mounted
 */
export const cgroupDirectory = (controller: string, path: string): string => {
  const hierarchy = hierarchyOf(controller)
  if (hierarchy === undefined) {
    throw new Error(`no cgroup hierarchy has the controller ${controller}`)
  }
  return join(hierarchy.mount, path)
}

/** A file of a cgroup, without its last line end. */
export const readCgroup = (controller: string, path: string, file: string): string =>
  readFileSync(join(cgroupDirectory(controller, path), file), 'utf8').trimEnd()

const walk = (directory: string, depth: number, wanted: (name: string) => boolean, into: string[]): void => {
  let entries: string[]
  try {
    entries = readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
  } catch {
    return
  }
  for (const name of entries) {
    const path = join(directory, name)
    if (wanted(name)) {
      into.push(path)
      walk(path, depth - 1, () => true, into)
    } else if (depth > 0) {
      walk(path, depth - 1, wanted, into)
    }
  }
}

/** Every cgroup directory whose own or whose parent's name contains the text, parents first. */
export const cgroupsNamed = (text: string): string[] => {
  const found: string[] = []
  for (const hierarchy of hierarchies()) {
    walk(hierarchy.mount, 4, (name) => name.includes(text), found)
  }
  return found.filter((path) => existsSync(path))
}

/** Removes every cgroup directory that {@link cgroupsNamed} finds and that is empty. */
export const removeCgroupsNamed = (text: string): void => {
  for (const path of cgroupsNamed(text).toReversed()) {
    try {
      rmdirSync(path)
    } catch {
      // A process is still in it: that has been reported.
    }
  }
}

/** This process's own cgroup for a controller (v2: the unified one). */
export const ownCgroup = (controller: string): string => {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n')
  const line = lines.find((candidate) => {
    const [, names = ''] = candidate.split(':')
    return cgroupVersion() === 2 ? candidate.startsWith('0::') : names.split(',').includes(controller)
  })
  return line?.split(':').slice(2).join(':') ?? '/'
}
