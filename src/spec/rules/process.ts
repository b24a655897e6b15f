import { quote, shortened } from '../../errors'
import { CAPABILITIES } from '../../tables/capabilities'
import { RLIMITS } from '../../tables/rlimits'
import type { Rule } from '../fault'
import { didYouMean } from '../nearest'
import { PROCESS_LABEL_RULES } from './labels'

const cwdIsAbsolute: Rule = {
  id: 'cwd-absolute',
  section: 'config.md "Process"',
  severity: 'error',
  check({ process }, report) {
    const cwd = process?.cwd
    if (cwd !== undefined && !cwd.startsWith('/')) {
      report('/process/cwd', `must be an absolute path, not ${quote(cwd)}`)
    }
  },
}

const argsAreGiven: Rule = {
  id: 'args-given',
  section: 'config.md "Process"',
  severity: 'error',
  restsOn: ['/process/args'],
  check({ process }, report) {
    if (process !== undefined && (process.args?.length ?? 0) === 0) {
      report('/process/args', 'must have at least one entry, the program to execute')
    }
  },
}

/** As runc does: execve(2) takes any string, but a program can see none that is not "name=value". */
const environmentIsNamed: Rule = {
  id: 'env-form',
  section: 'config.md "Process"',
  severity: 'error',
  check({ process }, report) {
    process?.env?.forEach((entry, index) => {
      if (entry.indexOf('=') < 1) {
        report(`/process/env/${index}`, `must have the form "name=value", not ${quote(entry)}`)
      }
    })
  },
}

const rlimitsAreKnown: Rule = {
  id: 'rlimit-type',
  section: 'config.md "POSIX process"',
  severity: 'error',
  check({ process }, report) {
    process?.rlimits?.forEach(({ type }, index) => {
      if (Object.hasOwn(RLIMITS, type)) return
      const known = Object.keys(RLIMITS)
      const message = `must be one of ${known.join(', ')}, not ${quote(type)}`
      report(`/process/rlimits/${index}/type`, message, didYouMean(type, known))
    })
  },
}

const rlimitsAreUnique: Rule = {
  id: 'rlimit-unique',
  section: 'config.md "POSIX process"',
  severity: 'error',
  check({ process }, report) {
    const first = new Map<string, number>()
    process?.rlimits?.forEach(({ type }, index) => {
      const earlier = first.get(type)
      if (earlier === undefined) first.set(type, index)
      else report(`/process/rlimits/${index}/type`, `is ${type}, which /process/rlimits/${earlier} has set already`)
    })
  },
}

/** setrlimit(2) EINVAL. */
const rlimitsAreOrdered: Rule = {
  id: 'rlimit-order',
  section: 'config.md "POSIX process"',
  severity: 'error',
  check({ process }, report) {
    process?.rlimits?.forEach(({ type, soft, hard }, index) => {
      if (soft > hard) {
        report(`/process/rlimits/${index}/soft`, `is ${soft}, but must not be above hard (${hard}) of ${type}`)
      }
    })
  },
}

/** NGROUPS_MAX of limits.h: setgroups(2) EINVAL. */
const MAX_GROUPS = 65536

const groupsAreFew: Rule = {
  id: 'groups-count',
  section: 'config.md "POSIX-platform User"',
  severity: 'error',
  check({ process }, report) {
    const count = process?.user?.additionalGids?.length ?? 0
    if (count > MAX_GROUPS) {
      report('/process/user/additionalGids', `has ${count} entries, but the kernel takes at most ${MAX_GROUPS}`)
    }
  },
}

const CAPABILITY_SETS = ['effective', 'bounding', 'inheritable', 'permitted', 'ambient'] as const

/** "Any value which cannot be mapped to a relevant kernel interface … MUST be logged as a warning". */
const capabilitiesAreKnown: Rule = {
  id: 'capability-known',
  section: 'config.md "Linux Process"',
  severity: 'warning',
  check({ process }, report) {
    for (const set of CAPABILITY_SETS) {
      process?.capabilities?.[set]?.forEach((name, index) => {
        if (Object.hasOwn(CAPABILITIES, name)) return
        const message = `is not a known capability: ${quote(name)}`
        report(`/process/capabilities/${set}/${index}`, message, didYouMean(name, Object.keys(CAPABILITIES)))
      })
    }
  },
}

/** capabilities(7): effective is within permitted, ambient within permitted and inheritable. The rest is not granted. */
const capabilitiesAreGrantable: Rule = {
  id: 'capability-grantable',
  section: 'config.md "Linux Process"',
  severity: 'warning',
  restsOn: ['/process/capabilities/permitted', '/process/capabilities/inheritable'],
  check({ process }, report) {
    const { effective = [], ambient = [], permitted = [], inheritable = [] } = process?.capabilities ?? {}
    const lost = (names: readonly string[], ...within: readonly (readonly string[])[]): string => {
      const sets = within.map((list) => new Set(list))
      return shortened(names.filter((name) => sets.some((set) => !set.has(name))).join(', '))
    }
    const effectiveLost = lost(effective, permitted)
    if (effectiveLost !== '') {
      report('/process/capabilities/effective', `${effectiveLost} cannot be granted: not in permitted`)
    }
    const ambientLost = lost(ambient, permitted, inheritable)
    if (ambientLost !== '') {
      report('/process/capabilities/ambient', `${ambientLost} cannot be granted: not in permitted and inheritable`)
    }
  },
}

/** ioctl_tty(2): struct winsize has 16 bits. Without a terminal the size is ignored. */
const consoleSizeFits: Rule = {
  id: 'console-size',
  section: 'config.md "Process"',
  severity: 'error',
  check({ process }, report) {
    if (process?.terminal !== true || process.consoleSize === undefined) return
    for (const side of ['height', 'width'] as const) {
      const size = process.consoleSize[side]
      if (size > 65535) report(`/process/consoleSize/${side}`, `must be at most 65535, not ${size}`)
    }
  },
}

export const PROCESS_RULES: readonly Rule[] = [
  cwdIsAbsolute,
  argsAreGiven,
  environmentIsNamed,
  rlimitsAreKnown,
  rlimitsAreUnique,
  rlimitsAreOrdered,
  groupsAreFew,
  capabilitiesAreKnown,
  capabilitiesAreGrantable,
  consoleSizeFits,
  ...PROCESS_LABEL_RULES,
]
