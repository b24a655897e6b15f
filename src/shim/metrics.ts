/** `tsrunc events --stats` as containerd's messages of cgroups: io.containerd.cgroups.v1.Metrics and v2.Metrics. */
import { existsSync } from 'node:fs'
import type { Any } from './messages'
import { encode, message, messages, string, type Table, uint64, uint64s } from './wire'

type Json = Readonly<Record<string, unknown>>

/** Numbered fields of u64, in order. `_` leaves a number out. */
const counters = (names: string): Table =>
  Object.fromEntries(
    names.split(' ').flatMap((name, index) => (name === '_' ? [] : [[name, uint64(index + 1)] as const])),
  )

const PIDS = counters('current limit')
const ENTRY_V1 = counters('limit usage max failcnt')
const BLKIO_ENTRY = { op: string(1), major: uint64(3), minor: uint64(4), value: uint64(5) }
const MEMORY_V1_RAW =
  'cache rss rss_huge mapped_file dirty writeback pgpgin pgpgout pgfault pgmajfault inactive_anon active_anon inactive_file ' +
  'active_file unevictable hierarchical_memory_limit hierarchical_memsw_limit total_cache total_rss total_rss_huge ' +
  'total_mapped_file total_dirty total_writeback total_pgpgin total_pgpgout total_pgfault total_pgmajfault ' +
  'total_inactive_anon total_active_anon total_inactive_file total_active_file total_unevictable'
const BLKIO =
  'ioServiceBytesRecursive ioServicedRecursive ioQueuedRecursive ioServiceTimeRecursive ioWaitTimeRecursive ' +
  'ioMergedRecursive ioTimeRecursive sectorsRecursive'

const V1 = {
  hugetlb: messages(1, { usage: uint64(1), max: uint64(2), failcnt: uint64(3), pagesize: string(4) }),
  pids: message(2, PIDS),
  cpu: message(3, {
    usage: message(1, { total: uint64(1), kernel: uint64(2), user: uint64(3), percpu: uint64s(4) }),
    throttling: message(2, counters('periods throttledPeriods throttledTime')),
  }),
  memory: message(4, {
    ...counters(MEMORY_V1_RAW),
    usage: message(33, ENTRY_V1),
    swap: message(34, ENTRY_V1),
    kernel: message(35, ENTRY_V1),
    kernelTCP: message(36, ENTRY_V1),
  }),
  blkio: message(
    5,
    Object.fromEntries(BLKIO.split(' ').map((name, index) => [name, messages(index + 1, BLKIO_ENTRY)] as const)),
  ),
}

const MEMORY_V2_RAW =
  'anon file kernel_stack slab sock shmem file_mapped file_dirty file_writeback anon_thp inactive_anon active_anon ' +
  'inactive_file active_file unevictable slab_reclaimable slab_unreclaimable pgfault pgmajfault workingset_refault ' +
  'workingset_activate workingset_nodereclaim pgrefill pgscan pgsteal pgactivate pgdeactivate pglazyfree pglazyfreed ' +
  'thp_fault_alloc thp_collapse_alloc usage usage_limit swap_usage swap_limit max_usage swap_max_usage'

const V2 = {
  pids: message(1, PIDS),
  cpu: message(2, counters('usage_usec user_usec system_usec nr_periods nr_throttled throttled_usec')),
  memory: message(4, counters(MEMORY_V2_RAW)),
  io: message(6, { usage: messages(1, counters('major minor rbytes wbytes rios wios')) }),
  hugetlb: messages(7, { current: uint64(1), max: uint64(2), pagesize: string(3) }),
}

const MOST = 2n ** 64n - 1n

/** JSON has no u64: the greatest one, "no limit", comes rounded up. */
function number(value: unknown): bigint {
  if (typeof value !== 'number' || !(value > 0)) return 0n
  const whole = BigInt(Math.trunc(value))
  return whole > MOST ? MOST : whole
}

const at = (json: Json, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? (value as Json)[name] : undefined),
    json,
  )

const part = (json: Json, ...path: readonly string[]): Json => {
  const found = at(json, ...path)
  return typeof found === 'object' && found !== null ? (found as Json) : {}
}

const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : [])

/** The members of `json` that the table names. */
const pick = (names: string, json: Json): Record<string, bigint> =>
  Object.fromEntries(names.split(' ').map((name) => [name, number(json[name])]))

const divide = (value: bigint): bigint => value / 1000n

function encodeV1(data: Json): Uint8Array {
  const cpu = part(data, 'cpu', 'usage')
  const entry = (name: string): Record<string, bigint> => pick('limit usage max failcnt', part(data, 'memory', name))
  const blkio = (name: string) =>
    list(at(data, 'blkio', name)).map(({ op, major, minor, value }) => ({
      op: String(op ?? ''),
      major: number(major),
      minor: number(minor),
      value: number(value),
    }))
  return encode(V1, {
    hugetlb: Object.entries(part(data, 'hugetlb')).map(([pagesize, value]) => {
      const { usage, max, failcnt } = value as Json
      return { pagesize, usage: number(usage), max: number(max), failcnt: number(failcnt) }
    }),
    pids: pick('current limit', part(data, 'pids')),
    cpu: {
      usage: {
        total: number(cpu['total']),
        kernel: number(cpu['kernel']),
        user: number(cpu['user']),
        percpu: (Array.isArray(cpu['percpu']) ? cpu['percpu'] : []).map(number),
      },
      throttling: pick('periods throttledPeriods throttledTime', part(data, 'cpu', 'throttling')),
    },
    memory: {
      ...pick(MEMORY_V1_RAW, part(data, 'memory', 'raw')),
      usage: entry('usage'),
      swap: entry('swap'),
      kernel: entry('kernel'),
      kernelTCP: entry('kernelTCP'),
    },
    blkio: Object.fromEntries(BLKIO.split(' ').map((name) => [name, blkio(name)])),
  })
}

/** Of each device reads and writes lie apart in the statistics. */
function ioV2(data: Json): readonly Record<string, bigint>[] {
  const devices = new Map<string, Record<string, bigint>>()
  const kinds = { ioServiceBytesRecursive: 'bytes', ioServicedRecursive: 'ios' }
  for (const [name, kind] of Object.entries(kinds)) {
    for (const { op, major, minor, value } of list(at(data, 'blkio', name))) {
      const key = `${major}:${minor}`
      const device = devices.get(key) ?? {
        major: number(major),
        minor: number(minor),
        rbytes: 0n,
        wbytes: 0n,
        rios: 0n,
        wios: 0n,
      }
      devices.set(key, device)
      const way = { read: 'r', write: 'w' }[String(op).toLowerCase()]
      if (way !== undefined) device[`${way}${kind}`] = number(value)
    }
  }
  return [...devices.values()]
}

function encodeV2(data: Json): Uint8Array {
  const usage = part(data, 'cpu', 'usage')
  const throttling = part(data, 'cpu', 'throttling')
  const memory = (name: string): Json => part(data, 'memory', name)
  return encode(V2, {
    pids: pick('current limit', part(data, 'pids')),
    cpu: {
      usage_usec: divide(number(usage['total'])),
      user_usec: divide(number(usage['user'])),
      system_usec: divide(number(usage['kernel'])),
      nr_periods: number(throttling['periods']),
      nr_throttled: number(throttling['throttledPeriods']),
      throttled_usec: divide(number(throttling['throttledTime'])),
    },
    memory: {
      ...pick(MEMORY_V2_RAW, memory('raw')),
      usage: number(memory('usage')['usage']),
      usage_limit: number(memory('usage')['limit']),
      max_usage: number(memory('usage')['max']),
      swap_usage: number(memory('swap')['usage']),
      swap_limit: number(memory('swap')['limit']),
      swap_max_usage: number(memory('swap')['max']),
    },
    io: { usage: ioV2(data) },
    hugetlb: Object.entries(part(data, 'hugetlb')).map(([pagesize, value]) => {
      const { usage: current, max } = value as Json
      return { pagesize, current: number(current), max: number(max) }
    }),
  })
}

const isUnified = (): boolean => existsSync('/sys/fs/cgroup/cgroup.controllers')

/** @param text a line of `events --stats` */
export function readMetrics(text: string, unified = isUnified()): Any {
  const data = part(JSON.parse(text) as Json, 'data')
  return unified
    ? { type_url: 'io.containerd.cgroups.v2.Metrics', value: encodeV2(data) }
    : { type_url: 'io.containerd.cgroups.v1.Metrics', value: encodeV1(data) }
}
