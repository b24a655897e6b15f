import type { Spec } from '../spec/types'
import { MS } from '../tables/mount-flags'
import type { PlanBuilder } from './builder'
import { mappedId } from './id-maps'
import { parseMountOptions } from './mount-options'
import type { Op } from './ops'
import { cleanPath, isWithin } from './paths'

/** Where config-linux.md "Cgroup ownership" wants the mount. */
const PLACE = '/sys/fs/cgroup'

/** Whether the container's processes find a writable cgroup file system at {@link PLACE}. */
function mountsWritable({ mounts = [], linux }: Spec): boolean {
  const last = mounts.findLastIndex(({ destination }) => isWithin(PLACE, cleanPath(destination)))
  const mount = mounts[last]
  if (mount === undefined || cleanPath(mount.destination) !== PLACE) return false
  const { type = '' } = mount
  const { bind, remount, flags } = parseMountOptions(mount)
  const covered = [...(linux?.readonlyPaths ?? []), ...(linux?.maskedPaths ?? [])]
  return (
    (type === 'cgroup' || type === 'cgroup2') &&
    !bind &&
    !remount &&
    (flags & MS.RDONLY) === 0n &&
    !covered.some((path) => isWithin(PLACE, cleanPath(path)))
  )
}

/**
 * config-linux.md "Cgroup ownership": on v2, with a cgroup namespace of its own and a writable cgroup file system, the user
 * of the container's process gets its cgroup, so that it can divide it further. Which of the host's users that is, the
 * engine reads from init's user namespace, new or joined.
 */
export function planCgroupOwner(builder: PlanBuilder, list: Op[]): void {
  giveAway(builder, list, builder.cgroup.directory)
}

/** The same for the directory that its process is moved into. */
export function planDelegatedOwner(builder: PlanBuilder, list: Op[]): void {
  giveAway(builder, list, builder.cgroup.delegated)
}

function giveAway({ facts, idMaps, namespaces, spec }: PlanBuilder, list: Op[], path: string): void {
  if (facts.cgroup.version !== 2 || path === '' || namespaces.kinds.cgroup !== 'new') return
  const uid = spec.process?.user?.uid
  // Root of the host made it and has it.
  const isOwner = uid === 0 && namespaces.kinds.user === 'host'
  if (uid === undefined || isOwner || !mountsWritable(spec)) return
  // chown(2): an unprivileged caller can give its cgroup to nobody else; root of the container is itself.
  if (facts.euid !== 0 && mappedId(idMaps?.uids ?? [], uid) !== facts.euid) return
  list.push({
    kind: 'chownCgroup',
    pointer: '/process/user/uid',
    what: `give the cgroup to user ${uid} of the container`,
    path,
    uid,
  })
}
