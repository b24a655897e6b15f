import { quote, TsruncError } from '../errors'
import type { HostFacts, PlanOptions } from '../host/facts'
import type { NamespaceType, Process, Spec } from '../spec/types'
import { NAMESPACES } from '../tables/namespaces'
import { MAX_CPU, parseNumberList } from '../tables/number-list'
import { append, PlanBuilder } from './builder'
import { NO_CGROUP } from './cgroup/cgroup-plan'
import { planBecomeRoot } from './clone'
import { checkConsole, planConsole, planSendConsole, planSendPidfd } from './console'
import { type CredentialsPlan, initCapabilities, planBoundingSet, planCredentials, planUser } from './credentials'
import { planDescriptors } from './descriptors'
import { execCgroup } from './exec-cgroup'
import { checkExecSize } from './exec-size'
import { planIdMaps } from './id-maps'
import { planJoinIntelRdt } from './intel-rdt'
import { checkLabels, planProcessLabels } from './labels'
import type { NamespaceKind, NamespacePlan } from './namespaces'
import { type Op, STEPS } from './ops'
import { PLAN_VERSION, type Plan, type PlanHeader } from './plan'
import {
  planChangeDirectory,
  planEnvironment,
  planHome,
  planOomScoreAdj,
  planPersonality,
  planRlimits,
  planUmaskAndStdio,
  raiseRlimits,
} from './process'
import { maySchedule, planMemoryPolicy, schedulingOps } from './scheduling'
import { type CompileSeccomp, planFilter, type SeccompFilter } from './seccomp-filter'
import { planListener } from './seccomp-listener'

/** One more process for a container that exists. */
export interface ExecRequest {
  /** The container's configuration. */
  readonly spec: Spec
  /** The process to run; what is taken over from the configuration is the same object as there. */
  readonly process: Process
  /** Of the container's plan. */
  readonly header: PlanHeader
  /** Pid of its first process. */
  readonly containerPid: number
  /** --cgroup. */
  readonly cgroups: readonly string[]
  readonly ignorePaused: boolean
}

type Step = keyof typeof STEPS

const release = (step: Step): Op => ({
  kind: 'releaseInit',
  pointer: '',
  what: 'let the process go on',
  step: STEPS[step],
})
const await_ = (step: Step): Op => ({ kind: 'awaitInit', pointer: '', what: 'wait for the process', step: STEPS[step] })
const report = (step: Step): Op => ({ kind: 'reportToHost', pointer: '', what: 'report to tsrunc', step: STEPS[step] })
const awaitHost = (step: Step): Op => ({ kind: 'awaitHost', pointer: '', what: 'wait for tsrunc', step: STEPS[step] })

/** By the configuration alone: the paths of joined ones may have gone, the container is in them. */
function namespacesOf({ linux }: Spec): NamespacePlan {
  const kinds: Record<NamespaceType, NamespaceKind> = {
    pid: 'host',
    network: 'host',
    mount: 'host',
    ipc: 'host',
    uts: 'host',
    user: 'host',
    cgroup: 'host',
    time: 'host',
  }
  for (const { type, path = '' } of linux?.namespaces ?? []) kinds[type] = path === '' ? 'new' : 'joined'
  return { kinds, paths: {} }
}

/** Labels of file systems are given when they are mounted. */
function withProcess(spec: Spec, process: Process): Spec {
  const { mountLabel: _, ...linux } = spec.linux ?? {}
  return { ...spec, process, linux }
}

function startBuilder({ spec, process }: ExecRequest, options: PlanOptions, facts: HostFacts): PlanBuilder {
  const changed = withProcess(spec, process)
  checkConsole(changed, options)
  checkExecSize({ ...changed, hooks: {} }, facts)
  checkLabels(changed, facts)
  const namespaces = namespacesOf(spec)
  const idMaps = planIdMaps(spec, facts, namespaces)
  return new PlanBuilder({ spec: changed, options, facts, namespaces, idMaps, cgroup: NO_CGROUP }, [])
}

/** config.md "Linux Process", execCPUAffinity. The schema has found both to be lists. */
function affinityOp(list: string, side: 'initial' | 'final'): Op {
  const cpus = parseNumberList(list, MAX_CPU) ?? []
  const pointer = `/process/execCPUAffinity/${side}`
  return { kind: 'setCpuAffinity', pointer, what: `run on the CPUs ${quote(list)}`, cpus }
}

/** The process is in its cgroups: on the CPUs that it is to have, or all that the cpuset has. */
function finalAffinity({ init, spec }: PlanBuilder): void {
  const final = spec.process?.execCPUAffinity?.final ?? ''
  if (final !== '') init.push(affinityOp(final, 'final'))
  else init.push({ kind: 'setCpuAffinity', pointer: '', what: "run on the container's CPUs", cpus: [] })
}

function namespaceFlags({ kinds }: NamespacePlan): bigint {
  let flags = 0
  for (const [type, kind] of Object.entries(kinds)) {
    if (kind !== 'host') flags |= NAMESPACES[type as NamespaceType].flag
  }
  return BigInt(flags >>> 0)
}

/** While the host's file systems are still there: labels are written through its procfs. */
function planLabels(builder: PlanBuilder, ownKeyring: boolean): void {
  const { init, spec } = builder
  const label = spec.process?.selinuxLabel ?? ''
  if (ownKeyring && label !== '') {
    const what = `label the session keyring ${quote(label)}`
    init.push({ kind: 'setKeyLabel', pointer: '/process/selinuxLabel', what, label })
  }
  planProcessLabels(builder)
}

const startSession = ({ init }: PlanBuilder): void => {
  init.push({ kind: 'newSession', pointer: '', what: 'start a session' })
}

/** The container's namespaces, keyring and root. */
function planEnter(builder: PlanBuilder, { header }: ExecRequest): void {
  const { init, namespaces, options } = builder
  const flags = namespaceFlags(namespaces)
  init.push({ kind: 'enterNamespaces', pointer: '', what: "enter the container's namespaces", flags })
  planBecomeRoot(builder)
  if (namespaces.kinds.pid === 'host') startSession(builder)
  if (header.ownKeyring) {
    init.push({ kind: 'joinKeyring', pointer: '', what: 'join the session keyring', name: `_ses.${options.id}` })
  }
  const ownMounts = namespaces.kinds.mount === 'new'
  const path = ownMounts ? '/' : options.rootfs
  init.push({ kind: 'openRoot', pointer: '/root/path', what: 'open the root', path, bind: false })
  if (builder.spec.process !== undefined) planConsole(builder, builder.spec.process, false)
  if (!ownMounts) init.push({ kind: 'changeRoot', pointer: '/root/path', what: 'enter the root' })
}

/** What the process is from here on; all of it is passed on to a child. */
function planIdentity(
  builder: PlanBuilder,
  process: Process,
  credentials: CredentialsPlan,
  env: readonly string[],
): void {
  const { init } = builder
  planUmaskAndStdio(builder, process, credentials)
  planHome(builder, env, credentials.uid)
  const asUser = credentials.uid !== 0
  planChangeDirectory(builder, process.cwd, asUser)
  planPersonality(builder)
  planMemoryPolicy(builder)
  planBoundingSet(builder, credentials)
  planUser(builder, credentials)
  if (asUser) planChangeDirectory(builder, process.cwd, false)
  const pointer = '/process/capabilities'
  init.push({ kind: 'setCapabilities', pointer, what: 'set the capabilities', ...initCapabilities(credentials) })
  if (process.noNewPrivileges === true) {
    init.push({ kind: 'setNoNewPrivileges', pointer: '/process/noNewPrivileges', what: 'set no_new_privs' })
  }
}

/** Inside of the pid namespace, and what no child would inherit or what would keep one from being made. */
function planMember(builder: PlanBuilder, process: Process): void {
  const { init, namespaces, facts, spec } = builder
  if (namespaces.kinds.pid !== 'host') {
    init.push({ kind: 'becomeMember', pointer: '', what: "enter the container's pid namespace" })
    startSession(builder)
  }
  if (process.terminal === true) {
    init.push({ kind: 'takeTerminal', pointer: '/process/terminal', what: 'take the terminal' })
  }
  if (!maySchedule(facts)) append(init, schedulingOps(spec))
  planRlimits(builder, process)
}

function planProgram(
  builder: PlanBuilder,
  request: ExecRequest,
  credentials: CredentialsPlan,
  env: readonly string[],
  preserveFds: number,
  filter: SeccompFilter | undefined,
): void {
  const { init, initStart } = builder
  const list = filter?.notifies === true ? init : initStart
  if (filter?.notifies === true) planListener(builder, filter, { pid: request.containerPid, status: 'running' })
  else if (filter !== undefined) {
    const { pointer, flags, program } = filter
    initStart.push({ kind: 'setSeccomp', pointer, what: 'load the seccomp filter', flags, program })
  }
  if (credentials.keepsAdmin) {
    const pointer = '/process/capabilities'
    list.push({ kind: 'setCapabilities', pointer, what: 'set the capabilities', ...credentials.capabilities })
  }
  init.push(report('ready'), awaitHost('committed'))
  init.push({ kind: 'awaitStart', pointer: '', what: 'wait for tsrunc' })
  const { args = [] } = request.process
  const what = `exec ${quote(args[0] ?? '')}`
  initStart.push({ kind: 'exec', pointer: '/process/args', what, args, env, preserveFds })
}

/** The host side, after the rest: what the listener needs is known then. */
function planCreate(builder: PlanBuilder, request: ExecRequest, cgroup: { into: string; orInitsOwn: boolean }): void {
  const { create, init, facts, spec, options } = builder
  const initial = spec.process?.execCPUAffinity?.initial ?? ''
  if (initial !== '') create.push(affinityOp(initial, 'initial'))
  const { into, orInitsOwn } = cgroup
  const { ignorePaused } = request
  create.push({ kind: 'cloneExec', pointer: '', what: '', into, orInitsOwn, ignorePaused })
  planJoinIntelRdt(builder)
  planOomScoreAdj(builder)
  raiseRlimits(builder)
  // The process waits for what was done since it is there. Where that is nothing it begins at once.
  if (create.at(-1)?.kind === 'cloneExec') init.shift()
  else create.push(release('mapped'))
  if (builder.filtered.length > 0) create.push(await_('filtered'), ...builder.filtered)
  create.push(await_('ready'))
  if (maySchedule(facts)) append(create, schedulingOps(spec))
  planSendConsole(builder)
  planSendPidfd(builder)
  if (options.pidFile !== undefined) {
    create.push({ kind: 'writePidFile', pointer: '', what: 'write the pid file', path: options.pidFile })
  }
}

/** Whether config.json has what a pointer names: the rest is from the command line, or from a process file. */
function isConfigured({ spec, process }: ExecRequest, pointer: string): boolean {
  const [, first, name] = pointer.split('/')
  if (first !== 'process') return true
  const key = name as keyof Process
  return name !== undefined && spec.process?.[key] !== undefined && spec.process[key] === process[key]
}

const placed = (request: ExecRequest, list: readonly Op[]): readonly Op[] =>
  list.map((op) => (isConfigured(request, op.pointer) ? op : { ...op, pointer: '' }))

function resolveUnplaced(
  request: ExecRequest,
  options: PlanOptions,
  facts: HostFacts,
  compileSeccomp: CompileSeccomp,
): { plan: Plan; warnings: readonly string[] } {
  const { process, header } = request
  const builder = startBuilder(request, options, facts)
  const descriptors = planDescriptors(options)
  const cgroup = execCgroup(header, request.cgroups, facts.cgroup)
  const { create, init, initStart } = builder
  const credentials = planCredentials(builder, process)
  const env = planEnvironment(process, descriptors.env)
  init.push(awaitHost('mapped'))
  for (const path of cgroup.enter) init.push({ kind: 'enterCgroup', pointer: '', what: 'enter the cgroup', path })
  finalAffinity(builder)
  planLabels(builder, header.ownKeyring)
  planEnter(builder, request)
  planIdentity(builder, process, credentials, env)
  planMember(builder, process)
  planProgram(builder, request, credentials, env, descriptors.count, planFilter(builder, compileSeccomp))
  planCreate(builder, request, cgroup)
  const plan = Object.freeze({
    version: PLAN_VERSION,
    header: {
      ...header,
      terminal: process.terminal === true,
      preserveFds: descriptors.count,
      config: new Uint8Array(0),
    },
    create: placed(request, create),
    init: placed(request, init),
    initStart: placed(request, initStart),
    start: [],
    delete: [],
  } as const)
  return { plan, warnings: builder.warnings }
}

/**
 * Everything that will be done for one more process of a container. Pure. Of the five lists `create` is what tsrunc does,
 * `init` and `initStart` what the process does on its way to its program.
 *
 * Errors: TsruncError with the code that the part of the planner names, EXEC_OPTION for --cgroup. A JSON pointer is one
 * into the container's config.json.
 */
export function resolveExec(
  request: ExecRequest,
  options: PlanOptions,
  facts: HostFacts,
  compileSeccomp: CompileSeccomp,
): { plan: Plan; warnings: readonly string[] } {
  try {
    return resolveUnplaced(request, options, facts, compileSeccomp)
  } catch (error) {
    if (!(error instanceof TsruncError) || isConfigured(request, error.pointer)) throw error
    throw new TsruncError(error.code, error.message, { cause: error })
  }
}
