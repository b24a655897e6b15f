import { MAX_CPU, parseNumberList } from '../../tables/number-list'

/**
 * How the engine compares what it has written into a file of a cgroup with what the file then says. The kernel rounds,
 * normalises and has words of its own; what counts as the same is decided here, the engine only compares.
 */
export const CHECKS = {
  /** Not at all: a file that cannot be read, or of which nothing is known. */
  none: 0,
  /** The file's first number is in `least` to `most`; "max" and every negative number are the greatest one. */
  number: 1,
  /** The file is one line, `text`. */
  text: 2,
  /** The line whose first word is `key` has every word of `text`. */
  entry: 3,
} as const

/** How the old value of a file is put back. */
export const UNDO = {
  none: 0,
  /** The first line as it was. */
  whole: 1,
  /** The line whose first word is `key` as it was, or `absent`. */
  line: 2,
  /** What stands behind the word `key`. */
  value: 3,
  /** `absent` is written into the file `key`: the operation's own file cannot be read. */
  given: 4,
} as const

export interface ReadBack {
  readonly check: (typeof CHECKS)[keyof typeof CHECKS]
  readonly least: bigint
  readonly most: bigint
  readonly key: string
  readonly text: string
  /** UNDO, should the setting be one of an update. */
  readonly undo: (typeof UNDO)[keyof typeof UNDO]
  readonly absent: string
}

const GREATEST = (1n << 64n) - 1n

/** PAGE_COUNTER_MAX of linux/page_counter.h in bytes, with room for pages of any size. */
const UNLIMITED_BYTES = (1n << 63n) - (1n << 18n)

/** The largest page that a kernel can be built with: limits are rounded down to pages. */
const LARGEST_PAGE = 1n << 16n

const BASE: ReadBack = {
  check: CHECKS.none,
  least: 0n,
  most: 0n,
  key: '',
  text: '',
  undo: UNDO.whole,
  absent: '',
}

/** The file cannot be read, or says nothing of what was written. */
export const NOT_READ: ReadBack = { ...BASE, undo: UNDO.none }

const range = (least: bigint, most: bigint): ReadBack => ({ ...BASE, check: CHECKS.number, least, most })
const text = (line: string): ReadBack => ({ ...BASE, check: CHECKS.text, text: line })
const entry = (key: string, words: string, absent = ''): ReadBack => ({
  ...BASE,
  check: words === '' ? CHECKS.none : CHECKS.entry,
  key,
  text: words,
  undo: UNDO.line,
  absent,
})

const SUFFIXES = 'kmgtpe'

/** memparse() of the kernel: decimal digits and a suffix. */
function parseBytes(value: string): bigint | undefined {
  const [, digits, suffix = ''] = /^(\d{1,20})([kmgtpe]?)$/i.exec(value) ?? []
  if (digits === undefined) return undefined
  const power = suffix === '' ? 0 : SUFFIXES.indexOf(suffix.toLowerCase()) + 1
  return BigInt(digits) << BigInt(10 * power)
}

/** Bytes that the kernel counts in pages of at most `page` bytes. */
function bytes(value: string, page: bigint): ReadBack {
  if (value === 'max' || value.startsWith('-')) return range(UNLIMITED_BYTES - page, GREATEST)
  const wanted = parseBytes(value)
  if (wanted === undefined) return BASE
  if (wanted >= UNLIMITED_BYTES - page) return range(UNLIMITED_BYTES - page, GREATEST)
  return range(wanted < page ? 0n : wanted - page + 1n, wanted)
}

function number(value: string): ReadBack {
  if (value === 'max' || /^-\d+$/.test(value)) return range(GREATEST, GREATEST)
  return /^\d{1,20}$/.test(value) ? range(BigInt(value), BigInt(value)) : BASE
}

/** As the kernel prints a bitmap: ascending, neighbours joined ("0-2,5"). */
function numberList(value: string): ReadBack {
  const numbers = parseNumberList(value.trim(), MAX_CPU)
  if (numbers === undefined) return BASE
  const ranges: [number, number][] = []
  for (const item of numbers) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === item - 1) last[1] = item
    else ranges.push([item, item])
  }
  return text(ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(','))
}

/** cpu.max: a runtime alone leaves the period as it is. */
function cpuMax(value: string): ReadBack {
  const words = value.trim().split(/\s+/)
  const [runtime = ''] = words
  return words.length === 1 ? { ...entry(runtime, runtime), undo: UNDO.whole } : text(words.join(' '))
}

/** The kernel's unsigned int: greater rates of requests are none to it. */
const MOST_REQUESTS = (1n << 32n) - 1n

/** io.max leaves a device without a limit out, and a word without one is "max". */
function ioMax(value: string): ReadBack {
  const [device = '', ...words] = value.trim().split(/\s+/)
  const kept = words.filter((word) => {
    const [name = '', rate = ''] = word.split('=', 2)
    return /^\d+$/.test(rate) && !(name.endsWith('iops') && BigInt(rate) >= MOST_REQUESTS)
  })
  return entry(device, kept.join(' '), `${device} rbps=max wbps=max riops=max wiops=max`)
}

/** blkio.throttle.*: a rate of 0 is none, and has no line. */
function throttle(file: string, value: string): ReadBack {
  const [device = '', rate = ''] = value.split(' ', 2)
  const none = /^0*$/.test(rate) || (file.includes('iops') && rate === String(MOST_REQUESTS))
  return entry(device, none ? '' : rate, `${device} 0`)
}

/** io.weight and io.bfq.weight: "WEIGHT", "default WEIGHT" or "DEVICE WEIGHT". */
function weight(value: string): ReadBack {
  const words = value.trim().split(/\s+/)
  const [key = '', number = ''] = words.length === 1 ? ['default', ...words] : words
  return entry(key, number === 'default' ? '' : number, `${key} default`)
}

function deviceWeight(value: string): ReadBack {
  const [device = '', number = ''] = value.split(' ', 2)
  return entry(device, number === '0' ? '' : number, `${device} 0`)
}

/** "KEY WORD…", with a line for each key that there is. */
function keyed(value: string): ReadBack {
  const [key = '', ...words] = value.trim().split(/\s+/)
  return entry(key, words.join(' '))
}

/** Huge pages as in hugetlb.2MB.max. */
function hugepageBytes(file: string): bigint {
  const [, count, unit = ''] = /^hugetlb\.(\d{1,6})([KMG])B\./.exec(file) ?? []
  return count === undefined ? LARGEST_PAGE : (parseBytes(`${count}${unit}`) ?? LARGEST_PAGE)
}

const BYTES =
  /^memory\.(?:min|low|high|max|swap\.(?:high|max)|zswap\.max|limit_in_bytes|memsw\.limit_in_bytes|soft_limit_in_bytes|kmem\.tcp\.limit_in_bytes)$/
const NUMBER =
  /^(?:pids\.max|cpu\.(?:shares|weight|idle|max\.burst|cfs_period_us|cfs_quota_us|cfs_burst_us|rt_period_us|rt_runtime_us)|memory\.(?:swappiness|oom\.group)|cgroup\.max\.(?:depth|descendants)|blkio\.(?:bfq\.weight|weight|leaf_weight)|net_cls\.classid)$/
const TEXT = /^(?:cpuset\.cpus\.partition|cgroup\.type|cpu\.weight\.nice)$/
const LIST = /^cpuset\.(?:cpus|mems|cpus\.exclusive)$/
const HUGETLB = /^hugetlb\.[^.]+\.(?:rsvd\.)?(?:max|limit_in_bytes)$/
/** What can only be written, or does something at once and keeps nothing. */
const COMMANDS =
  /^(?:devices\.(?:allow|deny)|cgroup\.(?:kill|procs|threads|subtree_control|freeze|pressure)|memory\.(?:reclaim|peak|swap\.peak|force_empty))$/

/** What the file says once it has taken the value. */
export function readBackOf(file: string, value: string): ReadBack {
  if (COMMANDS.test(file)) return NOT_READ
  if (BYTES.test(file)) return bytes(value, LARGEST_PAGE)
  if (NUMBER.test(file)) return number(value)
  if (LIST.test(file)) return numberList(value)
  if (HUGETLB.test(file)) return bytes(value, hugepageBytes(file))
  if (TEXT.test(file)) return text(value)
  if (file === 'cpu.max') return cpuMax(value)
  if (file === 'io.max') return ioMax(value)
  if (file === 'io.weight' || file === 'io.bfq.weight') return weight(value)
  if (file.startsWith('blkio.throttle.')) return throttle(file, value)
  if (/^blkio\..*weight_device$/.test(file)) return deviceWeight(value)
  if (file === 'memory.oom_control') return { ...entry('oom_kill_disable', value), undo: UNDO.value }
  if (file === 'rdma.max' || file === 'misc.max' || file === 'net_prio.ifpriomap') return keyed(value)
  return BASE
}

/** What to do where the kernel has another value than the one that was written. */
export function adviceFor(file: string): string {
  if (file === 'cpuset.cpus.partition') return 'the kernel says why; the parent must be a partition too'
  if (file.startsWith('cpuset.')) return 'the cgroup above must have them too: look at its file of the same name'
  if (file.startsWith('io.') || file.startsWith('blkio.'))
    return 'the kernel keeps limits of whole disks only, in its own range'
  return 'somebody else may manage this cgroup, systemd or an engine: give the container one that is delegated to it'
}
