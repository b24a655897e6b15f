import { shortened } from '../../errors'
import type { CpuLimits } from '../../spec/types'
import { SHARES_MAX, SHARES_MIN, weightOfShares } from './convert'
import { cgroupError, MAX, notConvertible, type Setting, unlessZero, type Warn } from './setting'

const at = (property: keyof CpuLimits): string => `/linux/resources/cpu/${property}`

type Time = 'period' | 'quota' | 'realtimePeriod' | 'realtimeRuntime'

/** The kernel's default of cpu.cfs_period_us and cpu.max, in microseconds. */
const DEFAULT_PERIOD = 100000n

/** config-linux.md "CPU" in the files of cgroup v1 (Documentation/scheduler/sched-bwc.rst, sched-rt-group.rst). */
export function cpuV1(cpu: CpuLimits, warn: Warn): readonly Setting[] {
  const out: Setting[] = []
  const write = (property: Time, file: string, what: (value: bigint) => string): void => {
    const value = unlessZero(cpu[property], at(property), warn)
    if (value !== undefined) out.push(cpuSetting(file, String(value), property, what(value)))
  }
  refuseSharesOutOfRange(cpu)
  const shares = unlessZero(cpu.shares, at('shares'), warn)
  const weight = shares === undefined ? [] : [cpuSetting('cpu.shares', String(shares), 'shares', sharing(shares))]
  out.push(...idleAndWeight(cpu, weight))
  // The period first: a quota may be more than the default period would allow its parent.
  write('period', 'cpu.cfs_period_us', (value) => `set the period of the CPU limit to ${value} us`)
  write('quota', 'cpu.cfs_quota_us', quota)
  // After the quota, above which it must not be.
  if (cpu.burst !== undefined) out.push(cpuSetting('cpu.cfs_burst_us', String(cpu.burst), 'burst', burst(cpu.burst)))
  write('realtimePeriod', 'cpu.rt_period_us', (value) => `set the period of the realtime limit to ${value} us`)
  write('realtimeRuntime', 'cpu.rt_runtime_us', (value) => `give realtime processes ${value} us in each period`)
  out.push(...cpuset(cpu))
  return out
}

/** config-linux.md "CPU" in the files of Documentation/admin-guide/cgroup-v2.rst. */
export function cpuV2(cpu: CpuLimits, warn: Warn): readonly Setting[] {
  refuseRealtime(cpu, warn)
  const out: Setting[] = []
  const shares = unlessZero(cpu.shares, at('shares'), warn)
  const weight = shares === undefined ? [] : [weightV2(shares, warn)]
  out.push(...idleAndWeight(cpu, weight))
  const period = unlessZero(cpu.period, at('period'), warn)
  const runtime = unlessZero(cpu.quota, at('quota'), warn)
  if (runtime !== undefined || period !== undefined) {
    const allowed = runtime === undefined || runtime < 0n ? MAX : String(runtime)
    const property = runtime === undefined ? 'period' : 'quota'
    const value = `${allowed} ${period ?? DEFAULT_PERIOD}`
    out.push(
      cpuSetting('cpu.max', value, property, `limit CPU time to ${allowed} us in ${period ?? DEFAULT_PERIOD} us`),
    )
  }
  if (cpu.burst !== undefined) out.push(cpuSetting('cpu.max.burst', String(cpu.burst), 'burst', burst(cpu.burst)))
  out.push(...cpuset(cpu))
  return out
}

const cpuSetting = (file: string, value: string, property: keyof CpuLimits, what: string): Setting => ({
  controller: file.startsWith('cpuset.') ? 'cpuset' : 'cpu',
  file,
  value,
  pointer: at(property),
  what,
})

const sharing = (shares: bigint): string => `set the share of CPU time to ${shares}`
const quota = (value: bigint): string => (value < 0n ? 'lift the limit of CPU time' : `limit CPU time to ${value} us`)
const burst = (value: number | bigint): string => `allow bursts of ${value} us of CPU time`

/** The kernel would take the nearest value without a word; runc's words, for which callers search. */
function refuseSharesOutOfRange({ shares = 0 }: CpuLimits): void {
  const value = BigInt(shares)
  if (value === 0n || (value >= SHARES_MIN && value <= SHARES_MAX)) return
  const border =
    value < SHARES_MIN ? `minimum allowed cpu-shares is ${SHARES_MIN}` : `maximum allowed cpu-shares is ${SHARES_MAX}`
  throw cgroupError('CGROUP_VALUE', `${sharing(value)}: the ${border}`, at('shares'))
}

function weightV2(shares: bigint, warn: Warn): Setting {
  const weight = weightOfShares(shares)
  if (shares < SHARES_MIN || shares > SHARES_MAX) {
    warn(`CPU shares ${shares} are out of range: cpu.weight ${weight} is used (config.json ${at('shares')})`)
  }
  return cpuSetting('cpu.weight', String(weight), 'shares', `${sharing(shares)} (weight ${weight})`)
}

/** An idle cgroup refuses a weight: leave idleness first, enter it last. */
function idleAndWeight({ idle }: CpuLimits, weight: readonly Setting[]): readonly Setting[] {
  if (idle === undefined) return weight
  const leaves = BigInt(idle) === 0n
  const what = leaves ? 'schedule as usual' : 'schedule only when the CPU is idle'
  const setting = cpuSetting('cpu.idle', String(idle), 'idle', what)
  return leaves ? [setting, ...weight] : [...weight, setting]
}

function cpuset({ cpus = '', mems = '' }: CpuLimits): readonly Setting[] {
  const out: Setting[] = []
  if (cpus !== '') out.push(cpuSetting('cpuset.cpus', cpus, 'cpus', `use the CPUs ${shortened(cpus)}`))
  if (mems !== '') out.push(cpuSetting('cpuset.mems', mems, 'mems', `use the memory nodes ${shortened(mems)}`))
  return out
}

function refuseRealtime(cpu: CpuLimits, warn: Warn): void {
  for (const property of ['realtimeRuntime', 'realtimePeriod'] as const) {
    const value = unlessZero(cpu[property], at(property), warn)
    if (value === undefined) continue
    throw notConvertible(`set ${property} to ${value} us`, 'cgroup v2 cannot limit realtime processes', at(property))
  }
}
