import type { HostFacts } from '../../host/facts'
import type { MemoryLimits } from '../../spec/types'
import { cgroupError, MAX, notConvertible, type Setting, unlessZero, type Warn } from './setting'

const CONTROLLER = 'memory'
const at = (property: keyof MemoryLimits): string => `/linux/resources/memory/${property}`

const limiting = (what: string, value: bigint): string =>
  value < 0n ? `lift the limit of ${what}` : `limit ${what} to ${value} bytes`

const setting = (file: string, value: string, property: keyof MemoryLimits, what: string): Setting => ({
  controller: CONTROLLER,
  file,
  value,
  pointer: at(property),
  what,
})

/** config-linux.md "Memory" in the files of Documentation/admin-guide/cgroup-v1/memory.rst. */
export function memoryV1(memory: MemoryLimits, facts: HostFacts, warn: Warn): readonly Setting[] {
  const out: Setting[] = []
  type Limit = 'limit' | 'swap' | 'reservation' | 'kernelTCP'
  const bytes = (property: Limit, file: string, what: string, ifAny = false): void => {
    const value = unlessZero(memory[property], at(property), warn)
    if (value !== undefined) out.push({ ...setting(file, String(value), property, limiting(what, value)), ifAny })
  }
  // The kernel wants memsw to be at least limit at any time: limit first, while memsw is unlimited.
  bytes('limit', 'memory.limit_in_bytes', 'memory')
  bytes('swap', 'memory.memsw.limit_in_bytes', 'memory and swap', isVacuousSwap(memory, facts))
  bytes('reservation', 'memory.soft_limit_in_bytes', 'memory under pressure')
  bytes('kernelTCP', 'memory.kmem.tcp.limit_in_bytes', 'memory of TCP buffers')
  if (memory.swappiness !== undefined) {
    const value = String(memory.swappiness)
    out.push(setting('memory.swappiness', value, 'swappiness', `set swappiness to ${value}`))
  }
  if (memory.disableOOMKiller === true) {
    out.push(setting('memory.oom_control', '1', 'disableOOMKiller', 'disable the OOM killer'))
  }
  warnOfIgnored(memory, ['kernel'], warn)
  return out
}

/** No limit needs no file; nor does one of a kernel without swap, where the limit of memory says it already. */
const isVacuousSwap = ({ limit = 0, swap = 0 }: MemoryLimits, facts: HostFacts): boolean =>
  BigInt(swap) < 0n || (!facts.swap && BigInt(limit) > 0n && BigInt(limit) <= BigInt(swap))

/** config-linux.md "Memory" in the files of Documentation/admin-guide/cgroup-v2.rst. */
export function memoryV2(memory: MemoryLimits, facts: HostFacts, warn: Warn): readonly Setting[] {
  refuseWithoutV2Form(memory)
  const out: Setting[] = []
  const limit = unlessZero(memory.limit, at('limit'), warn)
  const swap = swapV2(limit, unlessZero(memory.swap, at('swap'), warn))
  if (swap !== undefined) out.push({ ...swap, ifAny: swap.value === MAX || !facts.swap })
  if (limit !== undefined)
    out.push({ ...setting('memory.max', maxOr(limit), 'limit', limiting('memory', limit)), ...checked(memory, limit) })
  const reservation = unlessZero(memory.reservation, at('reservation'), warn)
  if (reservation !== undefined) {
    out.push(setting('memory.low', maxOr(reservation), 'reservation', `protect ${maxOr(reservation)} bytes of memory`))
  }
  warnOfIgnored(memory, ['kernel', 'kernelTCP'], warn)
  return out
}

/** On v1 the kernel itself refuses a limit below what is used. */
const checked = ({ checkBeforeUpdate }: MemoryLimits, limit: bigint): Pick<Setting, 'usage'> =>
  checkBeforeUpdate === true && limit >= 0n ? { usage: 'memory.current' } : {}

const maxOr = (value: bigint): string => (value < 0n ? MAX : String(value))

/** config.json has memory and swap together, memory.swap.max swap alone. Errors: CGROUP_VALUE. */
function swapV2(limit: bigint | undefined, swap: bigint | undefined): Setting | undefined {
  // Unlimited memory alone asks for unlimited swap too, as on v1.
  if (swap === undefined) {
    return limit !== undefined && limit < 0n
      ? setting('memory.swap.max', MAX, 'limit', 'lift the limit of swap')
      : undefined
  }
  if (swap < 0n) return setting('memory.swap.max', MAX, 'swap', 'lift the limit of swap')
  if (limit === undefined || limit < 0n) {
    const message = `limit memory and swap to ${swap} bytes: cgroup v2 limits swap alone: set memory.limit as well`
    throw cgroupError('CGROUP_VALUE', message, at('swap'))
  }
  if (swap < limit) {
    const message = `limit memory and swap to ${swap} bytes: that is below the limit of memory, ${limit} bytes`
    throw cgroupError('CGROUP_VALUE', message, at('swap'))
  }
  return setting('memory.swap.max', String(swap - limit), 'swap', `limit swap to ${swap - limit} bytes`)
}

function refuseWithoutV2Form(memory: MemoryLimits): void {
  if (memory.swappiness !== undefined) {
    const what = `set swappiness to ${memory.swappiness}`
    throw notConvertible(what, 'cgroup v2 has no swappiness of a cgroup; remove it', at('swappiness'))
  }
  if (memory.disableOOMKiller === true) {
    const why = 'cgroup v2 cannot disable it; protect the process with oomScoreAdj instead'
    throw notConvertible('disable the OOM killer', why, at('disableOOMKiller'))
  }
}

/**
 * NOT RECOMMENDED since 1.1, and ignored by runc: the kernel has counted kernel memory with the rest since 4.x, and has
 * not limited it apart since 5.16. useHierarchy false cannot be had since 5.11.
 */
function warnOfIgnored(memory: MemoryLimits, properties: readonly ('kernel' | 'kernelTCP')[], warn: Warn): void {
  for (const property of properties) {
    if (memory[property] === undefined) continue
    const name = property === 'kernel' ? 'kernel memory' : 'memory of TCP buffers'
    warn(`a limit of ${name} is ignored: the limit of memory includes it (config.json ${at(property)})`)
  }
  if (memory.useHierarchy === false) {
    warn(`useHierarchy false is ignored: memory cgroups are always hierarchical (config.json ${at('useHierarchy')})`)
  }
}
