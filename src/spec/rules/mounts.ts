import { quote } from '../../errors'
import { MOUNT_OPTIONS, mountOption } from '../../tables/mount-options'
import type { Rule } from '../fault'
import { didYouMean } from '../nearest'
import type { Mount } from '../types'

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
      report(`/mounts/${index}/destination`, `should be an absolute path: ${quote(destination)} is taken from /`)
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
        report(`/mounts/${index}/options/${at}`, `${quote(option)} ${story}`, meant)
      })
    })
  },
}

/** crun(1) "copy-symlink", "src-nofollow", "dest-nofollow": of two ways to treat a link only one can be taken. */
const linkWordsFit: Rule = {
  id: 'mount-links',
  section: SECTION,
  severity: 'error',
  restsOn: ['/mounts/*/options'],
  check({ mounts }, report) {
    mounts?.forEach((mount, index) => {
      const { options = [] } = mount
      const copies = options.includes('copy-symlink')
      options.forEach((word, at) => {
        const pointer = `/mounts/${index}/options/${at}`
        const option = mountOption(word)
        if (option?.kind !== 'links') return
        if (!isBind(mount) || options.includes('remount')) report(pointer, `(${word}) is for bind mounts`)
        else if (copies && option.which !== 'copy') report(pointer, `(${word}) does not go with copy-symlink`)
      })
    })
  },
}

export const MOUNT_RULES: readonly Rule[] = [destinationsAreAbsolute, bindsHaveSource, bindsHaveNoData, linkWordsFit]
