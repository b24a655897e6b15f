import { posix } from 'node:path'
import { quote, TsruncError } from '../errors'
import { MOUNT_ATTR } from '../tables/mount-flags'
import type { PlanBuilder, TreeRequest } from './builder'
import { isIdmapped, mapTree } from './idmapped-mounts'
import { FOLLOW_LINKS, type LinkOptions, SUPER_FLAGS } from './mount-options'
import type { MountPlan } from './mount-plan'

/** A bind mount: which tree goes where, and with which MOUNT_ATTR_* and MS_* (propagation). */
export interface BindRequest {
  readonly pointer: string
  readonly what: string
  readonly source: string
  readonly destination: string
  readonly recursive: boolean
  readonly set: bigint
  readonly clear: bigint
  readonly setAll: bigint
  readonly clearAll: bigint
  readonly propagation: readonly number[]
  readonly links?: LinkOptions
}

/** A bind mount of what is in `slot`, or, with NO_SLOT, of the source by its path. */
function bindFrom(builder: PlanBuilder, request: BindRequest, slot: number): void {
  const { links = FOLLOW_LINKS } = request
  builder.init.push({
    kind: 'mountBind',
    pointer: request.pointer,
    what: request.what,
    destination: request.destination,
    source: request.source,
    slot,
    recursive: request.recursive,
    sourceNofollow: links.source || links.copy,
    copySymlink: links.copy,
    destinationNofollow: links.destination,
    set: request.set,
    clear: request.clear,
    setAll: request.setAll,
    clearAll: request.clearAll,
    propagation: request.propagation,
  })
}

const treeOf = (request: BindRequest): TreeRequest => {
  const { links = FOLLOW_LINKS } = request
  return { ...request, nofollow: links.source || links.copy }
}

/** Errors: TOO_MANY_MOUNTS. */
export function planBind(builder: PlanBuilder, request: BindRequest): void {
  bindFrom(builder, request, builder.slotFor(treeOf(request)))
}

/**
 * Flags of the superblock and a file system's own options cannot be given to one mount of it: options are an error as
 * with runc, flags a warning, for engines do pass them.
 */
function checkBindOptions(builder: PlanBuilder, { what, pointer: at, options }: MountPlan): void {
  const pointer = `${at}/options`
  const [option] = options.data
  if (option !== undefined) {
    const message = `${what}: ${quote(option)} is an option of a file system, which a bind mount cannot change`
    throw new TsruncError('MOUNT_OPTION', message, { pointer })
  }
  if ((options.flags & SUPER_FLAGS) !== 0n) {
    builder.warn(
      `${what}: sync, dirsync, mand, lazytime and iversion have no effect on a bind mount (config.json ${pointer})`,
    )
  }
}

/** crun(1): a link is either made anew or mounted, not both. */
function checkLinks({ what, pointer, options }: MountPlan): void {
  const { copy, source, destination } = options.links
  if (!copy || (!source && !destination)) return
  const message = `${what}: copy-symlink makes no mount, so src-nofollow and dest-nofollow do not go with it`
  throw new TsruncError('MOUNT_OPTION', message, { pointer: `${pointer}/options` })
}

/** An entry of mounts with bind or rbind. Errors: MOUNT_SOURCE, MOUNT_OPTION, MOUNT_IDMAP, TOO_MANY_MOUNTS. */
export function planBindMount(builder: PlanBuilder, mount: MountPlan): void {
  const { what, options, source } = mount
  if (source === '') {
    throw new TsruncError('MOUNT_SOURCE', `${what}: a bind mount needs a source`, { pointer: mount.pointer })
  }
  checkBindOptions(builder, mount)
  checkLinks(mount)
  const request: BindRequest = {
    pointer: `${mount.pointer}/source`,
    what,
    source: source.startsWith('/') ? source : posix.join(builder.options.bundle, source),
    destination: mount.destination,
    recursive: options.recursive,
    set: mount.readonlyLater ? options.set & ~MOUNT_ATTR.RDONLY : options.set,
    clear: options.clear,
    setAll: options.setAll,
    clearAll: options.clearAll,
    propagation: options.propagation,
    links: options.links,
  }
  if (!isIdmapped(mount)) {
    planBind(builder, request)
    return
  }
  // mount_setattr(2): only who has privileges over the file system can map it, and only before it is mounted.
  const slot = builder.openTree(treeOf(request))
  mapTree(builder, mount, slot, request.source)
  bindFrom(builder, request, slot)
}
