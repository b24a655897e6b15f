import { TsruncError } from '../errors'
import type { IdMapping } from '../spec/types'
import { type IdMaps, IdmapFault, readIdmapOption } from '../tables/idmap-option'
import type { PlanBuilder } from './builder'
import { mapText } from './id-maps'
import type { MountPlan } from './mount-plan'
import type { Op } from './ops'

/** A user namespace whose maps a mount takes, as the operation openIdMap names it. */
interface MapSource {
  readonly path: string
  readonly uidMap: string
  readonly gidMap: string
}

/** Init's own user namespace, once its maps are written. */
const OF_INIT: MapSource = { path: '', uidMap: '', gidMap: '' }

const sameMaps = (a: readonly IdMapping[], b: readonly IdMapping[]): boolean => mapText(a) === mapText(b)

/** Maps that are the container's own need no namespace of their own. */
function ofMaps({ idMaps }: PlanBuilder, { uids, gids }: IdMaps): MapSource {
  if (idMaps !== undefined && sameMaps(uids, idMaps.uids) && sameMaps(gids, idMaps.gids)) return OF_INIT
  return { path: '', uidMap: mapText(uids), gidMap: mapText(gids) }
}

/** The maps of the container's user namespace. Errors: MOUNT_IDMAP where it has none of its own. */
function ofContainer({ namespaces }: PlanBuilder, what: string, pointer: string): MapSource {
  switch (namespaces.kinds.user) {
    case 'new':
      return OF_INIT
    case 'joined':
      return { path: namespaces.paths.user ?? '', uidMap: '', gidMap: '' }
    case 'host': {
      const reason = 'an id-mapped mount without uidMappings and gidMappings takes those of the container'
      const message = `${what}: ${reason}, which has no user namespace of its own`
      throw new TsruncError('MOUNT_IDMAP', message, { pointer })
    }
  }
}

/** Errors: MOUNT_IDMAP. */
function mapSource(builder: PlanBuilder, { what, options, uids, gids }: MountPlan, pointer: string): MapSource {
  if (uids.length > 0) return ofMaps(builder, { uids, gids })
  if (options.idmap?.hasMaps !== true) return ofContainer(builder, what, pointer)
  const { uidMappings = [], gidMappings = [] } = builder.spec.linux ?? {}
  const maps = readIdmapOption(options.idmap.word, { uids: uidMappings, gids: gidMappings })
  if (maps instanceof IdmapFault) {
    const message = `${what}: ${JSON.stringify(options.idmap.word)}: ${maps.message}`
    throw new TsruncError('MOUNT_IDMAP', message, { pointer })
  }
  return ofMaps(builder, maps)
}

export const isIdmapped = ({ options, uids }: MountPlan): boolean => options.idmap !== undefined || uids.length > 0

/** Which line of config.json asks for the mapping. */
function pointerOf({ pointer, options, uids }: MountPlan): string {
  return options.idmap === undefined || uids.length > 0
    ? `${pointer}/uidMappings`
    : `${pointer}/options/${options.idmap.index}`
}

/**
 * Have the tree in `slot` id-mapped before init mounts it: config.md "Linux mount options" idmap and ridmap, and
 * uidMappings alone, which are as idmap. Errors: NEEDS_PRIVILEGES, MOUNT_IDMAP.
 */
export function mapTree(builder: PlanBuilder, mount: MountPlan, slot: number, source: string): void {
  const pointer = pointerOf(mount)
  const { what } = mount
  if (builder.facts.euid !== 0) {
    const message = `${what}: only root can make an id-mapped mount, and user ${builder.facts.euid} is not`
    throw new TsruncError('NEEDS_PRIVILEGES', message, { pointer })
  }
  const from = mapSource(builder, mount, pointer)
  const key = [from.path, from.uidMap, from.gidMap].join('\0')
  const trees = builder.mappedTrees.get(key) ?? [{ kind: 'openIdMap', pointer, what, ...from } satisfies Op]
  builder.mappedTrees.set(key, trees)
  trees.push({ kind: 'mapTree', pointer, what, slot, recursive: mount.options.idmap?.recursive === true, source })
}

/** One namespace for each set of maps, whatever the number of mounts that take it. */
export const mappedTrees = ({ mappedTrees }: PlanBuilder): readonly Op[] => [...mappedTrees.values()].flat()
