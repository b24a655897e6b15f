import { quote } from '../../errors'
import type { HostFacts, PlanOptions } from '../../host/facts'
import type { Resources, Spec } from '../../spec/types'
import { ANNOTATIONS, annotationPointer } from '../annotations'
import { type CgroupPlan, NO_CGROUP } from './cgroup-plan'
import { type DevicePolicy, devicePolicy } from './device-rules'
import { cgroupPath, cgroupPathPointer } from './path'
import { isRootless, placeV2 } from './place'
import { cgroupError, MAX, type Setting, type Warn } from './setting'
import { subgroupOf, withDelegated } from './subgroup'
import { planSystemd } from './systemd'
import { planV1, settingsV1 } from './v1'
import { planV2, settingsV2 } from './v2'

export type { CgroupPlan } from './cgroup-plan'

/**
 * Plan the container's cgroups: config-linux.md "Control groups", by files (Documentation/admin-guide/cgroup-v1 and
 * cgroup-v2.rst) or by systemd. Pure.
 *
 * Errors: CGROUP_PATH, CGROUP_VALUE, CGROUP_DEVICES, CGROUP_NOT_CONVERTIBLE, CGROUP_CONTROLLER_MISSING,
 * CGROUP_UNAVAILABLE, each with the JSON pointer of the property; and those of planSystemd.
 */
export function planCgroup(spec: Spec, options: PlanOptions, facts: HostFacts, warn: Warn): CgroupPlan {
  const resources = spec.linux?.resources ?? {}
  const { cgroup } = facts
  const settings = cgroup.version === 2 ? settingsV2(resources, facts, warn) : settingsV1(resources, facts, warn)
  const devices = devicesOf(resources, facts)
  if (options.cgroupManager === 'disabled') return withDelegated(disabled(settings, devices, warn), spec, undefined)
  const request = { spec, settings, devices, joinsFromHost: joinsMountNamespace(spec) }
  if (options.cgroupManager === 'systemd') return planSystemd(request, options, facts, warn)
  warnOfSubgroup(spec, warn)
  const pathPointer = cgroupPathPointer(spec)
  const reason = unavailable(spec, options, facts)
  if (reason !== undefined) {
    if (cgroup.version !== 0) checkDispensable(spec, options, facts, reason, warn)
    return withDelegated(withoutCgroup(reason, settings, devices), spec, undefined)
  }
  if (cgroup.version === 1) {
    const hierarchies = cgroup.hierarchies.filter(({ refused = false }) => !refused)
    const path = cgroupPath(spec, options.id)
    const plan = planV1(hierarchies, path, pathPointer, settings, devices, request.joinsFromHost)
    return withDelegated(plan, spec, undefined)
  }
  const place = cgroup.version === 2 ? placeV2(spec, options.id, cgroup, facts.euid) : undefined
  if (place === undefined) return NO_CGROUP
  return withDelegated(planV2(place, pathPointer, settings, devices), spec, place)
}

function warnOfSubgroup(spec: Spec, warn: Warn): void {
  if (subgroupOf(spec) === '') return
  const name = ANNOTATIONS.systemdSubgroup
  warn(`the annotation ${name} is for --cgroup-manager systemd (config.json ${annotationPointer(name)})`)
}

/** Why the caller cannot make the container's cgroup, or undefined. */
function unavailable(spec: Spec, options: PlanOptions, { cgroup, euid }: HostFacts): string | undefined {
  switch (cgroup.version) {
    case 0:
      return 'this host has no cgroups mounted'
    case 1:
      if (cgroup.hierarchies.some(({ refused = false }) => !refused)) return undefined
      return `user ${euid} may not make cgroups of version 1: they need root, or a host with cgroup v2 that delegates them`
    case 2: {
      if (placeV2(spec, options.id, cgroup, euid) !== undefined) return undefined
      const highest = cgroup.delegated?.at(-1)
      return highest === undefined
        ? `user ${euid} may not make cgroups: its own, ${quote(cgroup.own)}, is in none that was delegated to it ` +
            '(systemd-run --user --scope COMMAND gives it one)'
        : `user ${euid} may make cgroups only beneath ${quote(highest.path)}, which was delegated to it`
    }
  }
}

/** Without a cgroup only a rootless container may be, and one that had a place for it is told so. */
function checkDispensable(spec: Spec, options: PlanOptions, facts: HostFacts, reason: string, warn: Warn): void {
  const pointer = cgroupPathPointer(spec)
  const path = cgroupPath(spec, options.id)
  if (!isRootless(options, facts)) throw cgroupError('CGROUP_UNAVAILABLE', `make cgroup ${path}: ${reason}`, pointer)
  if (pointer !== '') warn(`the container has no cgroup of its own: ${reason} (config.json ${pointer})`)
}

/** Init is then in a namespace where the hierarchies may not be mounted. */
const joinsMountNamespace = ({ linux }: Spec): boolean =>
  linux?.namespaces?.some(({ type, path = '' }) => type === 'mount' && path !== '') === true

/**
 * In a user namespace, or without privileges, the kernel neither lets a device node be made (mknod(2)) nor opens one on
 * a file system of that namespace, nor lets the list be changed: runc leaves the rules out there, and so do we.
 */
function devicesOf({ devices = [] }: Resources, facts: HostFacts): DevicePolicy | undefined {
  const policy = devicePolicy(devices)
  return facts.inUserNamespace || facts.euid !== 0 ? undefined : policy
}

const isLimit = ({ value }: Setting): boolean => value !== MAX && value !== '-1'

/** No cgroup can be made: no matter, unless config.json asks for a limit. */
function withoutCgroup(why: string, settings: readonly Setting[], devices: DevicePolicy | undefined): CgroupPlan {
  refuseLimits(settings, why)
  if (devices !== undefined && limitsDevices(devices)) {
    throw cgroupError('CGROUP_UNAVAILABLE', `limit the use of devices: ${why}`, devices.pointer)
  }
  return NO_CGROUP
}

function refuseLimits(settings: readonly Setting[], why: string): void {
  const limit = settings.find(isLimit)
  if (limit !== undefined) throw cgroupError('CGROUP_UNAVAILABLE', `${limit.what}: ${why}`, limit.pointer)
}

const limitsDevices = ({ allowByDefault, rules }: DevicePolicy): boolean =>
  !allowByDefault || rules.some(({ allow }) => !allow)

/**
 * --cgroup-manager disabled. Rules of devices, which every engine writes whether or not anybody asked for them, are left out
 * with a word; a limit is an error.
 */
function disabled(settings: readonly Setting[], devices: DevicePolicy | undefined, warn: Warn): CgroupPlan {
  refuseLimits(settings, 'there is no cgroup to limit with --cgroup-manager disabled')
  if (devices !== undefined && limitsDevices(devices)) {
    warn(`the rules of devices are not applied with --cgroup-manager disabled (config.json ${devices.pointer})`)
  }
  return NO_CGROUP
}
