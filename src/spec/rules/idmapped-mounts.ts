import { quote } from '../../errors'
import { IdmapFault, type IdRange, readIdmapOption } from '../../tables/idmap-option'
import { isIdmapWithMaps, mountOption } from '../../tables/mount-options'
import type { Report, Rule } from '../fault'
import type { Mount, Spec } from '../types'
import { countComplaint, overlaps } from './id-mappings'
import { hasNamespace } from './namespaces'

const SECTION = 'config.md "Mounts"'

const isGiven = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0
const isMapped = ({ uidMappings, gidMappings }: Mount): boolean => isGiven(uidMappings) || isGiven(gidMappings)

/** MOUNT_ATTR_IDMAP of mount_setattr(2) is for a tree that is not mounted yet: as with runc, for new bind mounts. */
const mayBeMapped = ({ options = [] }: Mount): boolean =>
  options.some((word) => mountOption(word)?.kind === 'bind') &&
  !options.some((word) => mountOption(word)?.kind === 'remount')

/** The words idmap and ridmap of a mount with their pointers. */
const idmapWords = ({ options = [] }: Mount, index: number): readonly (readonly [pointer: string, word: string])[] =>
  options.flatMap((word, at) =>
    mountOption(word)?.kind === 'idmap' ? [[`/mounts/${index}/options/${at}`, word] as const] : [],
  )

/** "uidMappings … MUST be specified along with gidMappings", and the reverse. */
const mappingsArePaired: Rule = {
  id: 'mount-mappings',
  section: SECTION,
  severity: 'error',
  restsOn: ['/mounts/*/uidMappings', '/mounts/*/uidMappings/*', '/mounts/*/gidMappings', '/mounts/*/gidMappings/*'],
  check({ mounts }, report) {
    mounts?.forEach(({ uidMappings, gidMappings }, index) => {
      if (isGiven(uidMappings) === isGiven(gidMappings)) return
      const [given, missing] = isGiven(uidMappings) ? ['uid', 'gid'] : ['gid', 'uid']
      report(`/mounts/${index}/${missing}Mappings`, `is required together with ${given}Mappings, but missing or empty`)
    })
  },
}

const mappedMountsAreBinds: Rule = {
  id: 'mount-mappings-bind',
  section: SECTION,
  severity: 'error',
  restsOn: ['/mounts/*/options'],
  check({ mounts }, report) {
    mounts?.forEach((mount, index) => {
      if (mayBeMapped(mount)) return
      const reason = 'is for bind mounts, and the options have neither bind nor rbind, or have remount'
      if (isMapped(mount)) report(`/mounts/${index}/uidMappings`, reason)
      for (const [pointer] of idmapWords(mount, index)) report(pointer, reason)
    })
  },
}

/** config.md "Linux mount options", idmap and ridmap: mappings of the mount itself or those of the container. */
const idmapHasMappings: Rule = {
  id: 'mount-idmap',
  section: SECTION,
  severity: 'error',
  restsOn: ['/mounts/*/uidMappings', '/mounts/*/uidMappings/*', '/linux/namespaces'],
  check(spec, report) {
    if (hasNamespace(spec, 'user')) return
    spec.mounts?.forEach((mount, index) => {
      const words = idmapWords(mount, index)
      if (isMapped(mount) || words.some(([, word]) => isIdmapWithMaps(word))) return
      const needs = `/mounts/${index}/uidMappings and gidMappings, or a namespace of type user in /linux/namespaces`
      for (const [pointer] of words) report(pointer, `needs ${needs}`)
    })
  },
}

/** What is wrong with the mappings of a word, as the end of a sentence. */
function listComplaint(name: string, list: readonly IdRange[]): string | undefined {
  const count = countComplaint(list)
  if (count !== undefined) return `${name} ${count}`
  const [overlap] = overlaps(list)
  return (
    overlap && `${name} has ranges that overlap (${overlap.side === 'hostID' ? 'on the host' : 'in the file system'})`
  )
}

function checkWord({ linux }: Spec, word: string, report: (message: string) => void): void {
  const { uidMappings: uids = [], gidMappings: gids = [] } = linux ?? {}
  const maps = readIdmapOption(word, { uids, gids })
  if (maps instanceof IdmapFault) {
    report(`is ${quote(word)}: ${maps.message}`)
    return
  }
  for (const name of ['uids', 'gids'] as const) {
    const complaint = listComplaint(name, maps[name])
    if (complaint !== undefined) report(`is ${quote(word)}: ${complaint}`)
  }
}

function checkWords(spec: Spec, mount: Mount, index: number, report: Report): void {
  const words = idmapWords(mount, index).filter(([, word]) => isIdmapWithMaps(word))
  words.forEach(([pointer, word], at) => {
    if (isMapped(mount)) report(pointer, `has mappings, and /mounts/${index}/uidMappings and gidMappings are there too`)
    else if (at > 0) report(pointer, 'has mappings, and so has another option of this mount')
    else checkWord(spec, word, (message) => report(pointer, message))
  })
}

/** crun(1) "idmap mount options". */
const idmapWordsAreReadable: Rule = {
  id: 'mount-idmap-option',
  section: SECTION,
  severity: 'error',
  restsOn: ['/mounts/*/uidMappings', '/linux/uidMappings', '/linux/gidMappings'],
  check(spec, report) {
    spec.mounts?.forEach((mount, index) => {
      checkWords(spec, mount, index, report)
    })
  },
}

export const IDMAPPED_MOUNT_RULES: readonly Rule[] = [
  mappingsArePaired,
  mappedMountsAreBinds,
  idmapHasMappings,
  idmapWordsAreReadable,
]
