import { posix } from 'node:path'
import { TsruncError } from '../errors'
import { MOUNT_ATTR } from '../tables/mount-flags'
import type { PlanBuilder } from './builder'
import { SUPER_FLAGS } from './mount-options'
import type { MountPlan } from './mount-plan'
import { quote } from './paths'

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
}

/** Errors: TOO_MANY_MOUNTS. */
export function planBind(builder: PlanBuilder, request: BindRequest): void {
  builder.init.push({
    kind: 'mountBind',
    pointer: request.pointer,
    what: request.what,
    destination: request.destination,
    source: request.source,
    slot: builder.slotFor(request),
    recursive: request.recursive,
    set: request.set,
    clear: request.clear,
    setAll: request.setAll,
    clearAll: request.clearAll,
    propagation: request.propagation,
  })
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

/** An entry of mounts with bind or rbind. Errors: MOUNT_SOURCE, MOUNT_OPTION, TOO_MANY_MOUNTS. */
export function planBindMount(builder: PlanBuilder, mount: MountPlan): void {
  const { what, options, source } = mount
  if (source === '') {
    throw new TsruncError('MOUNT_SOURCE', `${what}: a bind mount needs a source`, { pointer: mount.pointer })
  }
  checkBindOptions(builder, mount)
  planBind(builder, {
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
  })
}
