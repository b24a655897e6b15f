import { posix } from 'node:path'
import type { CgroupFacts, HostFacts, PlanOptions } from '../../host/facts'
import type { Spec } from '../../spec/types'
import { isWithin } from '../paths'
import { cgroupPath } from './path'

type FactsV2 = Extract<CgroupFacts, { readonly version: 2 }>

/** Where on v2 the container's cgroup is to be made. */
export interface PlaceV2 {
  readonly mountPoint: string
  /** Beneath the mount point, as in "/user.slice/c1". */
  readonly path: string
  /** The highest directory in which something may be made or enabled. */
  readonly root: string
  readonly controllers: readonly string[]
  /** The user that `root` was delegated to; absent for who may do everything. */
  readonly user?: number
}

/** --rootless as runc means it: "auto" is everybody but root of the initial user namespace. */
export const isRootless = ({ rootless }: PlanOptions, { euid, inUserNamespace }: HostFacts): boolean =>
  rootless === 'auto' ? euid !== 0 || inUserNamespace : rootless === 'true'

/**
 * An unprivileged caller makes cgroups beneath its own one's parent, as runc does: its own holds the caller itself, and
 * below a cgroup with processes no controller can be enabled (cgroups(7), "no internal processes" rule). Where the
 * delegation ends with its own, it is that one. An absolute path means the same place for everybody.
 *
 * Returns undefined where the caller may not make it. Errors: CGROUP_PATH.
 */
export function placeV2(spec: Spec, id: string, facts: FactsV2, euid: number): PlaceV2 | undefined {
  const { delegated, own } = facts
  const path = cgroupPath(spec, id)
  if (delegated === undefined) return ownPlaceV2(path, facts, euid)
  const highest = delegated.at(-1)
  if (highest === undefined) return undefined
  const base = delegated.find((cgroup) => cgroup.path !== own) ?? highest
  const isAbsolute = spec.linux?.cgroupsPath?.startsWith('/') === true
  const full = isAbsolute ? path : posix.join(base.path, path)
  if (!isWithin(full, highest.path) || full === highest.path) return undefined
  return ownPlaceV2(full, facts, euid)
}

/** The cgroup at `path` of the hierarchy, which is the caller's to make or was made for it. */
export function ownPlaceV2(path: string, { mountPoint, controllers, delegated }: FactsV2, euid: number): PlaceV2 {
  const highest = delegated?.findLast((cgroup) => isWithin(path, cgroup.path))
  if (highest === undefined) return { mountPoint, path, root: mountPoint, controllers }
  const root = posix.join(mountPoint, highest.path).replace(/\/$/, '')
  return { mountPoint, path, root, controllers: highest.controllers, user: euid }
}
