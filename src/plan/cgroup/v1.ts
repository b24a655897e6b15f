import type { CgroupV1Hierarchy, HostFacts } from '../../host/facts'
import type { Resources } from '../../spec/types'
import type { Op } from '../ops'
import { blockIoV1 } from './block-io'
import type { CgroupPlan } from './cgroup-plan'
import { cpuV1 } from './cpu'
import { deviceListV1 } from './device-list'
import type { DevicePolicy } from './device-rules'
import { hugepages } from './hugepages'
import { memoryV1 } from './memory'
import { networkV1 } from './network'
import { pids } from './pids'
import { rdma } from './rdma'
import { cgroupError, type Setting, type Warn, writeOp } from './setting'
import { refuseUnifiedV1 } from './unified'

/** What linux.resources asks for, but for devices, in the files of cgroup v1, in the order of writing. */
export function settingsV1(resources: Resources, facts: HostFacts, warn: Warn): readonly Setting[] {
  const { memory, cpu, blockIO, hugepageLimits, network, unified } = resources
  if (unified !== undefined) refuseUnifiedV1(unified)
  return [
    ...(memory === undefined ? [] : memoryV1(memory, facts, warn)),
    ...(cpu === undefined ? [] : cpuV1(cpu, warn)),
    ...(resources.pids === undefined ? [] : pids(resources.pids)),
    ...(blockIO === undefined ? [] : blockIoV1(blockIO, facts)),
    ...(hugepageLimits === undefined ? [] : hugepages(hugepageLimits, facts, 'limit_in_bytes')),
    ...(network === undefined ? [] : networkV1(network)),
    ...(resources.rdma === undefined ? [] : rdma(resources.rdma)),
  ]
}

/**
 * The container is put into every hierarchy that is mounted, at the same path: engines look for it there, and a limit
 * may be set later by `update`.
 *
 * Errors: CGROUP_CONTROLLER_MISSING for a property whose controller is not mounted.
 */
export function planV1(
  hierarchies: readonly CgroupV1Hierarchy[],
  path: string,
  pathPointer: string,
  settings: readonly Setting[],
  devices: DevicePolicy | undefined,
  joinsFromHost: boolean,
): CgroupPlan {
  const directoryOf = (setting: Setting): string => {
    const hierarchy = hierarchies.find(({ controllers }) => controllers.includes(setting.controller))
    if (hierarchy !== undefined) return `${hierarchy.mountPoint}${path}`
    const why = `the ${setting.controller} controller of cgroup v1 is not mounted on this host`
    throw cgroupError('CGROUP_CONTROLLER_MISSING', `${setting.what}: ${why}`, setting.pointer)
  }
  const writes = [...settings, ...(devices === undefined ? [] : deviceListV1(devices))].map((setting) =>
    writeOp(directoryOf(setting), setting),
  )
  const freezer = directoryWith(hierarchies, 'freezer', path)
  const joins = hierarchies.map((hierarchy) => joinOf(hierarchy, path, pathPointer))
  return {
    before: [...hierarchies.map((hierarchy) => makeOp(hierarchy, path, pathPointer)), ...writes],
    intoCgroup: '',
    directory: '',
    afterClone: joinsFromHost ? joins.map((join): Op => ({ kind: 'joinCgroup', ...join })) : [],
    afterNamespaces: [],
    delegated: '',
    enter: joinsFromHost ? [] : joins.map((join): Op => ({ kind: 'enterCgroup', ...join })),
    ...destruction(hierarchies, path),
    frozenFile: freezer === undefined ? '' : `${freezer}/freezer.state`,
    frozenText: freezer === undefined ? '' : 'FROZEN',
  }
}

function directoryWith(
  hierarchies: readonly CgroupV1Hierarchy[],
  controller: string,
  path: string,
): string | undefined {
  const found = hierarchies.find(({ controllers }) => controllers.includes(controller))
  return found === undefined ? undefined : `${found.mountPoint}${path}`
}

const nameOf = ({ controllers }: CgroupV1Hierarchy): string => controllers.join(',')

const makeOp = (hierarchy: CgroupV1Hierarchy, path: string, pointer: string): Op => ({
  kind: 'makeCgroup',
  pointer,
  what: `make cgroup ${path} in the ${nameOf(hierarchy)} hierarchy`,
  root: hierarchy.mountPoint,
  path: `${hierarchy.mountPoint}${path}`,
  cpuset: hierarchy.controllers.includes('cpuset'),
  mustBeEmpty: true,
})

const joinOf = (hierarchy: CgroupV1Hierarchy, path: string, pointer: string) => ({
  pointer,
  what: `enter cgroup ${path} of the ${nameOf(hierarchy)} hierarchy`,
  path: `${hierarchy.mountPoint}${path}`,
})

/**
 * Every process of the container is in each of its cgroups, so one is enough to find them; the freezer's keeps them
 * from forking away while they are killed.
 */
function destruction(hierarchies: readonly CgroupV1Hierarchy[], path: string): Pick<CgroupPlan, 'destroy' | 'paths'> {
  const preferred = ['pids', 'freezer'].flatMap((controller) => directoryWith(hierarchies, controller, path) ?? [])
  const all = hierarchies.map(({ mountPoint }) => `${mountPoint}${path}`)
  const paths = [...new Set([...preferred, ...all])]
  const killed = preferred.length === 0 ? paths.slice(0, 1) : [...new Set(preferred)]
  return {
    destroy: [{ kind: 'killCgroups', pointer: '', what: `kill the processes of cgroup ${path}`, paths: killed }],
    paths,
  }
}
