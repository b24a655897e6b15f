import { posix } from 'node:path'
import type { HostFacts, PlanOptions } from '../../host/facts'
import type { Spec } from '../../spec/types'
import { DEFAULT_DEVICES } from '../../tables/devices'
import { append, type PlanBuilder } from '../builder'
import { planCgroupOwner, planDelegatedOwner } from '../cgroup-owner'
import { planPidfdReceiver, planSendConsole, planSendPidfd } from '../console'
import { planDestroy } from '../destroy'
import { planHeader } from '../header'
import { planHooks } from '../hooks'
import { planIntelRdt } from '../intel-rdt'
import { parseMountOptions } from '../mount-options'
import { NOTIFY_DIRECTORY } from '../notify'
import type { Op } from '../ops'
import { cleanPath, isWithin } from '../paths'
import { PLAN_VERSION, type Plan } from '../plan'
import { startBuilder } from '../resolve'
import { planJournalMounts } from '../rootfs'
import type { Outside } from './checkpoint'
import { type CriuOptions, commonOptions, externalMount, FIELD, NAMESPACE_KEYS } from './options'
import { ProtobufWriter } from './protobuf'

export interface RestoreOptions extends CriuOptions {
  readonly tcpClose: boolean
  /** "apparmor:NAME" or "selinux:LABEL", or ''. */
  readonly lsmProfile: string
  readonly lsmMountContext: string
  /** What the standard streams were at the checkpoint (DESCRIPTORS_FILE). */
  readonly descriptors: readonly string[]
  /** Of the checkpoint; empty where another runtime made it. */
  readonly outside: Outside
}

const LOG_FILE = 'restore.log'

/** startCriu: 3 is its socket. */
const FIRST_INHERITED = 4

/** What the container's hierarchies of cgroups are mounted from: their own directories. */
function cgroupMounts(builder: PlanBuilder, destination: string): readonly (readonly [string, string])[] {
  const { facts, cgroup } = builder
  if (facts.cgroup.version === 2) return cgroup.paths.map((path) => [destination, path] as const)
  if (facts.cgroup.version === 0) return []
  return facts.cgroup.hierarchies.flatMap(({ mountPoint }) => {
    const path = cgroup.paths.find((candidate) => isWithin(candidate, mountPoint))
    return path === undefined ? [] : [[`${destination}/${posix.basename(mountPoint)}`, path] as const]
  })
}

/** Mount points that the checkpoint left to us, and where each leads now. The latter of two at one place counts. */
function sources(builder: PlanBuilder): ReadonlyMap<string, string> {
  const { spec, options } = builder
  const out = new Map<string, string>()
  // In a user namespace the nodes of devices are the host's.
  for (const { path } of [...DEFAULT_DEVICES, ...(spec.linux?.devices ?? [])]) out.set(cleanPath(path), path)
  for (const mount of spec.mounts ?? []) {
    const { bind, remount } = parseMountOptions(mount)
    const destination = cleanPath(mount.destination)
    if (remount) continue
    if (bind) out.set(destination, posix.resolve(options.bundle, mount.source ?? ''))
    else if (mount.type === 'cgroup' || mount.type === 'cgroup2') {
      for (const [path, from] of cgroupMounts(builder, destination)) out.set(path, from)
    }
  }
  for (const path of spec.linux?.maskedPaths ?? []) out.set(cleanPath(path), '/dev/null')
  out.set(NOTIFY_DIRECTORY, posix.join(options.root, options.id, 'notify'))
  return out
}

interface Inherited {
  readonly key: string
  readonly fd: number
  readonly path: string
}

/** Descriptors that CRIU uses in place of what it saved the names of. */
function inherited({ namespaces }: PlanBuilder, { descriptors, outside }: RestoreOptions): readonly Inherited[] {
  const out: Inherited[] = []
  descriptors.forEach((link, fd) => {
    const key = link.startsWith('pipe:') ? link : (outside.streams[fd] ?? '')
    if (key !== '') out.push({ key, fd, path: '' })
  })
  for (const type of ['network', 'pid'] as const) {
    const path = namespaces.paths[type]
    if (path !== undefined) out.push({ key: NAMESPACE_KEYS[type], fd: 0, path })
  }
  return out
}

/** Namespaces that CRIU cannot be given by descriptor are entered by path: criu(8) --join-ns. */
const JOINED = ['ipc', 'uts', 'time'] as const

/** criu(8) --cgroup-root: the directories that the container has now, which need not be those of before. */
function addCgroupRoots(writer: ProtobufWriter, { facts, cgroup }: PlanBuilder): void {
  const add = (controller: string, path: string): void => {
    const root = new ProtobufWriter()
    if (controller !== '') root.text(1, controller)
    writer.bytes(FIELD.cgroupRoot, root.text(2, path === '' ? '/' : path).finish())
  }
  if (facts.cgroup.version === 1) {
    for (const { mountPoint, controllers } of facts.cgroup.hierarchies) {
      const path = cgroup.paths.find((candidate) => isWithin(candidate, mountPoint))
      if (path !== undefined) add(controllers.join(','), path.slice(mountPoint.length))
    }
  } else if (facts.cgroup.version === 2) {
    for (const path of cgroup.paths) add('', path.slice(facts.cgroup.mountPoint.length))
  }
}

function requestOptions(
  builder: PlanBuilder,
  options: RestoreOptions,
  descriptors: readonly Inherited[],
): ProtobufWriter {
  const { namespaces } = builder
  const writer = commonOptions(options, builder.options.rootfs, LOG_FILE)
    .flag(FIELD.restoreSibling, true)
    .flag(FIELD.tcpClose, options.tcpClose)
  for (const [name, source] of sources(builder)) writer.text(FIELD.external, externalMount(name, source))
  descriptors.forEach(({ key }, index) => {
    const message = new ProtobufWriter().text(1, key).number(2, FIRST_INHERITED + index)
    writer.bytes(FIELD.inheritDescriptor, message.finish())
  })
  for (const type of JOINED) {
    const path = namespaces.paths[type]
    if (path !== undefined) {
      writer.bytes(FIELD.joinNamespace, new ProtobufWriter().text(1, type).text(2, path).finish())
    }
  }
  addCgroupRoots(writer, builder)
  if (options.lsmProfile !== '') writer.text(FIELD.lsmProfile, options.lsmProfile)
  if (options.lsmMountContext !== '') writer.text(FIELD.lsmMountContext, options.lsmMountContext)
  return writer
}

/** Cgroups as create makes them, with CRIU in the place of init. */
function planCgroups(builder: PlanBuilder): void {
  const { create, cgroup } = builder
  const what = 'enter the cgroup'
  if (cgroup.intoCgroup !== '') create.push({ kind: 'joinCgroup', pointer: '', what, path: cgroup.intoCgroup })
  append(create, cgroup.afterClone)
  for (const op of cgroup.enter) create.push(op.kind === 'enterCgroup' ? { ...op, kind: 'joinCgroup' } : op)
  planIntelRdt(builder)
}

const what = 'restore the container'
const awaitCriu = (script: string): Op => ({ kind: 'awaitCriu', pointer: '', what, script })

const SELINUX = { module: 'SELinux', files: ['attr/current'] } as const
/** Documentation/admin-guide/LSM/index.rst: attr/current is that of one module only. */
const APPARMOR = { module: 'AppArmor', files: ['attr/apparmor/current', 'attr/current'] } as const

/** The label that the configuration asks for, or that the caller has named in its place. */
function planLabels({ create, spec, facts }: PlanBuilder, { lsmProfile }: RestoreOptions): void {
  const { selinuxLabel = '', apparmorProfile = '' } = spec.process ?? {}
  const [, type, named = ''] = /^(selinux|apparmor):(.*)$/s.exec(lsmProfile) ?? []
  const check = (module: typeof SELINUX | typeof APPARMOR, label: string, pointer: string): void => {
    if (label !== '')
      create.push({ kind: 'checkLabel', pointer, what: `check the ${module.module} label`, label, ...module })
  }
  check(SELINUX, type === 'selinux' ? named : selinuxLabel, type === 'selinux' ? '' : '/process/selinuxLabel')
  const profile = type === 'apparmor' ? named : apparmorProfile
  // Without AppArmor every process is what "unconfined" asks for, and no file tells of it.
  if (facts.apparmor === 'off' && profile === 'unconfined') return
  check(APPARMOR, profile, type === 'apparmor' ? '' : '/process/apparmorProfile')
}

/** The `create` list: CRIU in the container's cgroups, and between its steps what a create does there. */
function planSteps(builder: PlanBuilder, options: RestoreOptions): void {
  const { create, cgroup } = builder
  const descriptors = inherited(builder, options)
  if (options.outside.mounts.includes(NOTIFY_DIRECTORY)) {
    create.push({ kind: 'makeNotifyDirectory', pointer: '', what: 'make the directory of the notify socket' })
  }
  append(create, cgroup.before)
  planJournalMounts(builder)
  create.push({
    kind: 'startCriu',
    pointer: '',
    what,
    criu: options.criu,
    environment: options.environment,
    root: builder.options.rootfs,
    inheritFds: descriptors.map(({ fd }) => fd),
    inheritPaths: descriptors.map(({ path }) => path),
  })
  planCgroups(builder)
  create.push({
    kind: 'requestCriu',
    pointer: '',
    what,
    options: requestOptions(builder, options, descriptors).finish(),
    imagePath: options.imagePath,
    workPath: options.workPath,
    logFile: LOG_FILE,
    lazy: options.lazyPages,
  })
  create.push(awaitCriu('setup-namespaces'))
  planCgroupOwner(builder, create)
  planHooks(builder, create, 'prestart')
  planHooks(builder, create, 'createRuntime')
  create.push(awaitCriu('post-restore'))
  planLabels(builder, options)
  append(create, cgroup.afterNamespaces)
  planDelegatedOwner(builder, create)
  planSendConsole(builder)
  planSendPidfd(builder)
  planPidfdReceiver(builder)
  const { pidFile } = builder.options
  if (pidFile !== undefined) {
    create.push({ kind: 'writePidFile', pointer: '', what: 'write the pid file', path: pidFile })
  }
  create.push({ kind: 'saveRestored', pointer: '', what: 'save the state' }, awaitCriu(''))
}

/**
 * Everything that will be done with a container that goes on from a checkpoint. Pure. Its hooks are those of create, as
 * with runc: prestart and createRuntime for its new namespaces; the program itself was started before.
 *
 * Errors: as resolvePlan.
 */
export function resolveRestore(
  spec: Spec,
  options: PlanOptions,
  facts: HostFacts,
  criu: RestoreOptions,
): { plan: Plan; warnings: readonly string[] } {
  const builder = startBuilder(spec, options, facts)
  const header = planHeader(builder, 0)
  planSteps(builder, criu)
  planDestroy(builder)
  const { create, destroy, warnings } = builder
  const plan = { version: PLAN_VERSION, header, create, init: [], initStart: [], start: [], delete: destroy } as const
  return { plan: Object.freeze(plan), warnings }
}
