import type { PlanBuilder } from './builder'
import type { Op } from './ops'

/**
 * Shows what the cgroup is, is paid for by it at length, runs a program, tells the host side how far init is, takes the host's
 * cgroup file systems out of reach, or changes what others may have as well: a limit that is refused is known before.
 */
const needsCgroup = (op: Op): boolean =>
  (op.kind === 'mountFs' && (op.copyUp || op.fstype === 'cgroup' || op.fstype === 'cgroup2')) ||
  op.kind === 'runHook' ||
  op.kind === 'reportToHost' ||
  op.kind === 'writeSysctl' ||
  op.kind === 'pivotRoot' ||
  op.kind === 'moveRoot'

const isEntering = ({ kind }: Op): boolean => kind === 'enterCgroup' || kind === 'unshareCgroup'

/** Index of the first operation of init that has to be in the container's cgroups; undefined where they are entered at once. */
function latest({ init, namespaces: { kinds } }: PlanBuilder): number | undefined {
  const first = init.findIndex(({ kind }) => kind === 'enterCgroup')
  const last = init.findIndex((op, index) => index > first && needsCgroup(op))
  return first < 0 || last < 0 || kinds.user !== 'host' || kinds.mount !== 'new' ? undefined : last
}

/** Whether the host side makes the cgroups while init mounts: another processor may have time for it. */
export const makesCgroupsLate = (builder: PlanBuilder): boolean =>
  builder.cgroup.afterClone.length === 0 && latest(builder) !== undefined

/**
 * The operations of init with those that enter the container's v1 cgroups, and the cgroup namespace whose root they are, as
 * late as what needs them allows: what the kernel charges for mounts, device nodes and credentials would otherwise count against
 * a limit that was asked for the program (memory.rst of the v1 controllers, "2.7 Kernel Memory Extension"). The bounding set
 * goes before for the same reason: each capability that is dropped makes new credentials. It says what later programs may get
 * (capabilities(7)), so it stays where a hook runs before it. `wait`: for the cgroups to be made, where they are made late.
 *
 * Left as it is in a user namespace, where only who comes from outside may enter, and without a mount namespace, where mounts
 * may cover the host's cgroup file system.
 */
export function enterLate(builder: PlanBuilder, wait: Op): Op[] {
  const { init } = builder
  const last = latest(builder)
  if (last === undefined) return [...init]
  const bounding = init.findIndex(({ kind }) => kind === 'setBoundingSet')
  const early =
    bounding < last || init.slice(0, bounding).some(({ kind }) => kind === 'runHook')
      ? []
      : init.slice(bounding, bounding + 1)
  const before = init.slice(0, last)
  const ready = [...before.filter((op) => !isEntering(op)), ...early]
  // Without a cgroup namespace it is the container's directories that are bound; and any source may lie in one.
  const bind = ready.findIndex(({ kind }) => kind === 'mountBind')
  if (makesCgroupsLate(builder)) ready.splice(bind < 0 ? ready.length : bind, 0, wait)
  return [...ready, ...before.filter(isEntering), ...init.slice(last).filter((op) => !early.includes(op))]
}
