import { MOUNT_OPTIONS, mountOption } from '../../tables/mount-options'
import type { Rule } from '../fault'
import { didYouMean } from '../nearest'
import type { Mount } from '../types'
import { hasNamespace } from './namespaces'

const SECTION = 'config.md "Mounts"'

/** config.md "Linux mount options": the option decides, never the type. */
const isBind = ({ options = [] }: Mount): boolean => options.includes('bind') || options.includes('rbind')

/** "This value MUST be an absolute path … for compatibility, a relative path is from /" (deprecated). */
const destinationsAreAbsolute: Rule = {
  id: 'mount-destination',
  section: SECTION,
  severity: 'warning',
  check({ mounts }, report) {
    mounts?.forEach(({ destination }, index) => {
      if (destination.startsWith('/')) return
      report(
        `/mounts/${index}/destination`,
        `should be an absolute path: ${JSON.stringify(destination)} is taken from /`,
      )
    })
  },
}

const bindsHaveSource: Rule = {
  id: 'mount-source',
  section: SECTION,
  severity: 'error',
  check({ mounts }, report) {
    mounts?.forEach((mount, index) => {
      if ((mount.source ?? '') === '' && isBind(mount) && !mount.options?.includes('remount')) {
        report(`/mounts/${index}/source`, 'is required for a bind mount, but missing or empty')
      }
    })
  },
}

/** The kernel would ignore data of a bind mount, or change the file system itself, which the host uses as well. */
const bindsHaveNoData: Rule = {
  id: 'mount-bind-data',
  section: SECTION,
  severity: 'error',
  check({ mounts }, report) {
    mounts?.forEach((mount, index) => {
      if (!isBind(mount)) return
      mount.options?.forEach((option, at) => {
        if (option === '' || mountOption(option) !== undefined) return
        const story = 'is not a mount option, and a bind mount passes none on to its file system'
        const meant = didYouMean(option, Object.keys(MOUNT_OPTIONS))
        report(`/mounts/${index}/options/${at}`, `${JSON.stringify(option)} ${story}`, meant)
      })
    })
  },
}

/** "If set, gidMappings MUST be set as well", and the reverse. */
const mappingsArePaired: Rule = {
  id: 'mount-mappings',
  section: SECTION,
  severity: 'error',
  check({ mounts }, report) {
    mounts?.forEach(({ uidMappings, gidMappings }, index) => {
      if ((uidMappings === undefined) === (gidMappings === undefined)) return
      const [given, missing] = uidMappings === undefined ? ['gid', 'uid'] : ['uid', 'gid']
      report(`/mounts/${index}/${missing}Mappings`, `is required together with ${given}Mappings, but missing`)
    })
  },
}

/** As runc: MOUNT_ATTR_IDMAP of mount_setattr(2) is for a tree that no one else has mounted. */
const mappedMountsAreBinds: Rule = {
  id: 'mount-mappings-bind',
  section: SECTION,
  severity: 'error',
  restsOn: ['/mounts/*/options'],
  check({ mounts }, report) {
    mounts?.forEach((mount, index) => {
      if ((mount.uidMappings?.length ?? 0) > 0 && !isBind(mount)) {
        report(`/mounts/${index}/uidMappings`, 'is for bind mounts, and the options have neither bind nor rbind')
      }
    })
  },
}

/** config.md "Linux mount options", idmap and ridmap: mappings of the mount itself or those of the container. */
const idmapHasMappings: Rule = {
  id: 'mount-idmap',
  section: SECTION,
  severity: 'error',
  restsOn: ['/mounts/*/uidMappings', '/linux/namespaces'],
  check(spec, report) {
    spec.mounts?.forEach(({ options, uidMappings }, index) => {
      const at = options?.findIndex((option) => option === 'idmap' || option === 'ridmap') ?? -1
      if (at < 0 || (uidMappings?.length ?? 0) > 0 || hasNamespace(spec, 'user')) return
      const needs = `/mounts/${index}/uidMappings and gidMappings, or a namespace of type user in /linux/namespaces`
      report(`/mounts/${index}/options/${at}`, `needs ${needs}`)
    })
  },
}

export const MOUNT_RULES: readonly Rule[] = [
  destinationsAreAbsolute,
  bindsHaveSource,
  bindsHaveNoData,
  mappingsArePaired,
  mappedMountsAreBinds,
  idmapHasMappings,
]
