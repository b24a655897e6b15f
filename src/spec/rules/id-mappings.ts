import type { Rule } from '../fault'
import type { IdMapping, Spec } from '../types'

const SECTION = 'config-linux.md "User namespace mappings"'
/** user_namespaces(7) "Defining user and group ID mappings". */
const MAX_MAPPINGS = 340

/** Every list of mappings with its pointer. */
function mappingLists({ linux, mounts = [] }: Spec): readonly (readonly [string, readonly IdMapping[]])[] {
  const lists: (readonly [string, readonly IdMapping[]])[] = []
  const add = (pointer: string, list: readonly IdMapping[] | undefined): void => {
    if (list !== undefined) lists.push([pointer, list])
  }
  add('/linux/uidMappings', linux?.uidMappings)
  add('/linux/gidMappings', linux?.gidMappings)
  mounts.forEach((mount, index) => {
    add(`/mounts/${index}/uidMappings`, mount.uidMappings)
    add(`/mounts/${index}/gidMappings`, mount.gidMappings)
  })
  return lists
}

const mappingsNeedUserNamespace: Rule = {
  id: 'mappings-namespace',
  section: SECTION,
  severity: 'error',
  restsOn: ['/linux/namespaces', '/linux/*'],
  check({ linux }, report) {
    const namespace = linux?.namespaces?.find(({ type }) => type === 'user')
    for (const name of ['uidMappings', 'gidMappings'] as const) {
      const given = (linux?.[name]?.length ?? 0) > 0
      if (given && namespace === undefined) {
        report(`/linux/${name}`, 'needs a namespace of type user in /linux/namespaces')
      } else if (!given && namespace !== undefined && (namespace.path ?? '') === '') {
        report(`/linux/${name}`, 'is required for a new user namespace, but missing or empty')
      }
    }
  },
}

/** user_namespaces(7): at most 340 lines. The end of a sentence, or undefined. */
export const countComplaint = ({ length }: readonly IdMapping[]): string | undefined =>
  length > MAX_MAPPINGS ? `has ${length} entries, but the kernel takes at most ${MAX_MAPPINGS}` : undefined

const mappingsAreFew: Rule = {
  id: 'mappings-count',
  section: SECTION,
  severity: 'error',
  check(spec, report) {
    for (const [pointer, list] of mappingLists(spec)) {
      const complaint = countComplaint(list)
      if (complaint !== undefined) report(pointer, complaint)
    }
  },
}

const mappingsFit: Rule = {
  id: 'mapping-size',
  section: SECTION,
  severity: 'error',
  check(spec, report) {
    for (const [pointer, list] of mappingLists(spec)) {
      list.forEach(({ containerID, hostID, size }, index) => {
        if (size === 0) report(`${pointer}/${index}/size`, 'must be at least 1, not 0')
        // The last id, 2^32-1, is "no id" to the kernel.
        else if (Math.max(containerID, hostID) + size > 4294967295) {
          report(`${pointer}/${index}/size`, `is ${size}: the range ends beyond the last id, 4294967294`)
        }
      })
    }
  },
}

interface Overlap {
  readonly side: 'containerID' | 'hostID'
  /** Indexes in the list: the later range, and the one that it begins in. */
  readonly index: number
  readonly before: number
}

/** user_namespaces(7): ranges must not overlap, inside or outside. */
export function overlaps(list: readonly IdMapping[]): readonly Overlap[] {
  return (['containerID', 'hostID'] as const).flatMap((side) => {
    const sorted = list.map((mapping, index) => ({ ...mapping, index })).sort((a, b) => a[side] - b[side])
    return sorted.slice(1).flatMap((mapping, at) => {
      const before = sorted[at]
      if (before === undefined || before[side] + before.size <= mapping[side]) return []
      return [{ side, index: mapping.index, before: before.index }]
    })
  })
}

const mappingsAreApart: Rule = {
  id: 'mapping-overlap',
  section: SECTION,
  severity: 'error',
  check(spec, report) {
    for (const [pointer, list] of mappingLists(spec)) {
      if (list.length < 2 || list.length > MAX_MAPPINGS) continue
      for (const { side, index, before } of overlaps(list)) {
        report(`${pointer}/${index}/${side}`, `is ${list[index]?.[side]}: within the range of ${pointer}/${before}`)
      }
    }
  },
}

export const ID_MAPPING_RULES: readonly Rule[] = [
  mappingsNeedUserNamespace,
  mappingsAreFew,
  mappingsFit,
  mappingsAreApart,
]
