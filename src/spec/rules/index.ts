import type { Fault, Rule } from '../fault'
import type { Resources, Spec } from '../types'
import { CGROUP_RULES } from './cgroups'
import { DEVICE_RULES } from './devices'
import { ID_MAPPING_RULES } from './id-mappings'
import { IDMAPPED_MOUNT_RULES } from './idmapped-mounts'
import { INTEL_RDT_RULES } from './intel-rdt'
import { MOUNT_LABEL_RULES } from './labels'
import { MEMORY_POLICY_RULES } from './memory-policy'
import { MOUNT_RULES } from './mounts'
import { NAMESPACE_RULES, TIME_RULES } from './namespaces'
import { NET_DEVICE_RULES } from './net-devices'
import { PERSONALITY_RULES } from './personality'
import { PROCESS_RULES } from './process'
import { SCHEDULER_RULES } from './scheduler'
import { SECCOMP_RULES } from './seccomp'
import { SYSCTL_RULES } from './sysctl'
import { VERSION_RULES } from './version'

/** Rules that only look at one property, and that property. */
interface Chapter {
  readonly property: (spec: Spec) => unknown
  readonly rules: readonly Rule[]
}

const CHAPTERS: readonly Chapter[] = [
  { property: (spec) => spec.ociVersion, rules: VERSION_RULES },
  { property: (spec) => spec.mounts, rules: [...MOUNT_RULES, ...IDMAPPED_MOUNT_RULES] },
  { property: (spec) => spec.process, rules: PROCESS_RULES },
  { property: (spec) => spec.process?.scheduler, rules: SCHEDULER_RULES },
  { property: () => true, rules: NAMESPACE_RULES },
  { property: () => true, rules: ID_MAPPING_RULES },
  { property: (spec) => spec.linux?.mountLabel, rules: MOUNT_LABEL_RULES },
  { property: (spec) => spec.linux?.timeOffsets, rules: TIME_RULES },
  { property: (spec) => spec.linux?.devices, rules: DEVICE_RULES },
  { property: (spec) => spec.linux?.netDevices, rules: NET_DEVICE_RULES },
  { property: (spec) => spec.linux?.resources, rules: CGROUP_RULES },
  { property: (spec) => spec.linux?.sysctl, rules: SYSCTL_RULES },
  { property: (spec) => spec.linux?.seccomp, rules: SECCOMP_RULES },
  { property: (spec) => spec.linux?.intelRdt, rules: INTEL_RDT_RULES },
  { property: (spec) => spec.linux?.personality, rules: PERSONALITY_RULES },
  { property: (spec) => spec.linux?.memoryPolicy, rules: MEMORY_POLICY_RULES },
]

/** Every rule, for documentation and tests. */
export const RULES: readonly Rule[] = CHAPTERS.flatMap(({ rules }) => rules)

/** Those that look at a process alone. */
export const PROCESS_ALONE_RULES: readonly Rule[] = [...PROCESS_RULES, ...SCHEDULER_RULES]

/** What is wrong with a spec that the schema accepts. Rules of a chapter that is absent have nothing to say. */
export function ruleFaults(spec: Spec): readonly Fault[] {
  return CHAPTERS.flatMap(({ property, rules }) => (property(spec) === undefined ? [] : faultsOf(rules, spec)))
}

/** What is wrong with a process alone, by pointers from the process itself. */
export function processFaults(process: NonNullable<Spec['process']>): readonly Fault[] {
  const spec: Spec = { ociVersion: '', process }
  const rules = process.scheduler === undefined ? PROCESS_RULES : PROCESS_ALONE_RULES
  return faultsOf(rules, spec).map((fault) => ({ ...fault, pointer: fault.pointer.replace(/^\/process/, '') }))
}

/** Those that look at resources alone. */
export const RESOURCES_ALONE_RULES: readonly Rule[] = CGROUP_RULES

/**
 * What is wrong with new resources of a container that exists, by pointers from the resources themselves. A limit of swap
 * may come alone: there is one of memory already.
 */
export function resourcesFaults(resources: Resources): readonly Fault[] {
  const spec: Spec = { ociVersion: '', linux: { resources } }
  const alone = BigInt(resources.memory?.limit ?? 0) === 0n
  const rules = CGROUP_RULES.filter(({ id }) => !(alone && id === 'memory-swap'))
  return faultsOf(rules, spec).map((fault) => ({
    ...fault,
    pointer: fault.pointer.replace(/^\/linux\/resources/, ''),
    message: fault.message.replaceAll('/linux/resources/', '/'),
  }))
}

function faultsOf(rules: readonly Rule[], spec: Spec): Fault[] {
  const faults: Fault[] = []
  for (const { id, section, severity, check } of rules) {
    check(spec, (pointer, message, suggestion) =>
      faults.push({
        severity,
        rule: id,
        pointer,
        message,
        section,
        ...(suggestion === undefined ? {} : { suggestion }),
      }),
    )
  }
  return faults
}
