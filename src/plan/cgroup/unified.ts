import { quote } from '../../errors'
import type { Resources } from '../../spec/types'
import { cgroupError, type Setting, segment } from './setting'

type Unified = NonNullable<Resources['unified']>

const at = (file: string): string => `/linux/resources/unified/${segment(file)}`

/** Prefixes of files that the cgroup core has, whichever controllers are enabled ("irq.pressure"). */
const CORE = ['cgroup', 'irq']

/**
 * config-linux.md "Unified": each value goes to the file of its name, known to us or not; each of its lines is one
 * write, as in io.max.
 *
 * Errors: CGROUP_VALUE for a name that is a path.
 */
export function unifiedV2(unified: Unified): readonly Setting[] {
  return Object.entries(unified).flatMap(([file, text]) => {
    const pointer = at(file)
    if (file.includes('/') || file === '' || file === '.' || file === '..') {
      throw cgroupError('CGROUP_VALUE', `set ${quote(file)}: it must be the name of a file, not a path`, pointer)
    }
    const [prefix = ''] = file.split('.', 1)
    const controller = prefix === file || CORE.includes(prefix) ? '' : prefix
    const lines = text.split('\n').filter((line) => line !== '')
    // An empty line resets, as in cpuset.cpus; write(2) of nothing would not reach the kernel.
    const values = lines.length === 0 ? ['\n'] : lines
    return values.map((value) => ({
      controller,
      file,
      value,
      pointer,
      what: `set ${quote(file)} to ${quote(value)}`,
    }))
  })
}

/** Errors: CGROUP_NOT_CONVERTIBLE. There is no way from v2's files to v1's. */
export function refuseUnifiedV1(unified: Unified): void {
  const [file] = Object.keys(unified)
  if (file === undefined) return
  throw cgroupError(
    'CGROUP_NOT_CONVERTIBLE',
    `set ${quote(file)}: unified is for cgroup v2, and this host has v1`,
    at(file),
  )
}
