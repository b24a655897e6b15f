import { quote, TsruncError } from '../errors'
import type { Mount } from '../spec/types'
import { MS } from '../tables/mount-flags'
import type { PlanBuilder } from './builder'
import { planBindMount } from './mount-bind'
import { isReadonlyCgroupTree, planCgroupMount } from './mount-cgroup'
import { legacyData, planFileSystemMount } from './mount-fs'
import { type MountFlags, parseMountOptions } from './mount-options'
import type { MountPlan } from './mount-plan'
import { cleanPath } from './paths'

/** Errors: MOUNT_DESTINATION, MOUNT_TYPE. */
function readMount(mount: Mount, index: number): MountPlan {
  const pointer = `/mounts/${index}`
  const what = `mount ${quote(mount.destination)}`
  const destination = cleanPath(mount.destination)
  if (destination === '/') {
    throw new TsruncError('MOUNT_DESTINATION', `${what}: nothing can be mounted over the root of the container`, {
      pointer: `${pointer}/destination`,
    })
  }
  const options = parseMountOptions(mount)
  const { type = '', source = '', uidMappings: uids = [], gidMappings: gids = [] } = mount
  const readonlyLater = isFilledLater(type, destination, options) && (options.flags & MS.RDONLY) !== 0n
  const plan = { pointer, what, destination, type, source, options, uids, gids, readonlyLater }
  checkKind(plan)
  return plan
}

/**
 * A mount in which something may still have to be made by what follows, so that it becomes read-only only at the end:
 * every tmpfs, and /dev, as with runc.
 */
function isFilledLater(type: string, destination: string, { bind, remount }: MountFlags): boolean {
  return !remount && ((!bind && type === 'tmpfs') || destination === '/dev')
}

/** What acts on a tree that is bound. */
function checkBindOnly({ what, pointer, options, uids, gids }: MountPlan): void {
  const { bind, remount, idmap, links } = options
  if (bind && !remount) return
  if (idmap !== undefined || uids.length > 0 || gids.length > 0) {
    const message = `${what}: only a bind mount can be id-mapped, and the options have neither bind nor rbind`
    throw new TsruncError('MOUNT_TYPE', message, { pointer })
  }
  if (links.copy || links.source || links.destination) {
    const message = `${what}: the options copy-symlink, src-nofollow and dest-nofollow are for bind mounts only`
    throw new TsruncError('MOUNT_TYPE', message, { pointer: `${pointer}/options` })
  }
}

/** Bind or not is decided by the option, never by the type (config.md "Mounts"). */
function checkKind(plan: MountPlan): void {
  const { type, what, pointer, options } = plan
  const { bind, remount, copyUp } = options
  checkBindOnly(plan)
  if (copyUp && (type !== 'tmpfs' || bind || remount)) {
    const message = `${what}: the option tmpcopyup is for mounts of type tmpfs only`
    throw new TsruncError('MOUNT_TYPE', message, { pointer: `${pointer}/options` })
  }
  if (bind || remount) return
  if (type === '') {
    const message = `${what}: a mount needs a type, or one of the options bind and rbind`
    throw new TsruncError('MOUNT_TYPE', message, { pointer })
  }
  if (type === 'bind' || type === 'none') {
    const message = `${what}: type ${quote(type)} is no file system; a bind mount has the option bind or rbind`
    throw new TsruncError('MOUNT_TYPE', message, { pointer: `${pointer}/type` })
  }
}

/** mount(2) MS_REMOUNT: flags and options of what is mounted there already. */
function planRemount(builder: PlanBuilder, { pointer, what, destination, options }: MountPlan): void {
  if (options.propagation.length > 0) {
    const message = `${what}: a remount cannot change the propagation`
    throw new TsruncError('NOT_SUPPORTED', message, { pointer: `${pointer}/options` })
  }
  const bind = options.bind ? MS.BIND | (options.recursive ? MS.REC : 0n) : 0n
  const data = legacyData(options.data, what, pointer, builder.facts)
  builder.init.push({ kind: 'remount', pointer, what, destination, flags: options.flags | bind, data })
}

function planMount(builder: PlanBuilder, mount: MountPlan): void {
  if (mount.options.remount) planRemount(builder, mount)
  else if (mount.options.bind) planBindMount(builder, mount)
  else if (mount.type === 'cgroup') planCgroupMount(builder, mount)
  else planFileSystemMount(builder, mount)
}

/** What other parts of the plan have to know of the mounts. */
export interface MountsPlan {
  /** /dev is a bind mount: what is in it belongs to somebody else. */
  readonly foreignDev: boolean
  /** Mounts to make read-only at the end. */
  readonly readonly: readonly MountPlan[]
}

/** config.md "Mounts": in the listed order. */
export function planMounts(builder: PlanBuilder): MountsPlan {
  const readonly: MountPlan[] = []
  let foreignDev = false
  builder.spec.mounts?.forEach((entry, index) => {
    const mount = readMount(entry, index)
    const { bind, remount } = mount.options
    foreignDev ||= bind && !remount && mount.destination === '/dev'
    if (mount.readonlyLater || isReadonlyCgroupTree(builder.facts, mount)) readonly.push(mount)
    planMount(builder, mount)
  })
  return { foreignDev, readonly }
}

export function planReadonlyMounts(builder: PlanBuilder, { readonly }: MountsPlan): void {
  for (const { pointer, destination } of readonly) {
    builder.init.push({
      kind: 'setReadonly',
      pointer: `${pointer}/options`,
      what: `make ${quote(destination)} read-only`,
      path: destination,
    })
  }
}
