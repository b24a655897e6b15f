import { quote } from '../../errors'
import type { Rule } from '../fault'
import { escapeStep } from '../json'
import { didYouMean } from '../nearest'
import type { NamespaceType, Spec } from '../types'

const NAMESPACES = 'config-linux.md "Namespaces"'

/** The namespace is new or joined: not the one of the caller, as far as the configuration alone can tell. */
export const hasNamespace = ({ linux }: Spec, type: NamespaceType): boolean =>
  linux?.namespaces?.some((namespace) => namespace.type === type) ?? false

const namespacesAreUnique: Rule = {
  id: 'namespace-unique',
  section: NAMESPACES,
  severity: 'error',
  check({ linux }, report) {
    const first = new Map<string, number>()
    linux?.namespaces?.forEach(({ type }, index) => {
      const earlier = first.get(type)
      if (earlier === undefined) first.set(type, index)
      else report(`/linux/namespaces/${index}/type`, `is ${type}, which /linux/namespaces/${earlier} is already`)
    })
  },
}

/** An empty path counts as absent, as for runc: engines in Go write it so. */
const namespacePathsAreAbsolute: Rule = {
  id: 'namespace-path',
  section: NAMESPACES,
  severity: 'error',
  check({ linux }, report) {
    linux?.namespaces?.forEach(({ path = '' }, index) => {
      if (path !== '' && !path.startsWith('/')) {
        report(`/linux/namespaces/${index}/path`, `must be an absolute path, not ${quote(path)}`)
      }
    })
  },
}

/** sethostname(2) without a uts namespace would rename the host. */
const hostnameNeedsUts: Rule = {
  id: 'hostname-namespace',
  section: 'config.md "Hostname"',
  severity: 'error',
  restsOn: ['/linux/namespaces'],
  check(spec, report) {
    if ((spec.hostname ?? '') !== '' && !hasNamespace(spec, 'uts')) {
      report('/hostname', 'needs a namespace of type uts in /linux/namespaces')
    }
  },
}

const domainnameNeedsUts: Rule = {
  id: 'domainname-namespace',
  section: 'config.md "Domainname"',
  severity: 'error',
  restsOn: ['/linux/namespaces'],
  check(spec, report) {
    if ((spec.domainname ?? '') !== '' && !hasNamespace(spec, 'uts')) {
      report('/domainname', 'needs a namespace of type uts in /linux/namespaces')
    }
  },
}

/** sethostname(2), setdomainname(2): __NEW_UTS_LEN is 64. */
const utsNamesFit: Rule = {
  id: 'uts-name-length',
  section: 'config.md "Hostname"',
  severity: 'error',
  check(spec, report) {
    for (const name of ['hostname', 'domainname'] as const) {
      const length = Buffer.byteLength(spec[name] ?? '')
      if (length > 64) report(`/${name}`, `must have at most 64 bytes, not ${length}`)
    }
  },
}

/** Masking and remounting in the caller's mount namespace would change the host. */
const pathsNeedMountNamespace: Rule = {
  id: 'paths-namespace',
  section: 'config-linux.md "Masked Paths"',
  severity: 'error',
  restsOn: ['/linux/namespaces'],
  check(spec, report) {
    if (hasNamespace(spec, 'mount')) return
    for (const name of ['maskedPaths', 'readonlyPaths'] as const) {
      if ((spec.linux?.[name]?.length ?? 0) > 0) {
        report(`/linux/${name}`, 'needs a namespace of type mount in /linux/namespaces')
      }
    }
  },
}

export const NAMESPACE_RULES: readonly Rule[] = [
  namespacesAreUnique,
  namespacePathsAreAbsolute,
  hostnameNeedsUts,
  domainnameNeedsUts,
  utsNamesFit,
  pathsNeedMountNamespace,
]

const TIME = 'config-linux.md "Offset for Time Namespace"'

const clocksAreKnown: Rule = {
  id: 'time-clock',
  section: TIME,
  severity: 'error',
  check({ linux }, report) {
    for (const clock of Object.keys(linux?.timeOffsets ?? {})) {
      if (clock !== 'monotonic' && clock !== 'boottime') {
        const message = 'is not a clock with an offset: only monotonic and boottime are'
        report(`/linux/timeOffsets/${escapeStep(clock)}`, message, didYouMean(clock, ['monotonic', 'boottime']))
      }
    }
  },
}

/** time_namespaces(7): offsets can only be written before a process is in the namespace. */
const offsetsNeedNewNamespace: Rule = {
  id: 'time-namespace',
  section: TIME,
  severity: 'error',
  restsOn: ['/linux/namespaces'],
  check(spec, report) {
    if (Object.keys(spec.linux?.timeOffsets ?? {}).length === 0) return
    const namespace = spec.linux?.namespaces?.find(({ type }) => type === 'time')
    if (namespace === undefined) {
      report('/linux/timeOffsets', 'needs a namespace of type time in /linux/namespaces')
    } else if ((namespace.path ?? '') !== '') {
      report('/linux/timeOffsets', 'cannot be set for a time namespace that is joined by its path')
    }
  },
}

export const TIME_RULES: readonly Rule[] = [clocksAreKnown, offsetsNeedNewNamespace]
