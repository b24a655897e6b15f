import { ioWeightOfBlockWeight } from './convert'
import { type DbusValue, dbusArray, dbusBoolean, dbusString, dbusStruct, dbusU32, dbusU64 } from './dbus'
import { MAX, type Setting } from './setting'

/** A property of a unit (org.freedesktop.systemd1(5)). `since`: the version of systemd that knows it; 0 for all. */
export interface UnitProperty {
  readonly name: string
  readonly value: DbusValue
  readonly since: number
}

export const property = (name: string, value: DbusValue, since = 0): UnitProperty => ({ name, value, since })

/** "infinity" in a property that is a number. */
const INFINITY = (1n << 64n) - 1n

const limit = (value: string): DbusValue => dbusU64(value === MAX || value === '-1' ? INFINITY : BigInt(value))

/** TasksMax=0 is refused; the file then says 0. */
const tasks = (value: string): DbusValue => limit(value === '0' ? '1' : value)

/** systemd keeps the quota as whole percents: rounded up, or a daemon-reload would leave less than was asked for. */
const PERCENT = 10_000n

function quota(runtime: bigint, period: bigint): DbusValue {
  const perSecond = (runtime * 1_000_000n + period - 1n) / period
  return dbusU64(((perSecond + PERCENT - 1n) / PERCENT) * PERCENT)
}

const isNumber = (text: string): boolean => /^\d+$/.test(text)

/** "200000 100000" of cpu.max. */
function cpuMax(value: string): readonly UnitProperty[] {
  const [runtime = MAX, period = '100000'] = value.trim().split(/\s+/)
  if (!isNumber(period) || BigInt(period) === 0n || (runtime !== MAX && !isNumber(runtime))) return []
  const perSecond = runtime === MAX ? dbusU64(INFINITY) : quota(BigInt(runtime), BigInt(period))
  return [property('CPUQuotaPerSecUSec', perSecond), property('CPUQuotaPeriodUSec', dbusU64(BigInt(period)), 242)]
}

/** More than any machine has; a list with a larger number is for the kernel to refuse. */
const MOST_CPUS = 8192

/** "0-2,7" as the bit mask that systemd takes, the lowest byte first; undefined for what is no such list. */
export function maskOfList(text: string): readonly number[] | undefined {
  const mask: number[] = []
  for (const part of text.trim().split(',')) {
    const [, first = '', last = first] = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part) ?? []
    if (first === '' || Number(last) >= MOST_CPUS || Number(first) > Number(last)) return undefined
    for (let bit = Number(first); bit <= Number(last); bit += 1) {
      while (mask.length <= bit >> 3) mask.push(0)
      mask[bit >> 3] = (mask[bit >> 3] ?? 0) | (1 << (bit & 7))
    }
  }
  return mask
}

function list(name: string, value: string): readonly UnitProperty[] {
  // No list of its own: what the cgroup above has.
  const mask = value.trim() === '' ? [] : maskOfList(value)
  if (mask === undefined) return []
  const bytes = mask.map((byte): DbusValue => ({ type: 'y', value: byte }))
  return [property(name, dbusArray('y', bytes), 244)]
}

const inRange = (value: string, least: bigint, most: bigint): boolean =>
  isNumber(value) && BigInt(value) >= least && BigInt(value) <= most

const number = (name: string, value: string, since = 0): readonly UnitProperty[] =>
  value === MAX || value === '-1' || isNumber(value) ? [property(name, limit(value), since)] : []

/** A weight by files, where systemd takes it. */
const weight = (name: string, value: string, least: bigint, most: bigint): readonly UnitProperty[] =>
  inRange(value, least, most) ? [property(name, dbusU64(BigInt(value)))] : []

type Mirror = (value: string) => readonly UnitProperty[]

/** What systemd has a property for, by the file's name; the rest is its own only in a unit that is delegated. */
const V2: Readonly<Record<string, Mirror>> = {
  'memory.max': (value) => number('MemoryMax', value),
  'memory.high': (value) => number('MemoryHigh', value),
  'memory.low': (value) => number('MemoryLow', value),
  'memory.min': (value) => number('MemoryMin', value, 240),
  'memory.swap.max': (value) => number('MemorySwapMax', value),
  'cpu.weight': (value) => weight('CPUWeight', value, 1n, 10000n),
  'cpu.idle': (value) => (value.trim() === '1' ? [property('CPUWeight', dbusU64(0n), 252)] : []),
  'cpu.max': cpuMax,
  'cpuset.cpus': (value) => list('AllowedCPUs', value),
  'cpuset.mems': (value) => list('AllowedMemoryNodes', value),
  'pids.max': (value) => (value === MAX || isNumber(value) ? [property('TasksMax', tasks(value))] : []),
  'io.weight': (value) => weight('IOWeight', value.replace(/^default /, ''), 1n, 10000n),
  'io.bfq.weight': (value) =>
    inRange(value, 10n, 1000n) ? [property('IOWeight', dbusU64(BigInt(ioWeightOfBlockWeight(Number(value)))))] : [],
}

const V1: Readonly<Record<string, Mirror>> = {
  'memory.limit_in_bytes': (value) => number('MemoryLimit', value),
  'cpu.shares': (value) => weight('CPUShares', value, 2n, 262144n),
  'blkio.weight': (value) => weight('BlockIOWeight', value, 10n, 1000n),
  'blkio.bfq.weight': (value) => weight('BlockIOWeight', value, 10n, 1000n),
  'pids.max': (value) => (value === MAX || isNumber(value) ? [property('TasksMax', tasks(value))] : []),
}

/** By the version of cgroups. */
export const MIRRORED = { 1: V1, 2: V2 } as const

/** Every version of systemd that is in use knows the properties of this one. */
export const OLD_SYSTEMD = 239

/** Quota and period are one file on v2 and two on v1. */
function quotaV1(settings: readonly Setting[]): readonly UnitProperty[] {
  const value = (file: string): string | undefined => settings.findLast((setting) => setting.file === file)?.value
  const runtime = value('cpu.cfs_quota_us')
  const period = value('cpu.cfs_period_us')
  if (runtime === undefined && period === undefined) return []
  return cpuMax(`${runtime === undefined || runtime.startsWith('-') ? MAX : runtime} ${period ?? '100000'}`)
}

/** Of two that speak of the same the last one counts, as with the files. */
const lastOfEach = (properties: readonly UnitProperty[]): readonly UnitProperty[] =>
  properties.filter(({ name }, index) => properties.findLastIndex((other) => other.name === name) === index)

/**
 * What is written by files, as properties of the unit: systemd writes those of its properties again after a daemon-reload,
 * and shows them.
 */
export function mirroredProperties(settings: readonly Setting[], version: 1 | 2): readonly UnitProperty[] {
  const table = MIRRORED[version]
  const mirrored = settings.flatMap(({ file, value }) =>
    Object.hasOwn(table, file) ? (table[file]?.(value) ?? []) : [],
  )
  return lastOfEach(version === 2 ? mirrored : [...mirrored, ...quotaV1(settings)])
}

const structOf = ({ name, value }: UnitProperty): DbusValue => dbusStruct(dbusString(name), { type: 'v', value })

export const propertyList = (properties: readonly UnitProperty[]): DbusValue =>
  dbusArray('(sv)', properties.map(structOf))

/** The unit's process: its number is known only once it is there. */
export const PID_PROPERTY = property('PIDs', dbusArray('u', [dbusU32(0)]))

/** What every container's unit has. `version`: of cgroups; systemd counts I/O by another controller on each. */
export const accounting = (version: 1 | 2): readonly UnitProperty[] =>
  ['CPUAccounting', version === 2 ? 'IOAccounting' : 'BlockIOAccounting', 'MemoryAccounting', 'TasksAccounting'].map(
    (name) => property(name, dbusBoolean(true)),
  )
