import { describe, expect, test } from 'vitest'
import type { CgroupFacts } from '../../host/facts'
import type { Resources } from '../../spec/types'
import type { Op } from '../ops'
import { facts, NONE, V1, V2, writes } from './fixtures'
import { filesRead, type MemoryMode, planUpdate } from './update'

const CONTROLLERS = ['memory', 'cpu,cpuacct', 'cpuset', 'blkio', 'devices', 'pids', 'hugetlb']
const PATHS_V1 = CONTROLLERS.map((name) => `/sys/fs/cgroup/${name}/u`)

type Current = Readonly<Record<string, string>>

const opsOf = (cgroup: CgroupFacts, resources: Resources, current: Current = {}, mode: MemoryMode = 'plain') => {
  const paths = cgroup.version === 1 ? PATHS_V1 : ['/sys/fs/cgroup/u']
  return planUpdate(resources, { paths, current, unit: undefined }, mode, facts(cgroup), () => undefined)
}

/** "FILE VALUE" of every write, the file without its directory. */
const written = (ops: readonly Op[]): readonly string[] =>
  writes(ops).map((line) => line.slice(line.lastIndexOf('/u/') + 3))

const v1 = (resources: Resources, current?: Current) => written(opsOf(V1, resources, current))
const v2 = (resources: Resources, current?: Current) => written(opsOf(V2, resources, current))

describe('update on cgroup v1', () => {
  const memory = (limit: string, memsw: string) => ({
    'memory.limit_in_bytes': limit,
    'memory.memsw.limit_in_bytes': memsw,
  })

  test.each([
    ['raised above what both were', 300, 400, ['memory.memsw.limit_in_bytes 400', 'memory.limit_in_bytes 300']],
    ['lowered below it', 50, 60, ['memory.limit_in_bytes 50', 'memory.memsw.limit_in_bytes 60']],
    ['lifted', 300, -1, ['memory.memsw.limit_in_bytes -1 if any', 'memory.limit_in_bytes 300']],
  ] as const)('memory and swap are %s: the limit is never above both together', (_, limit, swap, lines) => {
    expect(v1({ memory: { limit, swap } }, memory('100', '200'))).toEqual(lines)
  })

  test('unlimited memory alone lifts the limit of swap first', () => {
    const lines = ['memory.memsw.limit_in_bytes -1 if any', 'memory.limit_in_bytes -1']
    expect(v1({ memory: { limit: -1 } }, memory('100', '200'))).toEqual(lines)
  })

  test('a limit above that of memory and swap is an error that says what to raise', () => {
    const message = /limit memory to 300 bytes: .*200 bytes: raise that as well \(memory\.swap, --memory-swap\)/
    expect(() => v1({ memory: { limit: 300 } }, memory('100', '200'))).toThrow(message)
    expect(v1({ memory: { limit: 200 } }, memory('100', '200'))).toEqual(['memory.limit_in_bytes 200'])
    expect(v1({ memory: { limit: 300 } }, { 'memory.limit_in_bytes': '1' })).toEqual(['memory.limit_in_bytes 300'])
  })

  test('a shorter period comes behind its quota, a longer one before it', () => {
    const current = { 'cpu.cfs_period_us': '100000' }
    const [quota, shorter, longer] = ['cpu.cfs_quota_us 5000', 'cpu.cfs_period_us 50000', 'cpu.cfs_period_us 200000']
    expect(v1({ cpu: { quota: 5000, period: 50_000 } }, current)).toEqual([quota, shorter])
    expect(v1({ cpu: { quota: 5000, period: 200_000 } }, current)).toEqual([longer, quota])
  })

  test('the same of realtime processes', () => {
    const lines = v1({ cpu: { realtimePeriod: 1000, realtimeRuntime: 10 } }, { 'cpu.rt_period_us': '2000' })
    expect(lines).toEqual(['cpu.rt_runtime_us 10', 'cpu.rt_period_us 1000'])
  })

  test('a smaller burst comes before the quota, a greater one behind it', () => {
    const current = { 'cpu.cfs_burst_us': '100' }
    const [quota, less, more] = ['cpu.cfs_quota_us 5000', 'cpu.cfs_burst_us 50', 'cpu.cfs_burst_us 500']
    expect(v1({ cpu: { quota: 5000, burst: 50 } }, current)).toEqual([less, quota])
    expect(v1({ cpu: { quota: 5000, burst: 500 } }, current)).toEqual([quota, more])
  })

  test('a controller in which the container has no cgroup is an error', () => {
    const target = { paths: ['/sys/fs/cgroup/memory/u'], current: {}, unit: undefined }
    expect(() => planUpdate({ pids: { limit: 1 } }, target, 'plain', facts(V1), () => undefined)).toThrow(
      /limit processes to 1: the container has no cgroup of the pids controller .*\/linux\/resources\/pids\/limit/,
    )
  })
})

describe('update on cgroup v2', () => {
  test('memory.swap.max is swap alone, above the limit of memory that is given or in force', () => {
    expect(v2({ memory: { limit: 100, swap: 150 } })).toEqual(['memory.swap.max 50', 'memory.max 100'])
    expect(v2({ memory: { swap: 150 } }, { 'memory.max': '100' })).toEqual(['memory.swap.max 50', 'memory.max 100'])
    expect(v2({ memory: { limit: -1 } })).toEqual(['memory.swap.max max if any', 'memory.max max'])
    expect(() => v2({ memory: { swap: 150 } }, { 'memory.max': 'max' })).toThrow(/set memory\.limit as well/)
    expect(() => v2({ memory: { swap: 50 } }, { 'memory.max': '100' })).toThrow(/below the limit of memory/)
  })

  test('a quota or a period that is given alone goes with the other one in force', () => {
    const current = { 'cpu.max': '30000 60000' }
    expect(v2({ cpu: { quota: 5000 } }, current)).toEqual(['cpu.max 5000 60000'])
    expect(v2({ cpu: { period: 5000 } }, current)).toEqual(['cpu.max 30000 5000'])
    expect(v2({ cpu: { period: 5000 } }, { 'cpu.max': 'max 100000' })).toEqual(['cpu.max max 5000'])
    expect(v2({ cpu: { quota: -1 } }, current)).toEqual(['cpu.max max 60000'])
    expect(v2({ cpu: { quota: 1000, period: 2000 } }, current)).toEqual(['cpu.max 1000 2000'])
  })

  test('a smaller burst comes first', () => {
    const lines = v2({ cpu: { quota: 10, period: 2000, burst: 5 } }, { 'cpu.max.burst': '9' })
    expect(lines).toEqual(['cpu.max.burst 5', 'cpu.max 10 2000'])
  })

  test('every operation that writes can be taken back', () => {
    const resources = {
      memory: { limit: 100, swap: 150 },
      cpu: { shares: 512, cpus: '0', mems: '0' },
      pids: { limit: 3 },
    }
    const limits = opsOf(V2, resources).filter(({ kind }) => kind !== 'enableControllers')
    expect(limits).toHaveLength(6)
    for (const op of limits) expect(op).toMatchObject({ kind: 'setCgroupLimit', undo: 1 })
  })

  test('devices are one filter in the place of the old one, and none where all is allowed', () => {
    const filter = (resources: Resources) => opsOf(V2, resources).find(({ kind }) => kind === 'replaceDeviceFilter')
    expect(filter({ devices: [{ allow: false, access: 'rwm' }] })).toMatchObject({ path: '/sys/fs/cgroup/u' })
    expect(filter({ devices: [{ allow: true, access: 'rwm' }] })).toMatchObject({ program: new Uint8Array() })
    expect(filter({ pids: { limit: 1 } })).toBeUndefined()
  })
})

describe('update: safe', () => {
  const kinds = (resources: Resources, mode: MemoryMode) => opsOf(V2, resources, {}, mode).map(({ kind }) => kind)

  test('memory.max is written once reclaim has made room', () => {
    const ops = opsOf(V2, { memory: { limit: 4096 }, pids: { limit: 1 } }, {}, 'safe')
    const [lower, write] = ops.filter(({ kind }) => kind !== 'enableControllers')
    expect(lower).toMatchObject({ kind: 'lowerMemory', path: '/sys/fs/cgroup/u', limit: 4096n, milliseconds: 10_000 })
    expect(lower?.pointer).toBe('/linux/resources/memory/limit')
    expect(writes(write === undefined ? [] : [write])).toEqual(['u/memory.max 4096'])
  })

  test('a limit that is lifted, other limits, and plain need none', () => {
    expect(kinds({ memory: { limit: -1 } }, 'safe')).not.toContain('lowerMemory')
    expect(kinds({ memory: { reservation: 4096 } }, 'safe')).not.toContain('lowerMemory')
    expect(kinds({ memory: { limit: 4096 } }, 'plain')).not.toContain('lowerMemory')
  })

  test('on v1 the kernel itself refuses what it cannot reclaim', () => {
    expect(written(opsOf(V1, { memory: { limit: 4096 } }, {}, 'safe'))).toEqual(['memory.limit_in_bytes 4096'])
  })
})

describe.each([
  ['v1', V1, 'cpu.shares'],
  ['v2', V2, 'cpu.weight'],
] as const)('update of idleness on %s', (_, cgroup, weight) => {
  const lines = (resources: Resources, idle: string) =>
    written(opsOf(cgroup, resources, { 'cpu.idle': idle, [weight]: '77' }))

  test('the weight that the kernel forgets is written before, to be put back', () => {
    expect(lines({ cpu: { idle: 1 } }, '0')).toEqual([`${weight} 77`, 'cpu.idle 1'])
  })
  test('not where it is idle already, ends to be, or gets a weight', () => {
    expect(lines({ cpu: { idle: 1 } }, '1')).toEqual(['cpu.idle 1'])
    expect(lines({ cpu: { idle: 0 } }, '1')).toEqual(['cpu.idle 0'])
    expect(lines({ cpu: { idle: 1, shares: 1024 } }, '0')).toEqual([expect.not.stringContaining('77'), 'cpu.idle 1'])
  })
})

describe('update in general', () => {
  test('nothing is planned for nothing', () => {
    expect(opsOf(V1, {})).toEqual([])
    expect(opsOf(V2, {})).toEqual([])
  })
  test('a container without a cgroup, or a host without any, has no limits', () => {
    expect(() => opsOf(NONE, { pids: { limit: 1 } })).toThrow(/the container has no cgroup/)
    const target = { paths: [], current: {}, unit: undefined }
    expect(() => planUpdate({}, target, 'plain', facts(V2), () => undefined)).toThrow(/the container has no cgroup/)
  })
  test('only the files that decide something are read, where their controllers are', () => {
    const read = (cgroup: typeof V1 | typeof V2, resources: Resources) => {
      const paths = cgroup.version === 1 ? PATHS_V1 : ['/sys/fs/cgroup/u']
      return [...filesRead(resources, paths, facts(cgroup), false).values()]
    }
    expect(read(V2, { pids: { limit: 1 } })).toEqual([])
    expect(read(V2, { memory: { limit: 1 } })).toContain('/sys/fs/cgroup/u/memory.max')
    expect(read(V2, { cpu: { quota: 1 } })).toContain('/sys/fs/cgroup/u/cpu.max')
    expect(read(V1, { memory: { limit: 1 } })).toContain('/sys/fs/cgroup/memory/u/memory.limit_in_bytes')
    expect(read(V1, { devices: [] })).toEqual(['/sys/fs/cgroup/devices/u/devices.list'])
    expect([...filesRead({ devices: [] }, [], facts(V1), false)]).toEqual([])
  })
})
