import { resolve } from 'node:path'
import type { Caller, CgroupManager, HostFacts, PlanOptions, RootlessMode } from '../host/facts'
import { probeHost } from '../host/probe'
import { traced } from '../host/trace'
import type { HostView } from '../host/view'
import { hasWeights } from '../plan/cgroup/block-io'
import { closName } from '../plan/intel-rdt'
import type { Plan } from '../plan/plan'
import { resolvePlan } from '../plan/resolve'
import type { SeccompProgramRequest } from '../plan/seccomp'
import { describeFault } from '../spec/fault'
import { loadSpec } from '../spec/load'
import type { Spec } from '../spec/types'
import { readConfig, resolveBundle, resolveRootfs } from './bundle'
import { checkId } from './id'

/** A container as its maker asks for it. Paths are absolute. */
export interface CreateOptions {
  readonly id: string
  readonly bundle: string
  /** Another name than config.json, relative to the bundle or absolute. */
  readonly configFile: string | undefined
  /** Directory of all containers' state. */
  readonly root: string
  readonly noPivot: boolean
  readonly noNewKeyring: boolean
  readonly preserveFds: number
  readonly pidFile: string | undefined
  readonly consoleSocket: string | undefined
  readonly pidfdSocket: string | undefined
  readonly detach: boolean
  readonly cgroupManager: CgroupManager
  readonly rootless: RootlessMode
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly caller: Caller
}

/** What planning reaches beyond its arguments. */
export interface Surroundings {
  readonly view: HostView
  readonly compileSeccomp: (request: SeccompProgramRequest) => Uint8Array
}

export interface Planned {
  readonly plan: Plan
  /** Sentences for the log. */
  readonly warnings: readonly string[]
}

/** Shorter texts fit the kernel's limits by pages of any size. */
const LONG_TEXT = 4096

const isLong = (text: string): boolean => text.length >= LONG_TEXT / 3

/** Warnings of one create; a list of 10,000 unknown names is nothing that a log should hold. */
const MOST_WARNINGS = 100

export function few(warnings: readonly string[]): readonly string[] {
  const left = warnings.length - MOST_WARNINGS
  return left <= 0 ? warnings : [...warnings.slice(0, MOST_WARNINGS), `and ${left} warnings more`]
}

function hasLongTexts({ process, hooks, mounts }: Spec): boolean {
  const executed = [process ?? {}, ...Object.values(hooks ?? {}).flat()]
  return (
    executed.some(({ args, env }) => args?.some(isLong) || env?.some(isLong)) ||
    mounts?.some(({ options }) => options?.some(isLong)) === true
  )
}
const isNamed = (value: string | undefined): boolean => value !== undefined && value !== ''

const namespacePaths = (spec: Spec): readonly string[] =>
  spec.linux?.namespaces?.flatMap(({ path }) => path ?? []) ?? []

function probeFor(spec: Spec, { id, cgroupManager, environment }: CreateOptions, view: HostView) {
  const { resources, intelRdt } = spec.linux ?? {}
  const needs = {
    namespacePaths: namespacePaths(spec),
    hugepages: (resources?.hugepageLimits?.length ?? 0) > 0,
    blockIOWeights: hasWeights(resources?.blockIO ?? {}),
    longTexts: hasLongTexts(spec),
    apparmor: isNamed(spec.process?.apparmorProfile),
    selinux: isNamed(spec.process?.selinuxLabel) || isNamed(spec.linux?.mountLabel),
    systemd: cgroupManager === 'systemd' ? environment : undefined,
    resctrlGroup: intelRdt === undefined ? undefined : closName(intelRdt, id),
  }
  return probeHost(needs, view)
}

/** A container as its configuration and its maker want it, and the host where it will be. */
export interface Wanted {
  readonly spec: Spec
  readonly planOptions: PlanOptions
  readonly facts: HostFacts
  /** Sentences for the log. */
  readonly advice: readonly string[]
}

/** Errors: TsruncError INVALID_ID, BUNDLE, CONFIG_FILE, ROOTFS, and those of loadSpec. */
export function readContainer(options: CreateOptions, view: HostView): Wanted {
  checkId(options.id)
  const bundle = resolveBundle(options.bundle, view)
  const config = traced('read config.json', () => readConfig(bundle, options.configFile, view))
  const { spec, warnings } = traced('parse and validate', () =>
    view.memory.content('spec', config.bytes, () => loadSpec(config.bytes, { path: config.path })),
  )
  const rootPath = spec.root?.path ?? ''
  view.prepare({ directories: [resolve(bundle, rootPath)], namespaces: namespacePaths(spec), limits: [] })
  const rootfs = resolveRootfs(bundle, rootPath, view)
  const { configFile: _, ...rest } = options
  const planOptions: PlanOptions = { ...rest, bundle, rootfs, config: config.bytes }
  const facts = traced('look at the host', () => probeFor(spec, options, view))
  const advice = warnings.map((fault) => describeFault(config.path, fault))
  return { spec, planOptions, facts, advice }
}

/**
 * Decide everything about a container: read its configuration, look at the host, resolve the plan. Changes nothing, but
 * for what compileSeccomp keeps for later containers.
 *
 * Errors: those of readContainer and resolvePlan.
 */
export function planContainer(options: CreateOptions, { view, compileSeccomp }: Surroundings): Planned {
  const { spec, planOptions, facts, advice } = readContainer(options, view)
  const resolved = traced('plan', () => resolvePlan(spec, planOptions, facts, compileSeccomp))
  return { plan: resolved.plan, warnings: few([...advice, ...resolved.warnings]) }
}
