import { describe, expect, test } from 'vitest'
import type { Resources } from '../../spec/types'
import { facts, planned, V2, writes } from './fixtures'

const HOST = facts(V2)
const written = (resources: Resources, host = HOST): readonly string[] => writes(planned(resources, host).plan.before)
const refused = (resources: Resources, host = HOST) => expect(() => planned(resources, host))
const fault = (code: string, pointer: string, text: string) =>
  expect.objectContaining({ code, pointer, message: expect.stringContaining(text) })

describe('a container without limits', () => {
  const { plan } = planned({}, HOST)

  test('is cloned into its cgroup, with what engines read enabled', () => {
    expect(plan.before).toEqual([
      {
        kind: 'makeCgroup',
        pointer: '/linux/cgroupsPath',
        what: 'make cgroup /t/c1',
        root: '/sys/fs/cgroup',
        path: '/sys/fs/cgroup/t/c1',
        cpuset: false,
        mustBeEmpty: true,
      },
      {
        kind: 'enableControllers',
        pointer: '/linux/cgroupsPath',
        what: 'enable controllers for cgroup /t/c1',
        root: '/sys/fs/cgroup',
        path: '/sys/fs/cgroup/t/c1',
        controllers: [],
        optional: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma'],
      },
    ])
    expect(plan.intoCgroup).toBe('/sys/fs/cgroup/t/c1')
    expect(plan.afterClone).toEqual([])
  })

  test('is found and killed by its one directory', () => {
    expect(plan.paths).toEqual(['/sys/fs/cgroup/t/c1'])
    expect(plan.destroy).toMatchObject([{ kind: 'killCgroups', paths: ['/sys/fs/cgroup/t/c1'] }])
    expect([plan.frozenFile, plan.frozenText]).toEqual(['/sys/fs/cgroup/t/c1/cgroup.events', 'frozen 1'])
  })
})

test('a needed controller is enabled in the name of the property that needs it', () => {
  const { plan } = planned({ pids: { limit: 5 }, memory: { limit: 4096, reservation: 1024 } }, HOST)
  expect(plan.before.filter((op) => op.kind === 'enableControllers')).toMatchObject([
    { pointer: '/linux/resources/memory/limit', what: 'limit memory to 4096 bytes', controllers: ['memory'] },
    { pointer: '/linux/resources/pids/limit', what: 'limit processes to 5', controllers: ['pids'] },
    { controllers: [], optional: ['cpuset', 'cpu', 'io', 'hugetlb', 'rdma'] },
  ])
})

test('a needed controller that is not there is an error which names the property', () => {
  const bare = facts({ version: 2, mountPoint: '/sys/fs/cgroup', controllers: ['pids'], own: '/' })
  refused({ memory: { limit: 4096 } }, bare).toThrow(
    fault('CGROUP_CONTROLLER_MISSING', '/linux/resources/memory/limit', 'the memory controller is not available'),
  )
})

describe('config-linux.md "Memory"', () => {
  test('swap is without memory', () => {
    expect(written({ memory: { limit: 1048576, swap: 3145728, reservation: 524288 } })).toEqual([
      't/c1/memory.swap.max 2097152',
      't/c1/memory.max 1048576',
      't/c1/memory.low 524288',
    ])
  })

  test('a kernel without swap needs no limit of it', () => {
    expect(written({ memory: { limit: 4096, swap: 8192 } }, facts(V2, { swap: false }))).toEqual([
      't/c1/memory.swap.max 4096 if any',
      't/c1/memory.max 4096',
    ])
  })

  test.each([
    [{ limit: 4096, swap: 4096 }, ['t/c1/memory.swap.max 0', 't/c1/memory.max 4096']],
    [{ limit: 4096, swap: -1 }, ['t/c1/memory.swap.max max if any', 't/c1/memory.max 4096']],
    [{ limit: -1 }, ['t/c1/memory.swap.max max if any', 't/c1/memory.max max']],
    [{ swap: -1 }, ['t/c1/memory.swap.max max if any']],
    [{ limit: 4096 }, ['t/c1/memory.max 4096']],
    [{ disableOOMKiller: false, useHierarchy: true, checkBeforeUpdate: true }, []],
  ])('%j', (memory, expected) => {
    expect(written({ memory })).toEqual(expected)
  })

  test('checkBeforeUpdate looks at what is used before the limit is written', () => {
    const { before } = planned({ memory: { limit: 4096, checkBeforeUpdate: true } }, HOST).plan
    expect(before.slice(-2)).toMatchObject([
      {
        kind: 'checkCgroupUsage',
        pointer: '/linux/resources/memory/limit',
        file: '/sys/fs/cgroup/t/c1/memory.current',
        limit: 4096n,
      },
      { kind: 'setCgroupLimit', files: ['/sys/fs/cgroup/t/c1/memory.max'] },
    ])
    for (const memory of [
      { limit: -1, checkBeforeUpdate: true },
      { limit: 4096, checkBeforeUpdate: false },
    ]) {
      expect(planned({ memory }, HOST).plan.before.some(({ kind }) => kind === 'checkCgroupUsage')).toBe(false)
    }
  })

  test('swap needs limit and is not below it', () => {
    const pointer = '/linux/resources/memory/swap'
    refused({ memory: { swap: 4096 } }).toThrow(fault('CGROUP_VALUE', pointer, 'memory.limit'))
    refused({ memory: { limit: 8192, swap: 4096 } }).toThrow(fault('CGROUP_VALUE', pointer, 'below'))
  })

  test('what v2 cannot express is refused, what runc ignores is ignored with a warning', () => {
    refused({ memory: { swappiness: 60 } }).toThrow(
      fault('CGROUP_NOT_CONVERTIBLE', '/linux/resources/memory/swappiness', 'set swappiness to 60'),
    )
    refused({ memory: { disableOOMKiller: true } }).toThrow(
      fault('CGROUP_NOT_CONVERTIBLE', '/linux/resources/memory/disableOOMKiller', 'disable the OOM killer'),
    )
    const { plan, warnings } = planned({ memory: { kernel: 4096, kernelTCP: 4096 } }, HOST)
    expect(writes(plan.before)).toEqual([])
    expect(warnings).toHaveLength(2)
  })
})

describe('config-linux.md "CPU"', () => {
  test.each([
    [{ shares: 1024 }, ['t/c1/cpu.weight 100']],
    [{ shares: 2, idle: 1 }, ['t/c1/cpu.weight 1', 't/c1/cpu.idle 1']],
    [{ quota: 50000, period: 100000 }, ['t/c1/cpu.max 50000 100000']],
    [{ quota: 50000 }, ['t/c1/cpu.max 50000 100000']],
    [{ period: 200000 }, ['t/c1/cpu.max max 200000']],
    [{ quota: -1 }, ['t/c1/cpu.max max 100000']],
    [{ quota: 50000, burst: 20000 }, ['t/c1/cpu.max 50000 100000', 't/c1/cpu.max.burst 20000']],
    [{ cpus: '0', mems: '0-1' }, ['t/c1/cpuset.cpus 0', 't/c1/cpuset.mems 0-1']],
  ])('%j', (cpu, expected) => {
    expect(written({ cpu })).toEqual(expected)
  })

  test('shares out of range become the border, with a warning', () => {
    const { plan, warnings } = planned({ cpu: { shares: 300000 } }, HOST)
    expect(writes(plan.before)).toEqual(['t/c1/cpu.weight 10000'])
    expect(warnings).toEqual([expect.stringContaining('/linux/resources/cpu/shares')])
  })

  test('realtime limits are refused; 0 is none', () => {
    refused({ cpu: { realtimeRuntime: 1000 } }).toThrow(
      fault('CGROUP_NOT_CONVERTIBLE', '/linux/resources/cpu/realtimeRuntime', 'realtime'),
    )
    expect(planned({ cpu: { realtimePeriod: 0 } }, HOST).warnings).toHaveLength(1)
  })
})

describe('config-linux.md "PIDs"', () => {
  test('a limit is written before the clone', () => {
    expect(written({ pids: { limit: 1 } })).toEqual(['t/c1/pids.max 1'])
    expect(written({ pids: { limit: -1 } })).toEqual(['t/c1/pids.max max'])
  })

  test('no processes at all: after it, for the clone is the first fork of the cgroup', () => {
    const { plan } = planned({ pids: { limit: 0 } }, HOST)
    expect(writes(plan.before)).toEqual([])
    expect(writes(plan.afterClone)).toEqual(['t/c1/pids.max 0'])
  })
})

describe('config-linux.md "Block IO"', () => {
  const blockIO = {
    weight: 500,
    weightDevice: [{ major: 8, minor: 0, weight: 1000 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 600 }],
    throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 0 }],
  }
  const throttles = ['t/c1/io.max 8:0 rbps=600', 't/c1/io.max 8:16 wiops=max']

  test('weights by formula, or as they are for BFQ', () => {
    expect(written({ blockIO })).toEqual([
      't/c1/io.bfq.weight 500 or t/c1/io.weight 4950',
      't/c1/io.bfq.weight 8:0 1000 or t/c1/io.weight 8:0 10000',
      ...throttles,
    ])
  })

  test('leaves have no weight', () => {
    refused({ blockIO: { leafWeight: 10 } }).toThrow(
      fault('CGROUP_NOT_CONVERTIBLE', '/linux/resources/blockIO/leafWeight', 'leaf weight'),
    )
  })
})

test('config-linux.md "Huge page limits" and "RDMA"', () => {
  const hugepageLimits = [{ pageSize: '1GB', limit: 0 }]
  expect(written({ hugepageLimits, rdma: { mlx: { hcaHandles: 1 } } })).toEqual([
    't/c1/hugetlb.1GB.max 0',
    't/c1/hugetlb.1GB.rsvd.max 0',
    't/c1/rdma.max mlx hca_handle=1',
  ])
})

test('config-linux.md "Network" is for v1', () => {
  refused({ network: { classID: 1 } }).toThrow(
    fault('CGROUP_NOT_CONVERTIBLE', '/linux/resources/network/classID', 'no net_cls controller'),
  )
  expect(written({ network: {} })).toEqual([])
})

describe('config-linux.md "Unified"', () => {
  test('every line is a write, after everything else, and its controller is enabled', () => {
    const unified = {
      'io.max': '8:0 rbps=1\n8:16 rbps=2\n',
      'cgroup.max.depth': '3',
      'memory.not_known_yet': '1',
      'misc.max': 'res_a 1',
      'cpuset.cpus': '',
    }
    const { plan } = planned({ unified, memory: { limit: 4096 } }, HOST)
    expect(writes(plan.before)).toEqual([
      't/c1/memory.max 4096',
      't/c1/io.max 8:0 rbps=1',
      't/c1/io.max 8:16 rbps=2',
      't/c1/cgroup.max.depth 3',
      't/c1/memory.not_known_yet 1',
      't/c1/misc.max res_a 1',
      't/c1/cpuset.cpus \n',
    ])
    const enabled = plan.before.flatMap((op) => (op.kind === 'enableControllers' ? op.controllers : []))
    expect(enabled).toEqual(['memory', 'io', 'misc', 'cpuset'])
  })

  test('a path, or a controller that is not there, is refused', () => {
    refused({ unified: { '../memory.max': '1' } }).toThrow(
      fault('CGROUP_VALUE', '/linux/resources/unified/..~1memory.max', 'not a path'),
    )
    refused({ unified: { 'dmem.max': '1' } }).toThrow(
      fault('CGROUP_CONTROLLER_MISSING', '/linux/resources/unified/dmem.max', 'the dmem controller'),
    )
  })
})

test('config-linux.md "Allowed Device list" is a program, attached last', () => {
  const { plan } = planned({ devices: [{ allow: false, access: 'rwm' }], pids: { limit: 1 } }, HOST)
  expect(plan.before.at(-1)).toMatchObject({
    kind: 'attachDeviceFilter',
    pointer: '/linux/resources/devices/0',
    path: '/sys/fs/cgroup/t/c1',
  })
  const kinds = planned({ devices: [{ allow: true, access: 'rwm' }] }, HOST).plan.before.map((op) => op.kind)
  expect(kinds).not.toContain('attachDeviceFilter')
})
