import { posix } from 'node:path'
import { quote, TsruncError } from '../errors'
import type { CgroupFacts } from '../host/facts'
import { isWithin } from './paths'
import type { PlanHeader } from './plan'

/** Where the new process goes. */
export interface ExecCgroup {
  /** v2: the directory to clone into, or ''. */
  readonly into: string
  /** v2: where that cannot take processes, the cgroup of the container's first one. */
  readonly orInitsOwn: boolean
  /** v1: the directory in each hierarchy. */
  readonly enter: readonly string[]
}

const refused = (value: string, why: string): TsruncError =>
  new TsruncError('EXEC_OPTION', `--cgroup: ${quote(value)} ${why}`)

/** "[CONTROLLER[,CONTROLLER…]:]PATH" */
function parse(value: string): { readonly controllers: readonly string[]; readonly path: string } {
  const colon = value.indexOf(':')
  const controllers = colon < 0 ? [] : value.slice(0, colon).split(',')
  return { controllers, path: value.slice(colon + 1) }
}

function beneath(directory: string, path: string, value: string): string {
  const out = posix.join(directory, path).replace(/(?<=.)\/+$/, '')
  if (isWithin(out, directory)) return out
  throw refused(value, "leads out of the container's cgroup")
}

/** cgroup.events is a file of v2; see PlanHeader.frozenFile. */
export const isCgroupV2 = ({ cgroupPaths, frozenFile }: PlanHeader): boolean =>
  cgroupPaths.length > 0 && frozenFile.endsWith('/cgroup.events')

function planV2(directory: string, values: readonly string[]): ExecCgroup {
  const [value, second] = values
  if (value === undefined) return { into: directory, orInitsOwn: true, enter: [] }
  if (second !== undefined) throw refused(second, 'is a second one, and cgroup v2 has one hierarchy')
  const { controllers, path } = parse(value)
  if (controllers.length > 0)
    throw refused(value, 'names a controller, which cgroup v2 has in one hierarchy: leave it out')
  return { into: beneath(directory, path, value), orInitsOwn: false, enter: [] }
}

function planV1(directories: readonly string[], values: readonly string[], facts: CgroupFacts): ExecCgroup {
  const chosen = new Map(directories.map((directory) => [directory, directory]))
  for (const value of values) {
    const { controllers, path } = parse(value)
    const wanted =
      controllers.length === 0 ? directories : controllers.map((name) => find(directories, name, facts, value))
    for (const directory of wanted) chosen.set(directory, beneath(directory, path, value))
  }
  return { into: '', orInitsOwn: false, enter: [...chosen.values()] }
}

/** The container's directory in the hierarchy of a controller. */
function find(directories: readonly string[], controller: string, facts: CgroupFacts, value: string): string {
  const hierarchies = facts.version === 1 ? facts.hierarchies : []
  const mount = hierarchies.find(({ controllers }) => controllers.includes(controller))?.mountPoint
  const directory = mount === undefined ? undefined : directories.find((path) => isWithin(path, mount))
  if (directory !== undefined) return directory
  throw refused(value, `names ${quote(controller)}, which is no controller of the container's cgroups`)
}

/**
 * `values`: those of --cgroup, relative to the container's own cgroups; each must exist. `facts` are asked only where a
 * controller is named. Errors: EXEC_OPTION.
 */
export function execCgroup(header: PlanHeader, values: readonly string[], facts: CgroupFacts): ExecCgroup {
  const { cgroupPaths } = header
  const [first] = cgroupPaths
  if (first === undefined) {
    if (values[0] !== undefined && values[0] !== '/') throw refused(values[0], 'cannot be: the container has no cgroup')
    return { into: '', orInitsOwn: false, enter: [] }
  }
  return isCgroupV2(header) ? planV2(first, values) : planV1(cgroupPaths, values, facts)
}

/** Whether --cgroup asks for what the host's cgroups are like. */
export const namesController = (values: readonly string[]): boolean => values.some((value) => value.includes(':'))
