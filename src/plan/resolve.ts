import { quote } from '../errors'
import type { HostFacts, PlanOptions } from '../host/facts'
import type { Process, Spec } from '../spec/types'
import { foreignAnnotations } from './annotations'
import { append, PlanBuilder } from './builder'
import { planCgroup } from './cgroup'
import { planCgroupOwner, planDelegatedOwner } from './cgroup-owner'
import { planBecomeRoot, planClone, planIdentity, planWriteIdMaps } from './clone'
import { checkConsole, planConsole, planPidfdReceiver, planSendConsole, planSendPidfd } from './console'
import { type CredentialsPlan, planCredentials } from './credentials'
import { planDescriptors } from './descriptors'
import { planDestroy } from './destroy'
import { planDevices } from './devices'
import { checkExecSize } from './exec-size'
import { planHeader } from './header'
import { planHooks } from './hooks'
import { planIdMaps } from './id-maps'
import { mappedTrees } from './idmapped-mounts'
import { planIntelRdt } from './intel-rdt'
import { checkLabels, planKeyring, planProcessLabels } from './labels'
import { enterLate, makesCgroupsLate } from './late-enter'
import { planMounts, planReadonlyMounts } from './mounts'
import { planNamespaces } from './namespaces'
import { planNetDevices } from './net-devices'
import { planNotify } from './notify'
import { type Op, STEPS } from './ops'
import { PLAN_VERSION, type Plan } from './plan'
import { planEnvironment, planOomScoreAdj, planProcess, planRaiseRlimits } from './process'
import {
  planEnterRoot,
  planJournalMounts,
  planOpenRoot,
  planReadonlyRoot,
  planRestrictedPaths,
  planWorkingDirectory,
} from './rootfs'
import { planScheduling } from './scheduling'
import { type CompileSeccomp, planFilter, type SeccompFilter } from './seccomp-filter'
import { planListener } from './seccomp-listener'
import { planSysctls } from './sysctl'
import { checkSupported } from './unsupported'

type Step = keyof typeof STEPS
type SyncKind = 'releaseInit' | 'awaitInit' | 'reportToHost' | 'awaitHost'

const SYNC = {
  releaseInit: 'let init go on',
  awaitInit: 'wait for init',
  reportToHost: 'report to tsrunc',
  awaitHost: 'wait for tsrunc',
} as const satisfies Readonly<Record<SyncKind, string>>

const sync = (kind: SyncKind, step: Step): Op => ({ kind, pointer: '', what: SYNC[kind], step: STEPS[step] })

export function startBuilder(spec: Spec, options: PlanOptions, facts: HostFacts): PlanBuilder {
  checkSupported(spec)
  checkConsole(spec, options)
  checkExecSize(spec, facts)
  checkLabels(spec, facts)
  const warnings: string[] = [...foreignAnnotations(spec)]
  const namespaces = planNamespaces(spec, facts)
  const idMaps = planIdMaps(spec, facts, namespaces)
  const cgroup = planCgroup(spec, options, facts, (text) => {
    warnings.push(text)
  })
  return new PlanBuilder({ spec, options, facts, namespaces, idMaps, cgroup }, warnings)
}

/** Everything of init until the host side runs the runtime's hooks: identity, mounts, devices. */
function planSetup(builder: PlanBuilder): {
  readonly makeMountsReadonly: () => void
  readonly announced: readonly string[]
} {
  const { init, cgroup } = builder
  init.push(sync('awaitHost', 'mapped'), ...cgroup.enter)
  planBecomeRoot(builder)
  init.push({ kind: 'newSession', pointer: '', what: 'start a session' })
  planKeyring(builder)
  planIdentity(builder)
  planOpenRoot(builder)
  const mounts = planMounts(builder)
  const announced = planNotify(builder)
  planWorkingDirectory(builder)
  planDevices(builder, mounts.foreignDev)
  init.push(sync('reportToHost', 'mounted'))
  const makeMountsReadonly = (): void => {
    planReadonlyMounts(builder, mounts)
  }
  return { makeMountsReadonly, announced }
}

/** From the hooks to the root's being entered. */
function planRoot(builder: PlanBuilder, makeMountsReadonly: () => void): void {
  const { init, spec } = builder
  init.push(sync('awaitHost', 'hooked'))
  planHooks(builder, init, 'createContainer')
  planSysctls(builder)
  planProcessLabels(builder)
  if (spec.process !== undefined) planConsole(builder, spec.process, true)
  planRestrictedPaths(builder)
  makeMountsReadonly()
  planReadonlyRoot(builder)
  planEnterRoot(builder)
}

function planReady({ init }: PlanBuilder): void {
  init.push(sync('reportToHost', 'ready'))
  init.push(sync('awaitHost', 'committed'))
  init.push({ kind: 'awaitStart', pointer: '', what: 'wait for start' })
}

/** What the host side does once init has mounted everything and before it enters its root. */
function planBetween(builder: PlanBuilder): readonly Op[] {
  const between: Op[] = [...builder.cgroup.afterNamespaces]
  planDelegatedOwner(builder, between)
  planHooks(builder, between, 'prestart')
  planHooks(builder, between, 'createRuntime')
  return between
}

/** Where there is nothing to be done between these steps init goes on without waiting for the host side. */
const MEETING = ['mounted', 'hooked'] as const

const isStep =
  (step: keyof typeof STEPS) =>
  (op: Op): boolean =>
    'step' in op && op.step === STEPS[step]

/** Whether the two sides meet before init enters its root. */
function planMeeting({ init }: PlanBuilder, between: readonly Op[]): boolean {
  if (between.length > 0 || init.some(({ kind }) => kind === 'runHook')) return true
  for (const step of MEETING) init.splice(init.findIndex(isStep(step)), 1)
  return false
}

/** Init waits for what the host side does once it is there. Where that is nothing it begins at once. */
function planRelease({ create, init, trees }: PlanBuilder): void {
  if (create.at(-1)?.kind === 'cloneInit' && trees.length === 0) {
    init.splice(init.findIndex(isStep('mapped')), 1)
  } else {
    create.push(sync('releaseInit', 'mapped'))
  }
}

/** The `create` list; after the rest, because the sources that the host side opens are known only then. */
function planCreate(builder: PlanBuilder): void {
  const { create, cgroup, options } = builder
  const between = planBetween(builder)
  const meets = planMeeting(builder, between)
  const late = makesCgroupsLate(builder)
  if (!late) append(create, cgroup.before)
  append(create, builder.trees)
  planJournalMounts(builder)
  planClone(builder)
  append(create, cgroup.afterClone)
  planWriteIdMaps(builder)
  append(create, builder.sources)
  append(create, mappedTrees(builder))
  planCgroupOwner(builder, create)
  planNetDevices(builder)
  planIntelRdt(builder)
  planOomScoreAdj(builder)
  planRaiseRlimits(builder)
  planRelease(builder)
  if (late) create.push(...cgroup.before, sync('releaseInit', 'grouped'))
  if (meets) {
    create.push(sync('awaitInit', 'mounted'))
    append(create, between)
    create.push(sync('releaseInit', 'hooked'))
  }
  if (builder.filtered.length > 0) create.push(sync('awaitInit', 'filtered'), ...builder.filtered)
  create.push(sync('awaitInit', 'ready'))
  planScheduling(builder, 'host')
  planSendConsole(builder)
  planSendPidfd(builder)
  planPidfdReceiver(builder)
  if (options.pidFile !== undefined) {
    create.push({ kind: 'writePidFile', pointer: '', what: 'write the pid file', path: options.pidFile })
  }
}

/** Gives up CAP_SYS_ADMIN, if it was kept until the filter was loaded. */
function planFinalCapabilities(list: Op[], { keepsAdmin, capabilities }: CredentialsPlan): void {
  if (!keepsAdmin) return
  list.push({
    kind: 'setCapabilities',
    pointer: '/process/capabilities',
    what: 'set the capabilities',
    ...capabilities,
  })
}

/** A filter that notifies is loaded at create, as with runc: whoever listens is there before the program is started. */
function planEarlyFilter(builder: PlanBuilder, filter: SeccompFilter, credentials: CredentialsPlan): CredentialsPlan {
  planListener(builder, filter)
  planFinalCapabilities(builder.init, credentials)
  return { ...credentials, keepsAdmin: false }
}

/** From start to execve. The filter comes last, or, where it needs CAP_SYS_ADMIN, right before that is given up. */
function planStart(
  builder: PlanBuilder,
  process: Process,
  first: CredentialsPlan,
  env: readonly string[],
  preserveFds: number,
  compileSeccomp: CompileSeccomp,
): void {
  const { initStart } = builder
  const filter = planFilter(builder, compileSeccomp)
  const credentials = filter?.notifies === true ? planEarlyFilter(builder, filter, first) : first
  planHooks(builder, initStart, 'startContainer', { env, credentials })
  if (filter?.notifies === false) {
    const { pointer, flags, program } = filter
    initStart.push({ kind: 'setSeccomp', pointer, what: 'load the seccomp filter', flags, program })
  }
  planFinalCapabilities(initStart, credentials)
  const { args = [] } = process
  const what = `exec ${quote(args[0] ?? '')}`
  initStart.push({ kind: 'exec', pointer: '/process/args', what, args, env, preserveFds })
}

/**
 * Everything that will be done with a container, from what was asked for and what the host is like. Pure.
 *
 * `spec` has passed the validation. `compileSeccomp`: the addon's libseccomp. Errors: TsruncError with the code that
 * the part of the planner names.
 */
export function resolvePlan(
  spec: Spec,
  options: PlanOptions,
  facts: HostFacts,
  compileSeccomp: CompileSeccomp,
): { plan: Plan; warnings: readonly string[] } {
  const builder = startBuilder(spec, options, facts)
  const descriptors = planDescriptors(options)
  const header = planHeader(builder, descriptors.count)
  const { makeMountsReadonly, announced } = planSetup(builder)
  planRoot(builder, makeMountsReadonly)
  if (spec.process !== undefined) {
    const credentials = planCredentials(builder, spec.process)
    const env = planEnvironment(spec.process, [...descriptors.env, ...announced])
    planProcess(builder, spec.process, credentials, env)
    planStart(builder, spec.process, credentials, env, descriptors.count, compileSeccomp)
  }
  planReady(builder)
  planCreate(builder)
  planHooks(builder, builder.start, 'poststart')
  planDestroy(builder)
  const { create, initStart, start, destroy } = builder
  const init = enterLate(builder, sync('awaitHost', 'grouped'))
  const plan = Object.freeze({
    version: PLAN_VERSION,
    header,
    create,
    init,
    initStart,
    start,
    delete: destroy,
  } as const)
  return { plan, warnings: builder.warnings }
}
