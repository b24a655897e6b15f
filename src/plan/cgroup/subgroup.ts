import type { Spec } from '../../spec/types'
import { ANNOTATIONS, annotationPointer, refusedAnnotation } from '../annotations'
import type { Op } from '../ops'
import type { CgroupPlan } from './cgroup-plan'
import type { PlaceV2 } from './place'
import { cgroupError } from './setting'
import { enableOps } from './v2'

/** Errors: ANNOTATION for what is no path beneath the container's cgroup. */
function pathOf({ annotations = {} }: Spec, name: string): string {
  const value = annotations[name] ?? ''
  const path = value.replace(/^\/+|\/+$/g, '')
  const isBeneath = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  if (value !== '' && (!isBeneath || path.includes('\0') || path.includes('\n'))) {
    throw refusedAnnotation(name, value, "a path beneath the container's cgroup")
  }
  return path
}

/** The cgroup beneath the unit of systemd in which crun's annotation wants the container, or ''. Errors: ANNOTATION. */
export const subgroupOf = (spec: Spec): string => pathOf(spec, ANNOTATIONS.systemdSubgroup)

/** The cgroup beneath the container's own that crun's annotation gives to its payload, or ''. Errors: ANNOTATION. */
export const delegatedOf = (spec: Spec): string => pathOf(spec, ANNOTATIONS.delegateCgroup)

/**
 * The container's process is moved into a cgroup beneath the one with its limits, once its cgroup namespace is there:
 * what of that namespace's root is its own to divide has no process then. Controllers are enabled for it, which keeps
 * other processes out of the root.
 *
 * Errors: CGROUP_UNAVAILABLE on cgroup v1, where delegation is not safe, and without a cgroup.
 */
export function withDelegated(plan: CgroupPlan, spec: Spec, place: PlaceV2 | undefined): CgroupPlan {
  const name = delegatedOf(spec)
  if (name === '') return plan
  const pointer = annotationPointer(ANNOTATIONS.delegateCgroup)
  const what = `move the process into cgroup ${name} beneath the container's`
  if (place === undefined || plan.directory === '') {
    throw cgroupError('CGROUP_UNAVAILABLE', `${what}: the container needs a cgroup of version 2`, pointer)
  }
  const path = `${plan.directory}/${name}`
  const within: PlaceV2 = { ...place, root: plan.directory }
  const afterNamespaces: readonly Op[] = [
    { kind: 'makeCgroup', pointer, what, root: plan.directory, path, cpuset: false, mustBeEmpty: true },
    { kind: 'joinCgroup', pointer, what, path },
    ...enableOps(within, path, pointer, []),
  ]
  return { ...plan, delegated: path, afterNamespaces }
}
