import { quote, TsruncError } from '../errors'
import type { Spec } from '../spec/types'
import { pointerStep } from './paths'

/** Annotations of crun that this planner acts on, beside those of the profile for system calls and of labels. */
export const ANNOTATIONS = {
  hooksStdout: 'run.oci.hooks.stdout',
  hooksStderr: 'run.oci.hooks.stderr',
  keepOriginalGroups: 'run.oci.keep_original_groups',
  pidfdReceiver: 'run.oci.pidfd_receiver',
  systemdSubgroup: 'run.oci.systemd.subgroup',
  delegateCgroup: 'run.oci.delegate-cgroup',
} as const

/** What another runtime would do and tsrunc does not: a container without it may not be what was asked for. */
const FOREIGN = ['run.oci.handler', 'run.oci.systemd.force_cgroup_v1'] as const

export const annotationPointer = (name: string): string => `/annotations/${pointerStep(name)}`

export function refusedAnnotation(name: string, value: string, wanted: string): TsruncError {
  const message = `the annotation ${name} must be ${wanted}, not ${quote(value)}`
  return new TsruncError('ANNOTATION', message, { pointer: annotationPointer(name) })
}

/** Errors: ANNOTATION for a value that is neither "1", "true", "0" nor "false". */
export function flagAnnotation({ annotations }: Spec, name: string): boolean {
  const value = annotations?.[name] ?? '0'
  if (value === '1' || value === 'true') return true
  if (value === '0' || value === 'false') return false
  throw refusedAnnotation(name, value, '"1" or "0"')
}

/** A path of the host with the pointer of who asks for it. Errors: ANNOTATION for one that is not absolute. */
export function pathAnnotation(
  { annotations }: Spec,
  name: string,
): { readonly path: string; readonly pointer: string } | undefined {
  const path = annotations?.[name]
  if (path === undefined) return undefined
  if (!path.startsWith('/')) throw refusedAnnotation(name, path, 'an absolute path')
  return { path, pointer: annotationPointer(name) }
}

/** config.md "Annotations": unknown ones MUST be ignored, those of other runtimes that matter are worth a word. */
export const foreignAnnotations = ({ annotations = {} }: Spec): readonly string[] =>
  FOREIGN.filter((name) => Object.hasOwn(annotations, name)).map(
    (name) => `tsrunc does not act on the annotation ${name} (config.json ${annotationPointer(name)})`,
  )
