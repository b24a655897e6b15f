import { posix } from 'node:path'
import { quote, TsruncError } from '../errors'
import type { CgroupV1Hierarchy, HostFacts } from '../host/facts'
import { MS } from '../tables/mount-flags'
import type { PlanBuilder } from './builder'
import { planBind } from './mount-bind'
import { planFileSystem, planFileSystemMount } from './mount-fs'
import { attributesOf } from './mount-options'
import type { MountPlan } from './mount-plan'
import { isWithin } from './paths'

const SAFE = MS.NOSUID | MS.NODEV | MS.NOEXEC

/** The container's own directory in the hierarchy mounted at `mountPoint`, or undefined where it has none. */
const ownDirectory = (builder: PlanBuilder, mountPoint: string): string | undefined =>
  builder.cgroup.paths.find((path) => isWithin(path, mountPoint))

/** A bind mount of a cgroup directory, with the flags of the cgroup mount. */
function bindDirectory(
  builder: PlanBuilder,
  mount: MountPlan,
  flags: bigint,
  source: string,
  destination: string,
): void {
  planBind(builder, {
    pointer: mount.pointer,
    what: mount.what,
    source,
    destination,
    recursive: true,
    set: attributesOf(flags),
    clear: 0n,
    setAll: 0n,
    clearAll: 0n,
    propagation: mount.options.propagation,
  })
}

/**
 * v2: the one hierarchy. In a user namespace without a cgroup namespace of its own the kernel refuses to mount it:
 * then the container's own directory is bound, not the whole hierarchy, whose other directories an unprivileged caller
 * may be allowed to write to (CVE-2023-25809).
 */
function planV2(builder: PlanBuilder, mount: MountPlan, mountPoint: string, own: string): void {
  const { kinds } = builder.namespaces
  if (kinds.cgroup !== 'host' || (kinds.user === 'host' && !builder.facts.inUserNamespace)) {
    planFileSystemMount(builder, mount, 'cgroup2')
    return
  }
  const directory = ownDirectory(builder, mountPoint)
  // Without a cgroup for the container the caller's own one is all that it may see, and nothing that it may change.
  const flags = directory === undefined ? mount.options.flags | MS.RDONLY : mount.options.flags
  bindDirectory(builder, mount, flags, directory ?? posix.join(mountPoint, own), mount.destination)
}

/** Where one hierarchy of v1 is mounted, or false where the container may not see it. */
function mountHierarchy(builder: PlanBuilder, mount: MountPlan, hierarchy: CgroupV1Hierarchy, name: string): boolean {
  const destination = `${mount.destination}/${name}`
  const { flags } = mount.options
  if (builder.namespaces.kinds.cgroup === 'host') {
    const source = ownDirectory(builder, hierarchy.mountPoint)
    // A hierarchy in which the container has no directory would show it the host's.
    if (source === undefined) return false
    bindDirectory(builder, mount, flags, source, destination)
    return true
  }
  planFileSystem(builder, {
    pointer: mount.pointer,
    what: mount.what,
    destination,
    fstype: 'cgroup',
    source: name === 'systemd' ? name : 'cgroup',
    flags: SAFE | (flags & MS.RDONLY),
    data: hierarchy.controllers,
    words: [],
    propagation: [],
    copyUp: false,
  })
  return true
}

function planHierarchy(builder: PlanBuilder, mount: MountPlan, hierarchy: CgroupV1Hierarchy): void {
  const name = posix.basename(hierarchy.mountPoint)
  if (!mountHierarchy(builder, mount, hierarchy, name)) return
  for (const controller of hierarchy.controllers) {
    if (controller === name || controller.startsWith('name=')) continue
    builder.init.push({
      kind: 'makeSymlink',
      pointer: mount.pointer,
      what: `link cgroup controller ${quote(controller)}`,
      target: name,
      path: `${mount.destination}/${controller}`,
      replace: false,
      mustExist: '',
    })
  }
}

/** v1: a tmpfs with one mount for each hierarchy, and links where a hierarchy has several controllers. */
function planV1(builder: PlanBuilder, mount: MountPlan, hierarchies: readonly CgroupV1Hierarchy[]): void {
  const { pointer, what, destination, options } = mount
  if (options.data.length > 0) {
    const words = options.data.map(quote).join(', ')
    builder.warn(`${what}: cgroup v1 takes no options: ${words} (config.json ${pointer}/options)`)
  }
  planFileSystem(builder, {
    pointer,
    what,
    destination,
    fstype: 'tmpfs',
    source: 'tmpfs',
    flags: SAFE,
    data: ['mode=755'],
    words: [],
    propagation: options.propagation,
    copyUp: false,
  })
  for (const hierarchy of hierarchies) planHierarchy(builder, mount, hierarchy)
}

/** The tmpfs that holds v1's hierarchies is to be read-only, which it becomes once everything is in it. */
export const isReadonlyCgroupTree = ({ cgroup }: HostFacts, { type, options }: MountPlan): boolean =>
  cgroup.version === 1 && type === 'cgroup' && !options.bind && !options.remount && (options.flags & MS.RDONLY) !== 0n

/**
 * A mount of type cgroup: whatever cgroups this host has, seen from the container's (runc's and Docker's convention; the
 * file systems are cgroup2 and cgroup).
 *
 * Errors: NO_CGROUPS.
 */
export function planCgroupMount(builder: PlanBuilder, mount: MountPlan): void {
  const { cgroup } = builder.facts
  switch (cgroup.version) {
    case 0: {
      const message = `${mount.what}: this host has no cgroups mounted at /sys/fs/cgroup`
      throw new TsruncError('NO_CGROUPS', message, { pointer: mount.pointer })
    }
    case 1:
      planV1(builder, mount, cgroup.hierarchies)
      return
    case 2:
      planV2(builder, mount, cgroup.mountPoint, cgroup.own)
      return
  }
}
