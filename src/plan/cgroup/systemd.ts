import { posix } from 'node:path'
import { TsruncError } from '../../errors'
import type { HostFacts, PlanOptions, SystemdFacts } from '../../host/facts'
import type { Spec } from '../../spec/types'
import { ANNOTATIONS, annotationPointer } from '../annotations'
import type { Op } from '../ops'
import type { CgroupPlan } from './cgroup-plan'
import { DbusWriter, dbusArray, dbusBoolean, dbusString } from './dbus'
import type { DevicePolicy } from './device-rules'
import { cgroupPathPointer } from './path'
import { ownPlaceV2 } from './place'
import { cgroupError, type Setting, type Warn } from './setting'
import { subgroupOf, withDelegated } from './subgroup'
import { annotatedProperties } from './systemd-annotations'
import { type SystemdBus, systemdBus } from './systemd-bus'
import { deviceProperties } from './systemd-devices'
import { type SystemdUnit, systemdUnit, unitObject } from './systemd-path'
import {
  accounting,
  mirroredProperties,
  OLD_SYSTEMD,
  PID_PROPERTY,
  property,
  propertyList,
  type UnitProperty,
} from './systemd-properties'
import { planV1 } from './v1'
import { planV2 } from './v2'

/** What the container asks for. */
export interface CgroupRequest {
  readonly spec: Spec
  readonly settings: readonly Setting[]
  readonly devices: DevicePolicy | undefined
  readonly joinsFromHost: boolean
}

/** Documentation of the unit: by it delete knows that a unit of the name is this container's, and a person whose it is. */
const markOf = ({ root, id }: PlanOptions): string => `file:${encodeURI(posix.join(root, id, 'config.json'))}`

/** The arguments of StartTransientUnit; `pidOffset`: where the process's number stands, 0 where there is none. */
function startBody(unit: SystemdUnit, properties: readonly UnitProperty[]) {
  const writer = new DbusWriter()
  writer.write(dbusString(unit.unit))
  // A job that is there already for the unit is not to be thrown over.
  writer.write(dbusString('fail'))
  // The process comes last, so that its number is the end of the array.
  writer.write(propertyList(unit.isSlice ? properties : [...properties, PID_PROPERTY]))
  const pidOffset = unit.isSlice ? 0 : writer.length - 4
  writer.write(dbusArray('(sa(sv))', []))
  return { body: writer.finish(), pidOffset }
}

function unitProperties(
  unit: SystemdUnit,
  { spec, settings, devices }: CgroupRequest,
  options: PlanOptions,
  version: 1 | 2,
  warn: Warn,
): readonly UnitProperty[] {
  return [
    property('Description', dbusString(`tsrunc container ${options.id}`)),
    property('Documentation', dbusArray('s', [dbusString(markOf(options))])),
    // What a slice is in follows from its name.
    unit.isSlice
      ? property('Wants', dbusArray('s', [dbusString(unit.slice)]))
      : property('Slice', dbusString(unit.slice)),
    ...(unit.isSlice ? [] : [property('Delegate', dbusBoolean(true))]),
    property('DefaultDependencies', dbusBoolean(false)),
    ...accounting(version),
    ...mirroredProperties(settings, version),
    ...(version === 1 ? deviceProperties(devices, warn) : []),
    ...annotatedProperties(spec),
  ]
}

interface Place {
  readonly unit: SystemdUnit
  readonly bus: SystemdBus
  /** Beneath the mount point of each hierarchy. */
  readonly path: string
  readonly pointer: string
}

function startOp(
  { unit, bus, path, pointer }: Place,
  properties: readonly UnitProperty[],
  { version, directories }: { readonly version: 1 | 2; readonly directories: readonly string[] },
): Op {
  const { body, pidOffset } = startBody(unit, properties)
  const old = properties.filter(({ since }) => since <= OLD_SYSTEMD)
  // Of the same length up to the process, or there is none to try.
  const reduced = startBody(unit, old)
  return {
    kind: 'startUnit',
    pointer,
    what: `start unit ${unit.unit} of systemd`,
    ...bus,
    unit: unit.unit,
    body,
    reduced: old.length === properties.length ? new Uint8Array() : reduced.body,
    pidOffset,
    reducedPidOffset: reduced.pidOffset,
    hierarchy: version === 2 ? '' : 'name=systemd',
    path,
    directories,
  }
}

/** Processes are killed by files: systemd would ask them first, and wait for them. */
function destroyOps({ unit, bus }: Place, options: PlanOptions, kill: readonly Op[]): readonly Op[] {
  const own = { pointer: '', ...bus, unit: unit.unit, object: unitObject(unit.unit), mark: markOf(options) }
  return [
    { kind: 'checkUnit', what: `look at unit ${unit.unit} of systemd`, ...own },
    ...kill,
    { kind: 'stopUnit', what: `stop unit ${unit.unit} of systemd`, ...own },
  ]
}

/** Errors: NO_SYSTEMD, CGROUP_UNAVAILABLE. */
function running({ systemd, cgroup }: HostFacts): SystemdFacts {
  if (systemd === undefined) {
    // runc's words.
    throw new TsruncError('NO_SYSTEMD', 'systemd not running on this host, cannot use systemd cgroups manager')
  }
  if (cgroup.version === 1 && systemd.instance === 'user') {
    const why = 'the systemd of a user makes cgroups of version 2 only, and this host has version 1'
    throw cgroupError('CGROUP_UNAVAILABLE', why, '')
  }
  return systemd
}

/** By files, with what systemd has made already: init has to be there before a unit can have it. */
const byFilesV1 = (plan: CgroupPlan): readonly Op[] =>
  // systemd has its own hierarchy and some others.
  [...plan.before, ...plan.afterClone].map((op): Op => (op.kind === 'makeCgroup' ? { ...op, mustBeEmpty: false } : op))

/** What systemd does not do: it makes no cgroup beneath the unit's, and puts nothing into a slice. */
function byFilesV2(plan: CgroupPlan, { unit, path, pointer }: Place, subgroup: string): readonly Op[] {
  const ops = [...plan.before, ...plan.afterClone]
  const make = subgroup === '' ? [] : ops.filter(({ kind }) => kind === 'makeCgroup')
  const join: readonly Op[] =
    subgroup !== '' || unit.isSlice
      ? [
          {
            kind: 'joinCgroup',
            pointer,
            what: `enter cgroup ${subgroup === '' ? path : `${path}/${subgroup}`}`,
            path: plan.directory,
          },
        ]
      : []
  // Controllers are enabled beneath a cgroup that has no process.
  return [...make, ...join, ...ops.filter(({ kind }) => kind !== 'makeCgroup')]
}

function planUnit(
  { settings, devices, joinsFromHost, spec }: CgroupRequest,
  place: Place,
  { cgroup, euid }: HostFacts,
  warn: Warn,
) {
  const subgroup = subgroupOf(spec)
  const { path, pointer } = place
  if (cgroup.version === 2) {
    const own = ownPlaceV2(subgroup === '' ? path : `${path}/${subgroup}`, cgroup, euid)
    const files = planV2(own, pointer, settings, devices)
    const directory = `${cgroup.mountPoint}${path}`
    return {
      version: 2,
      directories: [directory],
      ops: byFilesV2(files, place, subgroup),
      plan: {
        ...withDelegated(files, spec, own),
        destroy: [
          { kind: 'killCgroups', pointer: '', what: `kill the processes of cgroup ${path}`, paths: [directory] },
        ],
      },
    } as const
  }
  if (cgroup.version === 0) throw cgroupError('CGROUP_UNAVAILABLE', 'this host has no cgroups mounted', pointer)
  if (subgroup !== '') {
    const name = ANNOTATIONS.systemdSubgroup
    warn(`the annotation ${name} is for cgroup v2 (config.json ${annotationPointer(name)})`)
  }
  const files = planV1(cgroup.hierarchies, path, pointer, settings, devices, joinsFromHost)
  return {
    version: 1,
    directories: files.paths,
    ops: byFilesV1(files),
    plan: withDelegated(files, spec, undefined),
  } as const
}

/**
 * The container's cgroup as a unit of systemd, which gets init as its process; then, by files, all that was asked for,
 * also what systemd has a property for: that file has the exact value.
 *
 * Errors: NO_SYSTEMD, BUS_ADDRESS, ANNOTATION, CGROUP_PATH, CGROUP_UNAVAILABLE, and those of planV1 and planV2.
 */
export function planSystemd(request: CgroupRequest, options: PlanOptions, facts: HostFacts, warn: Warn): CgroupPlan {
  const { instance, root } = running(facts)
  const { spec } = request
  const unit = systemdUnit(spec, options.id, instance === 'user' ? 'user.slice' : 'system.slice')
  const pointer = cgroupPathPointer(spec)
  const place = { unit, bus: systemdBus(instance, options.environment), path: `${root}${unit.path}`, pointer }
  const { version, directories, ops, plan } = planUnit(request, place, facts, warn)
  const properties = unitProperties(unit, request, options, version, warn)
  return {
    ...plan,
    before: [],
    intoCgroup: '',
    afterClone: [startOp(place, properties, { version, directories }), ...ops],
    destroy: destroyOps(place, options, plan.destroy),
  }
}
