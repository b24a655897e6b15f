import { quote } from '../errors'
import type { HostFacts } from '../host/facts'
import type { Process, Spec } from '../spec/types'
import { MEMORY_POLICY_FLAGS, MEMORY_POLICY_MODES } from '../tables/memory-policy'
import { MAX_NODE, parseNumberList } from '../tables/number-list'
import { IO_PRIORITY_CLASSES, SCHEDULER_FLAGS, SCHEDULER_POLICIES } from '../tables/scheduling'
import { append, type PlanBuilder } from './builder'
import type { Op } from './ops'

/** The or-ed values of `words`, which the schema has found in `table`. */
const bits = (table: Readonly<Record<string, number>>, words: readonly string[] = []): number =>
  words.reduce((mask, word) => mask | (table[word] ?? 0), 0)

function schedulerOp(scheduler: NonNullable<Process['scheduler']>): Op {
  const { policy, nice = 0, priority = 0, flags, runtime = 0, deadline = 0, period = 0 } = scheduler
  return {
    kind: 'setScheduler',
    pointer: '/process/scheduler',
    what: `set the scheduling policy ${policy}`,
    policy: SCHEDULER_POLICIES[policy as keyof typeof SCHEDULER_POLICIES],
    nice: BigInt(nice),
    priority,
    flags: BigInt(bits(SCHEDULER_FLAGS, flags)),
    runtime: BigInt(runtime),
    deadline: BigInt(deadline),
    period: BigInt(period),
  }
}

/** linux/ioprio.h IOPRIO_CLASS_SHIFT. */
const CLASS_SHIFT = 13

function ioPriorityOp({ class: name, priority = 0 }: NonNullable<Process['ioPriority']>): Op {
  const value = (IO_PRIORITY_CLASSES[name as keyof typeof IO_PRIORITY_CLASSES] << CLASS_SHIFT) | priority
  const what = `set the I/O priority ${name} ${priority}`
  return { kind: 'setIoPriority', pointer: '/process/ioPriority', what, value }
}

/** config.md "Linux Process", scheduler and ioPriority. */
export function schedulingOps({ process }: Spec): readonly Op[] {
  const { scheduler, ioPriority } = process ?? {}
  const out: Op[] = []
  if (scheduler !== undefined) out.push(schedulerOp(scheduler))
  if (ioPriority !== undefined) out.push(ioPriorityOp(ioPriority))
  return out
}

/** sched_setattr(2) and ioprio_set(2) ask for CAP_SYS_NICE in the initial user namespace: the caller may have it. */
export const maySchedule = (facts: HostFacts): boolean => facts.euid === 0 && !facts.inUserNamespace

/**
 * Once init is in its cgroups, and as long as it has the capabilities of the runtime, as runc does it. For a container
 * with a user namespace of its own the host side does it, where it has the capability.
 */
export function planScheduling(builder: PlanBuilder, side: 'init' | 'host'): void {
  const { spec, facts, namespaces } = builder
  const byHost = namespaces.kinds.user !== 'host' && maySchedule(facts)
  if (byHost !== (side === 'host')) return
  append(byHost ? builder.create : builder.init, schedulingOps(spec))
}

/** config-linux.md "Memory policy". */
export function planMemoryPolicy({ init, spec }: PlanBuilder): void {
  const policy = spec.linux?.memoryPolicy
  if (policy === undefined) return
  const { mode, nodes = '', flags } = policy
  init.push({
    kind: 'setMemoryPolicy',
    pointer: '/linux/memoryPolicy',
    what: `set the memory policy ${mode}${nodes === '' ? '' : ` of nodes ${quote(nodes)}`}`,
    mode: MEMORY_POLICY_MODES[mode as keyof typeof MEMORY_POLICY_MODES] | bits(MEMORY_POLICY_FLAGS, flags),
    nodes: parseNumberList(nodes, MAX_NODE) ?? [],
  })
}
