import { TsruncError } from '../errors'
import type { HostFacts } from '../host/facts'
import type { IdMapping, Spec } from '../spec/types'
import type { NamespacePlan } from './namespaces'

/** How the ids of the container come about (user_namespaces(7)). */
export interface IdMapPlan {
  readonly uids: readonly IdMapping[]
  readonly gids: readonly IdMapping[]
  /** setgroups(2) has to be given up before a gid_map without privileges. */
  readonly denySetgroups: boolean
  /** newuidmap(1) and newgidmap(1) write the maps. */
  readonly helpers: boolean
}

/** user_namespaces(7): lines of "INSIDE OUTSIDE SIZE". */
export const mapText = (mappings: readonly IdMapping[]): string =>
  mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('')

const isOwnIdOnly = (mappings: readonly IdMapping[], id: number): boolean =>
  mappings.length === 1 && mappings[0]?.size === 1 && mappings[0].hostID === id

/** The host id of an id of the container, or undefined where no mapping has it. */
export function mappedId(mappings: readonly IdMapping[], id: number): number | undefined {
  const found = mappings.find(({ containerID, size }) => id >= containerID && id - containerID < size)
  return found && found.hostID + (id - found.containerID)
}

/**
 * Errors: NEEDS_PRIVILEGES for an unprivileged caller without a user namespace; ID_NOT_MAPPED where root has no
 * mapping, for init sets the container up as root.
 */
export function planIdMaps(spec: Spec, facts: HostFacts, namespaces: NamespacePlan): IdMapPlan | undefined {
  const kind = namespaces.kinds.user
  if (kind === 'host' && facts.euid !== 0) {
    const message = `user ${facts.euid} is not root, and without privileges a container needs a user namespace of its own`
    throw new TsruncError(
      'NEEDS_PRIVILEGES',
      `${message}: add {"type": "user"} and id mappings (tsrunc spec --rootless)`,
      {
        pointer: '/linux/namespaces',
      },
    )
  }
  if (kind !== 'new') return undefined
  const { uidMappings: uids = [], gidMappings: gids = [] } = spec.linux ?? {}
  requireMapped(uids, 0, '/linux/uidMappings', 'uid')
  requireMapped(gids, 0, '/linux/gidMappings', 'gid')
  if (facts.euid === 0) return { uids, gids, denySetgroups: facts.deniesSetgroups, helpers: false }
  const own = isOwnIdOnly(uids, facts.euid) && isOwnIdOnly(gids, facts.egid)
  return { uids, gids, denySetgroups: own, helpers: !own }
}

function requireMapped(mappings: readonly IdMapping[], id: number, pointer: string, what: 'uid' | 'gid'): void {
  if (mappedId(mappings, id) !== undefined) return
  const list = `/linux/${what}Mappings`
  throw new TsruncError('ID_NOT_MAPPED', `${what} ${id} of the container is in none of the ranges of ${list}`, {
    pointer,
  })
}

/** Errors: ID_NOT_MAPPED. Nothing is known of the maps of a joined user namespace; the kernel will tell. */
export function requireUid(maps: IdMapPlan | undefined, id: number, pointer: string): void {
  if (maps !== undefined) requireMapped(maps.uids, id, pointer, 'uid')
}

/** As requireUid. */
export function requireGid(maps: IdMapPlan | undefined, id: number, pointer: string): void {
  if (maps !== undefined) requireMapped(maps.gids, id, pointer, 'gid')
}

/** Whether setgroups(2) works in the container's user namespace. */
export const maySetGroups = (facts: HostFacts, maps: IdMapPlan | undefined): boolean =>
  maps === undefined ? facts.euid === 0 && !facts.deniesSetgroups : !maps.denySetgroups
