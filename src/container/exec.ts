import { quote, TsruncError } from '../errors'
import type { Caller, PlanOptions } from '../host/facts'
import { probeHost } from '../host/probe'
import { traced } from '../host/trace'
import type { HostView } from '../host/view'
import { resolveExec } from '../plan/exec'
import { namesController } from '../plan/exec-cgroup'
import { type ExecFlags, execProcess } from '../plan/exec-process'
import { closName } from '../plan/intel-rdt'
import { describeFault } from '../spec/fault'
import { loadProcess } from '../spec/load'
import type { Process } from '../spec/types'
import { reason } from './bundle'
import type { Planned, Surroundings } from './create'
import { readSaved } from './saved'

/** One more process as its maker asks for it. Paths are absolute. */
export interface ExecOptions extends ExecFlags {
  readonly id: string
  /** Directory of all containers' state. */
  readonly root: string
  /** A process object (config.md "Process"), absolute; undefined: the configuration's. */
  readonly processFile: string | undefined
  readonly detach: boolean
  readonly pidFile: string | undefined
  readonly consoleSocket: string | undefined
  readonly pidfdSocket: string | undefined
  readonly preserveFds: number
  readonly cgroups: readonly string[]
  readonly ignorePaused: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly caller: Caller
}

/** Shorter texts fit the kernel's limits by pages of any size. */
const LONG_TEXT = 4096 / 3

/** Errors: PROCESS_FILE, and those of loadProcess. */
function readProcess(
  path: string,
  view: HostView,
): { readonly process: Process; readonly warnings: readonly string[] } {
  let bytes: Uint8Array
  try {
    bytes = view.config(path)
  } catch (cause) {
    throw new TsruncError('PROCESS_FILE', `process file ${quote(path)}: ${reason(cause)}`, { cause })
  }
  try {
    const { process, warnings } = loadProcess(bytes, { path })
    return { process, warnings: warnings.map((fault) => describeFault(path, fault)) }
  } catch (cause) {
    // Its pointers are those of another file than config.json.
    if (cause instanceof TsruncError) throw new TsruncError(cause.code, cause.message, { cause })
    throw cause
  }
}

const isLong = (text: string): boolean => text.length >= LONG_TEXT

function probeFor(
  { args, env, apparmorProfile = '', selinuxLabel = '' }: Process,
  cgroups: readonly string[],
  view: HostView,
  resctrlGroup: string | undefined,
) {
  const needs = {
    cgroupsKnown: !namesController(cgroups),
    namespacePaths: [],
    hugepages: false,
    blockIOWeights: false,
    longTexts: args?.some(isLong) === true || env?.some(isLong) === true,
    apparmor: apparmorProfile !== '',
    selinux: selinuxLabel !== '',
    resctrlGroup,
  }
  return probeHost(needs, view)
}

/**
 * Decide everything about one more process of a container. Changes nothing, but for what compileSeccomp keeps.
 *
 * Errors: those of readSaved, execProcess and resolveExec; PROCESS_FILE, CONFIG_SYNTAX, CONFIG_INVALID.
 */
export function planExec(options: ExecOptions, { view, compileSeccomp }: Surroundings): Planned {
  const saved = traced('read what create saved', () => readSaved(options.root, options.id, view))
  const { id, bundle, rootfs, spec, header } = saved
  const file = options.processFile === undefined ? undefined : readProcess(options.processFile, view)
  const process = execProcess(spec.process, file?.process, options)
  const { root, preserveFds, pidFile, consoleSocket, pidfdSocket, detach, environment, caller } = options
  const planOptions: PlanOptions = {
    ...{ id, bundle, rootfs, root, preserveFds, pidFile, consoleSocket, pidfdSocket, detach, environment, caller },
    noPivot: false,
    noNewKeyring: !header.ownKeyring,
    cgroupManager: 'disabled',
    rootless: 'auto',
    config: new Uint8Array(0),
  }
  const { cgroups, ignorePaused } = options
  const rdt = spec.linux?.intelRdt
  const resctrlGroup = rdt === undefined ? undefined : closName(rdt, id)
  const containerPid = saved.process.pid
  const request = { spec, process, header, containerPid, cgroups, ignorePaused }
  const facts = traced('look at the host', () => probeFor(process, cgroups, view, resctrlGroup))
  const { plan, warnings } = traced('plan', () => resolveExec(request, planOptions, facts, compileSeccomp))
  return { plan, warnings: [...(file?.warnings ?? []), ...warnings] }
}
