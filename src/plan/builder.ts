import { quote, TsruncError } from '../errors'
import type { HostFacts, PlanOptions } from '../host/facts'
import type { Spec } from '../spec/types'
import type { CgroupPlan } from './cgroup'
import type { IdMapPlan } from './id-maps'
import type { NamespacePlan } from './namespaces'
import { NO_SLOT, type Op } from './ops'

/** kMaxSlots of native/engine/host_context.h. */
const MAX_SLOTS = 512

/** A source of the host which is opened before init exists. `device`: what it must be, S_IFMT bits and number. */
export interface TreeRequest {
  readonly pointer: string
  readonly what: string
  readonly source: string
  readonly recursive: boolean
  /** A source that is a symbolic link is opened itself. */
  readonly nofollow: boolean
  readonly device?: { readonly type: number; readonly major: number; readonly minor: number }
}

/** Adds to the end of a list. Not list.push(...items): the arguments of a call have to fit the stack. */
export function append<T>(list: T[], items: readonly T[]): void {
  for (const item of items) list.push(item)
}

/** What every part of the planner reads, and the lists to which it appends. */
export class PlanBuilder {
  /** openTree operations: in `create`, before init is cloned. */
  readonly trees: Op[] = []
  /** For `create`, once init has loaded a filter with a listener: `filtered`. */
  readonly filtered: Op[] = []
  /** openSource operations: in `create`, once init is there. */
  readonly sources: Op[] = []
  /** openIdMap and the mapTree of its trees, by the maps; in `create`, after init's maps. */
  readonly mappedTrees = new Map<string, Op[]>()
  readonly create: Op[] = []
  readonly init: Op[] = []
  readonly initStart: Op[] = []
  readonly start: Op[] = []
  readonly destroy: Op[] = []
  readonly warnings: string[]
  #slots = 0

  readonly spec: Spec
  readonly options: PlanOptions
  readonly facts: HostFacts
  readonly namespaces: NamespacePlan
  /** Maps of a new user namespace. */
  readonly idMaps: IdMapPlan | undefined
  readonly cgroup: CgroupPlan
  /** The host side opens sources for init, whose root is not the host's (user_namespaces(7)) and may not be allowed to
   *  look at them. Takes CAP_SYS_ADMIN, so without privileges init opens them itself, as the same user. */
  readonly opensTrees: boolean

  constructor(
    input: Pick<PlanBuilder, 'spec' | 'options' | 'facts' | 'namespaces' | 'idMaps' | 'cgroup'>,
    warnings: readonly string[],
  ) {
    this.spec = input.spec
    this.options = input.options
    this.facts = input.facts
    this.namespaces = input.namespaces
    this.idMaps = input.idMaps
    this.cgroup = input.cgroup
    this.opensTrees = input.facts.euid === 0 && input.namespaces.kinds.user !== 'host'
    this.warnings = [...warnings]
  }

  warn(text: string): void {
    this.warnings.push(text)
  }

  /** Errors: TOO_MANY_MOUNTS. */
  #takeSlot(what: string, pointer: string): number {
    const slot = this.#slots
    if (slot >= MAX_SLOTS) {
      const kinds =
        'id-mapped mounts, files for the output of hooks, and, in a user namespace, bind mounts and devices together'
      const limit = `a container has at most ${MAX_SLOTS} ${kinds}`
      throw new TsruncError('TOO_MANY_MOUNTS', `${what}: ${limit}`, { pointer })
    }
    this.#slots += 1
    return slot
  }

  /** A new slot with the tree in it. Errors: TOO_MANY_MOUNTS. */
  openTree(request: TreeRequest): number {
    const { pointer, what, source, recursive, nofollow, device } = request
    const slot = this.#takeSlot(what, pointer)
    const { type = 0, major = 0, minor = 0 } = device ?? {}
    const from = { source, recursive, nofollow }
    this.trees.push({ kind: 'openTree', pointer, what, ...from, slot, expectDevice: type, major, minor })
    return slot
  }

  /** The slot of a file that hooks of init append to; one file has one. Errors: TOO_MANY_MOUNTS. */
  openHookOutput(path: string, pointer: string): number {
    const opened = this.trees.find((op) => op.kind === 'openHookOutput' && op.path === path)
    if (opened?.kind === 'openHookOutput') return opened.slot
    const what = `open ${quote(path)} for the output of hooks`
    const slot = this.#takeSlot(what, pointer)
    this.trees.push({ kind: 'openHookOutput', pointer, what, path, slot })
    return slot
  }

  /** The slot of a bind mount's source where the host side has to open it, else NO_SLOT: init does. */
  slotFor(request: TreeRequest): number {
    if (!this.opensTrees) return NO_SLOT
    // Of a mount namespace that others have made nobody knows who owns it.
    if (this.namespaces.kinds.mount !== 'new') return this.openTree(request)
    const { pointer, what, source, recursive, nofollow } = request
    const slot = this.#takeSlot(what, pointer)
    this.sources.push({ kind: 'openSource', pointer, what, source, recursive, nofollow, slot })
    return slot
  }
}
