import type { HostFacts } from '../../host/facts'
import type { Resources } from '../../spec/types'
import type { Op } from '../ops'
import { blockIoV2 } from './block-io'
import type { CgroupPlan } from './cgroup-plan'
import { cpuV2 } from './cpu'
import { deviceProgramV2 } from './device-program'
import type { DevicePolicy } from './device-rules'
import { hugepages } from './hugepages'
import { memoryV2 } from './memory'
import { refuseNetworkV2 } from './network'
import { pids } from './pids'
import type { PlaceV2 } from './place'
import { rdma } from './rdma'
import { applyOps, cgroupError, type Setting, type Warn } from './setting'
import { unifiedV2 } from './unified'

/** config-linux.md "Control groups": controllers beyond those needed may be attached. Engines read these. */
const USUAL_CONTROLLERS = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma']

/** What linux.resources asks for, but for devices, in the files of cgroup v2, in the order of writing. */
export function settingsV2(resources: Resources, facts: HostFacts, warn: Warn): readonly Setting[] {
  const { memory, cpu, blockIO, hugepageLimits, network, unified } = resources
  if (network !== undefined) refuseNetworkV2(network)
  return [
    ...(memory === undefined ? [] : memoryV2(memory, facts, warn)),
    ...(cpu === undefined ? [] : cpuV2(cpu, warn)),
    ...(resources.pids === undefined ? [] : pids(resources.pids)),
    ...(blockIO === undefined ? [] : blockIoV2(blockIO)),
    ...(hugepageLimits === undefined ? [] : hugepages(hugepageLimits, facts, 'max')),
    ...(resources.rdma === undefined ? [] : rdma(resources.rdma)),
    // Last: what is said in v2's own words counts.
    ...(unified === undefined ? [] : unifiedV2(unified)),
  ]
}

/** systemd gives the user's service manager few controllers by default (systemd.resource-control(5) Delegate=). */
const DELEGATE =
  'let systemd delegate it: write "[Service]" and "Delegate=cpu cpuset io memory pids" into ' +
  '/etc/systemd/system/user@.service.d/delegate.conf, then systemctl daemon-reload, and log in anew'

/** Errors: CGROUP_CONTROLLER_MISSING for a property whose controller the host's cgroup v2 does not have. */
export function planV2(
  place: PlaceV2,
  pathPointer: string,
  settings: readonly Setting[],
  devices: DevicePolicy | undefined,
): CgroupPlan {
  const { path, root } = place
  const directory = `${place.mountPoint}${path}`
  const early = settings.filter((setting) => !forbidsClone(setting))
  const late = settings.filter(forbidsClone)
  return {
    before: [
      {
        kind: 'makeCgroup',
        pointer: pathPointer,
        what: `make cgroup ${path}`,
        root,
        path: directory,
        cpuset: false,
        mustBeEmpty: true,
      },
      ...enableOps(place, directory, pathPointer, settings),
      ...early.flatMap((setting) => applyOps(directory, setting)),
      ...filterOps(directory, devices),
    ],
    intoCgroup: directory,
    directory,
    afterClone: late.flatMap((setting) => applyOps(directory, setting)),
    afterNamespaces: [],
    delegated: '',
    enter: [],
    destroy: [{ kind: 'killCgroups', pointer: '', what: `kill the processes of cgroup ${path}`, paths: [directory] }],
    paths: [directory],
    frozenFile: `${directory}/cgroup.events`,
    frozenText: 'frozen 1',
  }
}

/** CLONE_INTO_CGROUP counts as a fork in the cgroup: with a limit of no processes, init must be there before it. */
const forbidsClone = ({ file, value }: Setting): boolean => file === 'pids.max' && value === '0'

/** `usual`: enable what engines read, too, where that can be. */
export function enableOps(
  { path, root, controllers: available, user }: PlaceV2,
  directory: string,
  pathPointer: string,
  settings: readonly Setting[],
  usual = true,
): readonly Op[] {
  const needed = new Map<string, Setting>()
  for (const setting of settings) {
    const { controller } = setting
    if (controller === '' || needed.has(controller)) continue
    if (!available.includes(controller)) throw missing(setting, available, user)
    needed.set(controller, setting)
  }
  const optional = USUAL_CONTROLLERS.filter((name) => available.includes(name) && !needed.has(name))
  const op = { kind: 'enableControllers', root, path: directory } as const
  // One operation for each needed controller, so that a refusal names the property that needs it.
  const out: Op[] = [...needed].map(([controller, { pointer, what }]) => ({
    ...op,
    pointer,
    what,
    controllers: [controller],
    optional: [],
  }))
  if (usual && optional.length > 0) {
    const what = `enable controllers for cgroup ${path}`
    out.push({ ...op, pointer: pathPointer, what, controllers: [], optional })
  }
  return out
}

function missing({ controller, what, pointer }: Setting, available: readonly string[], user: number | undefined) {
  const has = available.length === 0 ? 'none' : available.join(', ')
  const where = user === undefined ? 'available in cgroup v2 of this host' : `delegated to user ${user}`
  const message = `${what}: the ${controller} controller is not ${where} (it has ${has})`
  const advice = user === undefined ? '' : `; ${DELEGATE}`
  return cgroupError('CGROUP_CONTROLLER_MISSING', `${message}${advice}`, pointer)
}

function filterOps(directory: string, devices: DevicePolicy | undefined): readonly Op[] {
  const program = devices === undefined ? undefined : deviceProgramV2(devices)
  if (devices === undefined || program === undefined) return []
  return [
    {
      kind: 'attachDeviceFilter',
      pointer: devices.pointer,
      what: 'limit the use of devices',
      path: directory,
      program,
    },
  ]
}
