import { shownPointer, TsruncError } from '../errors'
import { probeHost } from '../host/probe'
import type { HostView } from '../host/view'
import { hasWeights } from '../plan/cgroup/block-io'
import { filesRead, type MemoryMode, planUpdate } from '../plan/cgroup/update'
import { closName } from '../plan/intel-rdt'
import type { Op } from '../plan/ops'
import { PLAN_VERSION, type Plan } from '../plan/plan'
import { planRdtUpdate, type RdtSchemas } from '../plan/rdt-update'
import { describeFault } from '../spec/fault'
import { loadResources } from '../spec/load'
import type { Resources } from '../spec/types'
import type { Planned } from './create'
import { readSaved, readUnit, type SavedContainer } from './saved'

export interface UpdateOptions {
  readonly id: string
  /** Directory of all containers' state. */
  readonly root: string
  /** JSON of config-linux.md's linux.resources. */
  readonly resources: Uint8Array
  /** How messages name where it is from. */
  readonly source: string
  /** How messages name a property, by its pointer in the resources; undefined: by the source and the pointer. */
  readonly names: ReadonlyMap<string, string>
  readonly memoryMode: MemoryMode
  readonly rdt: RdtSchemas
  /** Called before anything is looked at that another call may change. */
  readonly lock: (stateDir: string) => void
}

const PREFIX = '/linux/resources'

/** Where a person finds the property that the planner's pointer means. */
function placeOf(pointer: string, { source, names }: UpdateOptions): string {
  const own = pointer.startsWith(PREFIX) ? pointer.slice(PREFIX.length) : pointer
  return names.get(own) ?? (own === '' ? source : `${source} ${shownPointer(own)}`)
}

/** There is no config.json in an update: what was asked for has another place. */
function placed(op: Op, options: UpdateOptions): Op {
  return op.pointer === '' ? op : { ...op, pointer: '', what: `${op.what} (${placeOf(op.pointer, options)})` }
}

function retold(error: unknown, options: UpdateOptions): unknown {
  if (!(error instanceof TsruncError) || !error.pointer.startsWith(PREFIX)) return error
  const said = ` (config.json ${shownPointer(error.pointer)})`
  const message = error.message.replace(said, ` (${placeOf(error.pointer, options)})`)
  return new TsruncError(error.code, message, { cause: error })
}

/** What those of the files say that are there, by their names. `files`: path by name. */
function currentOf(files: ReadonlyMap<string, string>, view: HostView): Readonly<Record<string, string>> {
  view.prepare({ directories: [], namespaces: [], limits: [...files.values()] })
  return Object.fromEntries(
    [...files].flatMap(([name, path]) => {
      const text = view.limit(path)
      return text === undefined ? [] : [[name, text]]
    }),
  )
}

function planOps(saved: SavedContainer, resources: Resources, options: UpdateOptions, view: HostView) {
  const warnings: string[] = []
  const rdt = saved.spec.linux?.intelRdt
  const asksForRdt = options.rdt.l3CacheSchema !== undefined || options.rdt.memBwSchema !== undefined
  const needs = {
    namespacePaths: [],
    hugepages: (resources.hugepageLimits?.length ?? 0) > 0,
    blockIOWeights: hasWeights(resources.blockIO ?? {}),
    longTexts: false,
    apparmor: false,
    selinux: false,
    resctrlGroup: asksForRdt && rdt !== undefined ? closName(rdt, saved.id) : undefined,
  }
  const facts = probeHost(needs, view)
  const { cgroupPaths } = saved.header
  const unit = readUnit(saved, view)
  const current = currentOf(filesRead(resources, cgroupPaths, facts, unit !== undefined), view)
  const target = { paths: cgroupPaths, current, unit }
  const asksForLimits = Object.values(resources).some((value) => value !== undefined)
  const ops = asksForLimits
    ? planUpdate(resources, target, options.memoryMode, facts, (text) => warnings.push(text))
    : []
  // What systemd is told comes last: where it fails nothing has to be told again.
  const all = [...(asksForRdt ? planRdtUpdate(options.rdt, rdt, saved.id, facts.resctrl) : []), ...ops]
  return { ops: all.map((op) => placed(op, options)), warnings }
}

/**
 * Decide what a change of a container's limits writes. What is in force afterwards is in the kernel's files, where later
 * updates find it; the saved config.json stays the record of create.
 *
 * Errors: those of readSaved, loadResources, lock and planUpdate; RDT.
 */
export function planUpdateOf(options: UpdateOptions, view: HostView): Planned {
  const saved = readSaved(options.root, options.id, view)
  const { resources, warnings } = loadResources(options.resources, { path: options.source })
  const spoken = (text: string): string =>
    text.replace(
      /\(config\.json (\/linux\/resources[^\s)]*)\)/g,
      (_, pointer: string) => `(${placeOf(pointer, options)})`,
    )
  options.lock(saved.stateDir)
  try {
    const planned = planOps(saved, resources, options, view)
    const empty: readonly Op[] = []
    const plan: Plan = Object.freeze({
      version: PLAN_VERSION,
      header: { ...saved.header, config: new Uint8Array() },
      create: planned.ops,
      init: empty,
      initStart: empty,
      start: empty,
      delete: empty,
    } as const)
    const advice = warnings.map((fault) => describeFault(options.source, fault))
    return { plan, warnings: [...advice, ...planned.warnings.map(spoken)] }
  } catch (error) {
    throw retold(error, options)
  }
}
