import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { posix } from 'node:path'
import type { CgroupFacts, CgroupV1Hierarchy, DelegatedCgroup } from './facts'
import { type Memory, NO_MEMORY } from './memory'
import { type HostView, OWN_VIEW } from './view'

/** f_type of a cgroup2 file system (statfs(2)). */
const CGROUP2_SUPER_MAGIC = 0x63677270

/** What is the same for every caller. */
interface CgroupHost {
  /** Where cgroups are mounted. */
  readonly mountPoint: string
  /** proc(5)'s directory of this process, whose mounts and cgroup namespace are the caller's. */
  readonly proc: string
  /** f_type of the file system at a path. */
  readonly fileSystemType: (path: string) => number
}

/** What of the host is looked at: the real one, or a test's. */
export interface CgroupSources extends CgroupHost {
  readonly view: Pick<HostView, 'ownText' | 'text' | 'looksBeyond'>
}

export const REAL_CGROUP_SOURCES: CgroupSources = {
  mountPoint: '/sys/fs/cgroup',
  view: OWN_VIEW,
  proc: '/proc/self',
  fileSystemType: (path) => statfsSync(path).type,
}

/** One line of /proc/self/cgroup (cgroups(7)). */
interface Membership {
  readonly controllers: readonly string[]
  readonly path: string
}

export function parseMemberships(text: string): readonly Membership[] {
  const out: Membership[] = []
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line)
    const [, controllers, path] = match ?? []
    if (controllers === undefined || path === undefined) continue
    out.push({ controllers: controllers === '' ? [] : controllers.split(','), path })
  }
  return out
}

/** Mount points of v1 hierarchies by controller, from /proc/self/mountinfo: only for hosts that mount them elsewhere. */
function mountPointsByController(mountinfo: string): ReadonlyMap<string, string> {
  const out = new Map<string, string>()
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ')
    const [fstype, , superOptions] = after?.split(' ') ?? []
    const mountPoint = before?.split(' ')[4]
    if (fstype !== 'cgroup' || mountPoint === undefined || superOptions === undefined) continue
    for (const option of superOptions.split(',')) out.set(option, mountPoint)
  }
  return out
}

/**
 * The directory of a v1 hierarchy. systemd mounts "cpu,cpuacct" under that name and links cpu and cpuacct to it; others
 * mount one controller a directory; "name=systemd" is mounted at systemd.
 */
function hierarchyDirectory(
  sources: CgroupHost,
  entries: ReadonlySet<string>,
  controllers: readonly string[],
): string | undefined {
  const names = [controllers.join(','), ...controllers].map((name) => name.replace(/^name=/, ''))
  for (const name of names) {
    const directory = `${sources.mountPoint}/${name}`
    // An empty directory may stand where nothing is mounted.
    if (entries.has(name) && existsSync(`${directory}/cgroup.procs`)) return directory
  }
  return undefined
}

function probeV1(sources: CgroupHost, memberships: readonly Membership[]): readonly CgroupV1Hierarchy[] {
  const entries = new Set(readdirSync(sources.mountPoint))
  let elsewhere: ReadonlyMap<string, string> | undefined
  const hierarchies: CgroupV1Hierarchy[] = []
  for (const { controllers } of memberships) {
    const [first] = controllers
    if (first === undefined) continue
    let mountPoint = hierarchyDirectory(sources, entries, controllers)
    if (mountPoint === undefined) {
      elsewhere ??= mountPointsByController(readFileSync(`${sources.proc}/mountinfo`, 'utf8'))
      mountPoint = elsewhere.get(first)
    }
    if (mountPoint !== undefined) hierarchies.push({ mountPoint, controllers })
  }
  return hierarchies
}

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '')

/** Whether this process may write to all of these: by the kernel's rules, for whoever it is. */
function mayWrite(...paths: readonly string[]): boolean {
  try {
    for (const path of paths) accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/**
 * cgroup-v2.rst "Delegation Containment": a process is moved only by who may write to cgroup.procs of the two cgroups' common
 * ancestor. So those count that are the caller's own cgroup or above it, up to where the delegation ends.
 */
function probeDelegated({ mountPoint }: CgroupSources, own: string): readonly DelegatedCgroup[] {
  const found: DelegatedCgroup[] = []
  // "/..": the caller is outside of what its cgroup namespace shows.
  if (own.startsWith('/..')) return found
  for (let path = own; ; path = posix.dirname(path)) {
    const directory = posix.join(mountPoint, path)
    if (mayWrite(directory, `${directory}/cgroup.procs`, `${directory}/cgroup.subtree_control`)) {
      found.push({ path, controllers: words(readFileSync(`${directory}/cgroup.controllers`, 'utf8')) })
    } else if (found.length > 0) return found
    if (path === '/') return found
  }
}

/** f_type of what is mounted for cgroups; undefined where nothing is, or the kernel has none. */
const typeOf = ({ mountPoint, proc, fileSystemType }: CgroupHost): number | undefined =>
  existsSync(mountPoint) && existsSync(`${proc}/cgroup`) ? fileSystemType(mountPoint) : undefined

// Functions of their own: what is remembered is to keep nothing of the caller whom it was found for.
const typeProbe = (host: CgroupHost) => (): number | undefined => typeOf(host)
const hierarchiesProbe = (host: CgroupHost, memberships: readonly Membership[]) => (): readonly CgroupV1Hierarchy[] =>
  probeV1(host, memberships)

/**
 * How cgroups are laid out here, by few and cheap reads: no mount table on the usual hosts. `limited`: the caller is not
 * root of the initial user namespace, and it has to be looked for what it may do.
 */
export function probeCgroups(
  sources: CgroupSources = REAL_CGROUP_SOURCES,
  limited = false,
  memory: Memory = NO_MEMORY,
): CgroupFacts {
  const { mountPoint, proc, fileSystemType } = sources
  const host = { mountPoint, proc, fileSystemType }
  const type = memory.fact('type of cgroups', typeProbe(host))
  if (type === undefined) return { version: 0 }
  const { view } = sources
  const text = view.ownText('cgroup')
  // What the caller may write to.
  if (limited) view.looksBeyond()
  if (type === CGROUP2_SUPER_MAGIC) {
    const own = parseMemberships(text).find((membership) => membership.controllers.length === 0)?.path ?? '/'
    return {
      version: 2,
      mountPoint: sources.mountPoint,
      controllers: words(view.text(`${sources.mountPoint}/cgroup.controllers`)),
      own,
      ...(limited ? { delegated: probeDelegated(sources, own) } : {}),
    }
  }
  // Which hierarchies there are: a path in them is the caller's own.
  const key = `hierarchies ${text.replace(/^(\d+:[^:\n]*):.*$/gm, '$1')}`
  const all = memory.fact(key, hierarchiesProbe(host, parseMemberships(text)))
  const hierarchies = limited ? all.map((one) => ({ ...one, refused: !mayWrite(one.mountPoint) })) : all
  return hierarchies.length === 0 ? { version: 0 } : { version: 1, hierarchies }
}

/** The mount point of the v1 hierarchy with this controller. */
export function controllerDirectory(facts: CgroupFacts, controller: string): string | undefined {
  if (facts.version !== 1) return undefined
  return facts.hierarchies.find((hierarchy) => hierarchy.controllers.includes(controller))?.mountPoint
}

/**
 * Names of the files that a cgroup below `directory` has. Files that the root does not show
 * ("blkio.bfq.weight") are found in the first child that there is.
 */
export function freshCgroupFiles(directory: string): readonly string[] {
  const names = new Set<string>()
  const entries = readdirSync(directory, { withFileTypes: true })
  for (const entry of entries) if (entry.isFile()) names.add(entry.name)
  const child = entries.find((entry) => entry.isDirectory())
  if (child !== undefined) {
    for (const entry of readdirSync(`${directory}/${child.name}`, { withFileTypes: true })) {
      if (entry.isFile()) names.add(entry.name)
    }
  }
  // The scheduler registers its files together; the weight alone is not shown in the root.
  if (names.has('blkio.bfq.io_service_bytes')) names.add('blkio.bfq.weight')
  return [...names].sort()
}
