// `update`: every flag, by the kernel's file that it changes, and every old value back where one is refused.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  cgroupsNamed,
  cgroupVersion,
  deepEqual,
  equal,
  hierarchyOf,
  match,
  type Outcome,
  ok,
  readCgroup,
  requiresController,
  sandbox,
  type TestOptions,
  test,
} from '../../lib'

const OURS: TestOptions = { only: ['tsrunc'] }
const MIB = 1 << 20
const v2 = (): boolean => cgroupVersion() === 2

const created = async (): Promise<Bundle> => {
  requiresController('memory', 'pids', 'cpu', 'cpuset')
  const b = await bundle()
  b.command(['sleep', '600'])
  await b.create()
  return b
}

const updated = async (b: Bundle, ...flags: readonly string[]): Promise<Outcome> => {
  const outcome = await b.tryCall('update', { flags })
  equal(outcome.status, 0, `${flags.join(' ')}: ${outcome.stderr}`)
  return outcome
}

const updateBy = (b: Bundle, resources: unknown): Promise<Outcome> => {
  const file = join(sandbox().directory, 'resources.json')
  writeFileSync(file, JSON.stringify(resources))
  return b.tryCall('update', { flags: ['-r', file] })
}

/** Flags in the order in which they are given, and what the files of v1 and of v2 say afterwards. */
interface Row {
  readonly flags: readonly string[]
  readonly v1?: Readonly<Record<string, string>>
  readonly v2?: Readonly<Record<string, string>>
}

const ROWS: readonly Row[] = [
  {
    flags: [
      ...['--memory', '64m', '--memory-swap', '96m', '--memory-reservation', '16 MB', '--pids-limit', '33'],
      ...['--cpu-period', '50000', '--cpu-quota', '20000', '--cpu-burst', '5000', '--cpu-share', '2048'],
      ...['--cpuset-cpus', '0', '--cpuset-mems', '0', '--blkio-weight', '200'],
    ],
    v1: {
      'memory.limit_in_bytes': String(64 * MIB),
      'memory.memsw.limit_in_bytes': String(96 * MIB),
      'memory.soft_limit_in_bytes': String(16 * MIB),
      'pids.max': '33',
      'cpu.cfs_period_us': '50000',
      'cpu.cfs_quota_us': '20000',
      'cpu.cfs_burst_us': '5000',
      'cpu.shares': '2048',
      'cpuset.cpus': '0',
      'cpuset.mems': '0',
      'blkio.bfq.weight': '200',
    },
    v2: {
      'memory.max': String(64 * MIB),
      'memory.swap.max': String(32 * MIB),
      'memory.low': String(16 * MIB),
      'pids.max': '33',
      'cpu.max': '20000 50000',
      'cpu.max.burst': '5000',
      'cpu.weight': '174',
      'cpuset.cpus': '0',
      'cpuset.mems': '0',
      'io.bfq.weight': 'default 200',
    },
  },
  // A burst may not be above the quota, not even between two writes.
  {
    flags: ['--cpu-quota', '3000', '--cpu-burst', '1000'],
    v1: { 'cpu.cfs_quota_us': '3000', 'cpu.cfs_burst_us': '1000' },
    v2: { 'cpu.max': '3000 50000', 'cpu.max.burst': '1000' },
  },
  {
    flags: ['--cpu-burst', '15000', '--cpu-quota', '20000'],
    v1: { 'cpu.cfs_quota_us': '20000', 'cpu.cfs_burst_us': '15000' },
    v2: { 'cpu.max': '20000 50000', 'cpu.max.burst': '15000' },
  },
  {
    flags: [
      ...['--memory=1.5MiB', '--memory-swap=-1', '--pids-limit=-1'],
      ...['--cpu-burst=0', '--cpu-quota=-1', '--cpu-idle=1'],
    ],
    v1: {
      'memory.limit_in_bytes': String(1.5 * MIB),
      'pids.max': 'max',
      'cpu.cfs_quota_us': '-1',
      'cpu.cfs_burst_us': '0',
      'cpu.idle': '1',
    },
    v2: {
      'memory.max': String(1.5 * MIB),
      'memory.swap.max': 'max',
      'pids.max': 'max',
      'cpu.max': 'max 50000',
      'cpu.max.burst': '0',
      'cpu.idle': '1',
    },
  },
  { flags: ['--cpu-idle', '0'], v1: { 'cpu.idle': '0' }, v2: { 'cpu.idle': '0' } },
  { flags: ['--kernel-memory-tcp', '8m'], v1: { 'memory.kmem.tcp.limit_in_bytes': String(8 * MIB) } },
  { flags: ['--cpu-rt-period', '500000', '--cpu-rt-runtime', '0'], v1: { 'cpu.rt_period_us': '500000' } },
]

const has = (b: Bundle, file: string): boolean =>
  hierarchyOf(controllerOf(file)) !== undefined && cgroupsNamed(b.id).some((path) => existsSync(join(path, file)))

const controllerOf = (file: string): string => file.slice(0, file.indexOf('.'))

test('update: every flag by the file that it changes', OURS, async () => {
  const b = await created()
  for (const { flags, ...files } of ROWS) {
    const expected = Object.entries(files[v2() ? 'v2' : 'v1'] ?? {}).filter(([file]) => has(b, file))
    if (expected.length === 0) continue
    await updated(b, ...flags)
    for (const [file, value] of expected) {
      equal(readCgroup(controllerOf(file), b.id, file), value, `${flags.join(' ')}: ${file}`)
    }
  }
})

test(
  'update: flags that this cgroup version cannot follow are errors, or warnings where nothing is lost',
  OURS,
  async () => {
    const b = await created()
    const before = limitsOf(b)
    match((await updated(b, '--kernel-memory', '64m')).stderr, /--kernel-memory|\/memory\/kernel/)
    const schema = await b.tryCall('update', { flags: ['--l3-cache-schema', 'L3:0=f'] })
    equal(schema.status, 1)
    match(schema.stderr, /intelRdt|resctrl/)
    if (v2()) {
      match((await updated(b, '--kernel-memory-tcp', '64m')).stderr, /--kernel-memory-tcp|\/memory\/kernelTCP/)
      const { status, stderr } = await b.tryCall('update', { flags: ['--cpu-rt-runtime', '1000'] })
      equal(status, 1)
      match(stderr, /cgroup v2 cannot limit realtime processes \(--cpu-rt-runtime\)/)
    }
    deepEqual(limitsOf(b), before)
  },
)

/** Files that say what happened, not what may. */
const STATISTICS =
  /stat|current|usage|events|pressure|peak|failcnt|procs|threads|tasks|effective|io_service|time|sectors|numa|cgroup\.(kill|freeze|controllers)|memory_pressure|use_hierarchy|kmem\.(limit|slabinfo)/

/** Every limit of the container, by the path of its file. */
const limitsOf = (b: Bundle): Readonly<Record<string, string>> => {
  const out: Record<string, string> = {}
  for (const directory of cgroupsNamed(b.id)) {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name)
      if (STATISTICS.test(name) || !name.includes('.')) continue
      try {
        out[path] = readFileSync(path, 'utf8')
      } catch {
        // Files that can only be written, and those that this kernel has no answer for.
      }
    }
  }
  return out
}

/** A disk, "MAJOR:MINOR", or nothing. */
const disk = (): { readonly major: number; readonly minor: number } | undefined => {
  const named = readdirSync('/sys/block').filter((name) => existsSync(`/sys/block/${name}/device`))
  const [major, minor] = named.map((name) => readFileSync(`/sys/block/${name}/dev`, 'utf8').trim())[0]?.split(':') ?? []
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) }
}

/** Limits of every controller that is here, with numbers that `step` makes different. */
const everything = (b: Bundle, step: number): Record<string, unknown> => {
  const device = disk()
  const rate = device === undefined ? [] : [{ ...device, rate: step * 1_000_000 }]
  const io = v2() ? has(b, 'io.max') : has(b, 'blkio.throttle.read_bps_device')
  const huge = v2() ? has(b, 'hugetlb.2MB.max') : has(b, 'hugetlb.2MB.limit_in_bytes')
  const idle = has(b, 'cpu.idle')
  return {
    memory: { limit: step * 64 * MIB, swap: step * 96 * MIB, reservation: step * 16 * MIB },
    cpu: {
      period: step * 50_000,
      quota: step * 20_000,
      ...(step === 1 || !idle ? { shares: 512 * step } : { idle: 1 }),
      cpus: '0',
      mems: '0',
    },
    pids: { limit: step * 20 },
    ...(io ? { blockIO: { throttleReadBpsDevice: rate, throttleWriteIOPSDevice: rate } } : {}),
    ...(huge ? { hugepageLimits: [{ pageSize: '2MB', limit: step * 2 * MIB }] } : {}),
    devices: [
      { allow: step > 1, access: 'rwm' },
      { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
    ],
  }
}

const withoutSwapFile = (b: Bundle, resources: Record<string, unknown>): Record<string, unknown> => {
  if (has(b, v2() ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes')) return resources
  const { swap: _, ...memory } = resources['memory'] as Record<string, unknown>
  return { ...resources, memory }
}

test(
  'update: where the last of all limits is refused, every file of every controller says what it said before',
  OURS,
  async () => {
    const b = await created()
    const first = await updateBy(b, withoutSwapFile(b, everything(b, 1)))
    equal(first.status, 0, first.stderr)
    const before = limitsOf(b)
    ok(Object.keys(before).length > 20, String(Object.keys(before).length))
    const wanted = withoutSwapFile(b, everything(b, 2))
    // The last controller of each version, with a number that the kernel does not take.
    const bad = v2() ? { unified: { 'pids.max': '99999999' } } : { pids: { limit: 99_999_999 } }
    const { status, stderr } = await updateBy(b, { ...wanted, ...bad })
    equal(status, 1)
    match(stderr, /"99999999" for \S*pids\.max is refused: .*EINVAL.*resources\.json|resources\.json.*"99999999"/)
    deepEqual(limitsOf(b), before)
    const second = await updateBy(b, wanted)
    equal(second.status, 0, second.stderr)
    const changed = Object.entries(limitsOf(b)).filter(([path, value]) => before[path] !== value)
    ok(changed.length >= 6, changed.map(([path]) => path).join(' '))
  },
)
