import type { CgroupFacts, HostFacts } from '../../host/facts'
import type { CpuLimits, MemoryLimits, Resources } from '../../spec/types'
import type { Op } from '../ops'
import type { SavedUnit } from '../saved-unit'
import { deviceListV1 } from './device-list'
import { deviceProgramV2 } from './device-program'
import { type DevicePolicy, devicePolicy } from './device-rules'
import { deviceUpdateV1 } from './device-update'
import { ownPlaceV2 } from './place'
import { applyOps, cgroupError, type Setting, type Warn, writeOp } from './setting'
import { controllerOf, filesOfUnit, tellUnit } from './systemd-update'
import { settingsV1 } from './v1'
import { enableOps, settingsV2 } from './v2'

/** `safe`: a limit of memory below what is used takes effect by reclaim, and never by the OOM killer. */
export type MemoryMode = 'plain' | 'safe'

/** How long `safe` may take. */
const RECLAIM_MILLISECONDS = 10_000

/** The container whose limits change. */
export interface UpdateTarget {
  /** Its cgroup directories, as create saved them. */
  readonly paths: readonly string[]
  /** What the files of filesRead say now, by their names; a file that is not there is absent. */
  readonly current: Readonly<Record<string, string>>
  /** The unit of systemd that the cgroup is. */
  readonly unit: SavedUnit | undefined
}

/** On these the order of writing depends, and what a value that is given alone goes with. */
const FILES_READ = {
  memory: ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes', 'memory.max'],
  cpu: [
    ...['cpu.cfs_period_us', 'cpu.cfs_quota_us', 'cpu.cfs_burst_us', 'cpu.rt_period_us', 'cpu.max', 'cpu.max.burst'],
    ...['cpu.idle', 'cpu.shares', 'cpu.weight'],
  ],
  devices: ['devices.list'],
} as const

/** The container's directory that has the files of a controller. */
function directoryOf(controller: string, paths: readonly string[], cgroup: CgroupFacts): string | undefined {
  if (cgroup.version === 0) return undefined
  if (cgroup.version === 2) return paths[0]
  const mountPoint = cgroup.hierarchies.find(({ controllers }) => controllers.includes(controller))?.mountPoint
  return mountPoint === undefined ? undefined : paths.find((path) => path.startsWith(`${mountPoint}/`))
}

/** The files whose content decides what the update of these resources does: their paths, by their names. */
export function filesRead(
  resources: Resources,
  paths: readonly string[],
  { cgroup }: HostFacts,
  hasUnit: boolean,
): ReadonlyMap<string, string> {
  const names = [
    ...(resources.memory === undefined ? [] : FILES_READ.memory),
    ...(resources.cpu === undefined ? [] : FILES_READ.cpu),
    ...(resources.devices === undefined ? [] : FILES_READ.devices),
    ...(hasUnit && cgroup.version !== 0 ? filesOfUnit(cgroup.version) : []),
  ]
  return new Map(
    names.flatMap((name) => {
      const directory = directoryOf(controllerOf(name), paths, cgroup)
      return directory === undefined ? [] : [[name, `${directory}/${name}`] as const]
    }),
  )
}

/**
 * The operations that change the limits of a container, each of which the engine can take back. What `resources` does not
 * name stays as it is.
 *
 * Errors: those of planCgroup.
 */
export function planUpdate(
  resources: Resources,
  target: UpdateTarget,
  mode: MemoryMode,
  facts: HostFacts,
  warn: Warn,
): readonly Op[] {
  const { cgroup } = facts
  const [path] = target.paths
  if (cgroup.version === 0 || path === undefined) {
    throw cgroupError('CGROUP_UNAVAILABLE', 'change the limits: the container has no cgroup', '/linux/resources')
  }
  const { devices = [] } = resources
  const policy = facts.inUserNamespace || facts.euid !== 0 ? undefined : devicePolicy(devices)
  return cgroup.version === 1
    ? updateV1(resources, policy, target, cgroup, facts, warn)
    : updateV2(resources, policy, { ...target, path }, mode, cgroup, facts, warn)
}

const numberOf = (text: string | undefined): bigint | undefined =>
  text !== undefined && /^-?\d+$/.test(text) ? BigInt(text) : undefined

function updateV1(
  resources: Resources,
  policy: DevicePolicy | undefined,
  { paths, current, unit }: UpdateTarget,
  cgroup: CgroupFacts,
  facts: HostFacts,
  warn: Warn,
): readonly Op[] {
  const memory = resources.memory === undefined ? undefined : withSwapV1(resources.memory, current)
  const completed = memory === undefined ? resources : { ...resources, memory }
  const find = (controller: string): string | undefined => directoryOf(controller, paths, cgroup)
  const directoryFor = ({ controller, what, pointer }: Setting): string => {
    const path = find(controller)
    if (path !== undefined) return path
    const why = `the container has no cgroup of the ${controller} controller`
    throw cgroupError('CGROUP_CONTROLLER_MISSING', `${what}: ${why}`, pointer)
  }
  const ordered = weightBeforeIdle(orderV1(settingsV1(completed, facts, warn), current), 'cpu.shares', current)
  const ops = ordered.map((setting) => writeOp(directoryFor(setting), setting, true))
  const told = tellUnit(unit, 1, { settings: ordered, devices: policy, current, directoryOf: find }, warn)
  if (policy === undefined) return [...ops, ...told]
  const list = deviceListV1(policy)
  const [first] = list
  const directory = first === undefined ? '' : directoryFor(first)
  return [...ops, ...deviceUpdateV1(list, current['devices.list'] ?? '', directory), ...told]
}

/** Unlimited memory alone asks for unlimited swap too, as with runc. Errors: CGROUP_VALUE. */
function withSwapV1(memory: MemoryLimits, current: UpdateTarget['current']): MemoryLimits {
  const limit = BigInt(memory.limit ?? 0)
  const swap = BigInt(memory.swap ?? 0)
  const now = numberOf(current['memory.memsw.limit_in_bytes'])
  if (now === undefined || limit === 0n || swap !== 0n) return memory
  if (limit < 0n) return { ...memory, swap: -1 }
  if (limit <= now) return memory
  const why = `that is above the limit of memory and swap, ${now} bytes: raise that as well (memory.swap, --memory-swap)`
  throw cgroupError('CGROUP_VALUE', `limit memory to ${limit} bytes: ${why}`, '/linux/resources/memory/limit')
}

/** Writes the file `second` before `first`, where both are written. */
function swapped(settings: readonly Setting[], first: string, second: string): readonly Setting[] {
  const one = settings.findIndex(({ file }) => file === first)
  const other = settings.findIndex(({ file }) => file === second)
  const [early, late] = [settings[one], settings[other]]
  if (early === undefined || late === undefined || one > other) return settings
  return settings.map((setting, index) => (index === one ? late : index === other ? early : setting))
}

const writtenTo = (settings: readonly Setting[], name: string): bigint | undefined =>
  numberOf(settings.find(({ file }) => file === name)?.value)

/**
 * The kernel checks each write against what the other files say at that moment; so that no state in between is refused
 * which neither the old nor the new values would be.
 */
function orderV1(settings: readonly Setting[], current: UpdateTarget['current']): readonly Setting[] {
  const now = (file: string): bigint => numberOf(current[file]) ?? 0n
  let out = settings
  // limit <= memsw at any time.
  const memsw = writtenTo(out, 'memory.memsw.limit_in_bytes')
  if (memsw !== undefined && (memsw < 0n || now('memory.limit_in_bytes') < memsw)) {
    out = swapped(out, 'memory.limit_in_bytes', 'memory.memsw.limit_in_bytes')
  }
  // quota/period of a child is at most that of its parent: between old and new it must not be above both.
  const period = writtenTo(out, 'cpu.cfs_period_us')
  if (period !== undefined && period < now('cpu.cfs_period_us')) {
    out = swapped(out, 'cpu.cfs_period_us', 'cpu.cfs_quota_us')
  }
  const realtime = writtenTo(out, 'cpu.rt_period_us')
  if (realtime !== undefined && realtime < now('cpu.rt_period_us')) {
    out = swapped(out, 'cpu.rt_period_us', 'cpu.rt_runtime_us')
  }
  return burstFirst(out, 'cpu.cfs_burst_us', now('cpu.cfs_burst_us'))
}

/** burst <= quota at any time: a smaller one goes before the quota, a greater one stays behind it. */
function burstFirst(settings: readonly Setting[], name: string, now: bigint): readonly Setting[] {
  const burst = settings.find(({ file }) => file === name)
  if (burst === undefined || BigInt(burst.value) >= now) return settings
  return [burst, ...settings.filter((setting) => setting !== burst)]
}

/**
 * A cgroup that becomes idle forgets its weight (sched_group_set_idle() of the kernel): the one in force is written first, as
 * it is, so that it is put back behind idleness, should a later operation fail.
 */
function weightBeforeIdle(
  settings: readonly Setting[],
  file: 'cpu.shares' | 'cpu.weight',
  current: UpdateTarget['current'],
): readonly Setting[] {
  const idle = settings.find((setting) => setting.file === 'cpu.idle')
  const value = current[file]
  const forgets = idle !== undefined && idle.value !== '0' && current['cpu.idle'] === '0'
  if (!forgets || value === undefined || settings.some((setting) => setting.file === file)) return settings
  const what = `keep the weight ${value} for what comes after idleness`
  return settings.flatMap((setting) => (setting === idle ? [{ ...setting, file, value, what }, setting] : [setting]))
}

function updateV2(
  resources: Resources,
  policy: DevicePolicy | undefined,
  { path, current, unit }: UpdateTarget & { readonly path: string },
  mode: MemoryMode,
  cgroup: Extract<CgroupFacts, { readonly version: 2 }>,
  facts: HostFacts,
  warn: Warn,
): readonly Op[] {
  const memory = resources.memory === undefined ? undefined : withLimitV2(resources.memory, current)
  const cpu = resources.cpu === undefined ? undefined : withQuotaV2(resources.cpu, current)
  const completed = { ...resources, ...(memory === undefined ? {} : { memory }), ...(cpu === undefined ? {} : { cpu }) }
  const burst = numberOf(current['cpu.max.burst']) ?? 0n
  const ordered = burstFirst(settingsV2(completed, facts, warn), 'cpu.max.burst', burst)
  const settings = weightBeforeIdle(ordered, 'cpu.weight', current)
  const relative = path.slice(cgroup.mountPoint.length)
  return [
    ...enableOps(ownPlaceV2(relative, cgroup, facts.euid), path, '', settings, false),
    ...settings.flatMap((setting) => [
      ...(mode === 'safe' ? loweringOps(path, setting) : []),
      ...applyOps(path, setting, true),
    ]),
    ...filterOps(path, policy),
    ...tellUnit(unit, 2, { settings, devices: policy, current, directoryOf: () => path }, warn),
  ]
}

/** memory.swap.max is swap alone: a new limit of both together is taken with the limit of memory that is in force. */
function withLimitV2(memory: MemoryLimits, current: UpdateTarget['current']): MemoryLimits {
  if (BigInt(memory.swap ?? 0) <= 0n || BigInt(memory.limit ?? 0) !== 0n) return memory
  const limit = numberOf(current['memory.max'])
  return limit === undefined ? memory : { ...memory, limit }
}

/** cpu.max is both at once: what is not given stays. */
function withQuotaV2(cpu: CpuLimits, current: UpdateTarget['current']): CpuLimits {
  const quota = BigInt(cpu.quota ?? 0)
  const period = BigInt(cpu.period ?? 0)
  if ((quota === 0n) === (period === 0n)) return cpu
  const [runtime = '', length = ''] = (current['cpu.max'] ?? '').split(' ', 2)
  return quota === 0n ? { ...cpu, quota: numberOf(runtime) ?? -1 } : { ...cpu, period: numberOf(length) ?? 0 }
}

function loweringOps(path: string, { file, value, pointer, what }: Setting): readonly Op[] {
  const limit = file === 'memory.max' ? numberOf(value) : undefined
  if (limit === undefined) return []
  return [{ kind: 'lowerMemory', pointer, what, path, limit, milliseconds: RECLAIM_MILLISECONDS }]
}

function filterOps(path: string, policy: DevicePolicy | undefined): readonly Op[] {
  if (policy === undefined) return []
  const program = deviceProgramV2(policy) ?? new Uint8Array()
  return [{ kind: 'replaceDeviceFilter', pointer: policy.pointer, what: 'limit the use of devices', path, program }]
}
