import type { NamespaceType, Spec } from '../spec/types'
import { NAMESPACES } from '../tables/namespaces'
import type { PlanBuilder } from './builder'
import { setsGroups } from './credentials'
import { mapText } from './id-maps'
import { hostNamespace } from './namespaces'

/** Order of entering: the user namespace is tried last by the engine, whatever its place here. */
const ORDER = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'] as const satisfies NamespaceType[]

/** time_namespaces(7): lines of "CLOCK SECONDS NANOSECONDS". */
function timeOffsets({ linux }: Spec): string {
  let text = ''
  for (const [clock, { secs = 0, nanosecs = 0 }] of Object.entries(linux?.timeOffsets ?? {})) {
    text += `${clock} ${secs} ${nanosecs}\n`
  }
  return text
}

/** The clone of init, with all new namespaces at once but the cgroup namespace, whose root is where init is then. */
export function planClone(builder: PlanBuilder): void {
  planCheckIdMaps(builder)
  const { kinds, paths } = builder.namespaces
  let flags = 0
  const joinTypes: number[] = []
  const joinPaths: string[] = []
  const joinIndexes: number[] = []
  for (const type of ORDER) {
    const path = paths[type]
    if (path !== undefined) {
      joinTypes.push(NAMESPACES[type].flag)
      joinPaths.push(path)
      joinIndexes.push(indexOf(builder.spec, type))
    } else if (kinds[type] === 'new' && type !== 'cgroup') {
      flags |= NAMESPACES[type].flag
    }
  }
  builder.create.push({
    kind: 'cloneInit',
    // The engine says behind it which part of it was at fault: /namespaces, one of them, or /timeOffsets.
    pointer: '/linux',
    what: 'make the namespaces',
    flags: BigInt(flags >>> 0),
    joinTypes,
    joinPaths,
    joinIndexes,
    intoCgroup: builder.cgroup.intoCgroup,
    timeOffsets: timeOffsets(builder.spec),
  })
}

/** What a new namespace needs before anything else: cgroup root, loopback, names. */
export function planIdentity(builder: PlanBuilder): void {
  const { spec, namespaces, init } = builder
  if (namespaces.kinds.cgroup === 'new') {
    init.push({ kind: 'unshareCgroup', pointer: '/linux/namespaces', what: 'make the cgroup namespace' })
  }
  if (namespaces.kinds.network === 'new') {
    init.push({ kind: 'bringUpLoopback', pointer: '/linux/namespaces', what: 'bring up the loopback interface' })
  }
  for (const property of ['hostname', 'domainname'] as const) {
    const name = spec[property] ?? ''
    if (name === '') continue
    const pointer = `/${property}`
    if (namespaces.kinds.uts === 'host') throw hostNamespace(pointer, `set the ${property}`, 'uts')
    const kind = property === 'hostname' ? 'setHostname' : 'setDomainname'
    init.push({ kind, pointer, what: `set the ${property}`, name })
  }
}

/** Where a type stands in linux.namespaces. */
const indexOf = ({ linux }: Spec, wanted: NamespaceType): number =>
  linux?.namespaces?.findIndex(({ type }) => type === wanted) ?? -1

/**
 * config-linux.md "User namespace mappings": a user namespace that is joined has its maps already. Engines write them
 * down all the same for the containers of a pod; as with runc they have to be those.
 */
function planCheckIdMaps({ create, spec, namespaces }: PlanBuilder): void {
  const { uidMappings: uids = [], gidMappings: gids = [] } = spec.linux ?? {}
  if (namespaces.kinds.user === 'new' || (uids.length === 0 && gids.length === 0)) return
  const path = namespaces.paths.user ?? ''
  const what = 'compare the mappings with those of the user namespace'
  create.push({
    kind: 'checkIdMaps',
    // The engine says behind it which of the two differ.
    pointer: '/linux',
    what,
    path,
    index: indexOf(spec, 'user'),
    uidMap: mapText(uids),
    gidMap: mapText(gids),
  })
}

export function planWriteIdMaps(builder: PlanBuilder): void {
  const maps = builder.idMaps
  if (maps === undefined) return
  builder.create.push({
    kind: 'writeIdMaps',
    pointer: '/linux/uidMappings',
    what: 'write the id mappings',
    uidMap: mapText(maps.uids),
    gidMap: mapText(maps.gids),
    denySetgroups: maps.denySetgroups,
    helpers: maps.helpers,
  })
}

/** Init starts as nobody in a user namespace: it becomes its root, new or joined. */
export function planBecomeRoot(builder: PlanBuilder): void {
  if (builder.namespaces.kinds.user === 'host') return
  builder.init.push({
    kind: 'becomeRoot',
    pointer: '/linux/namespaces',
    what: 'become root of the user namespace',
    setgroups: setsGroups(builder),
  })
}
