import { describe, expect, test } from 'vitest'
import type { Resources } from '../../spec/types'
import { facts, planned, V1, writes } from './fixtures'

const HOST = facts(V1)
const written = (resources: Resources, host = HOST): readonly string[] => writes(planned(resources, host).plan.before)
const refused = (resources: Resources, host = HOST) => expect(() => planned(resources, host))
const fault = (code: string, pointer: string, text: string) =>
  expect.objectContaining({ code, pointer, message: expect.stringContaining(text) })

describe('config-linux.md "Cgroups Path"', () => {
  const { plan } = planned({}, HOST)

  test('the container is made in every hierarchy, at the same path, before init, and entered after it', () => {
    expect(plan.before.map((op) => op.kind)).toEqual(Array(11).fill('makeCgroup'))
    expect(plan.before[1]).toEqual({
      kind: 'makeCgroup',
      pointer: '/linux/cgroupsPath',
      what: 'make cgroup /t/c1 in the memory hierarchy',
      root: '/sys/fs/cgroup/memory',
      path: '/sys/fs/cgroup/memory/t/c1',
      cpuset: false,
      mustBeEmpty: true,
    })
    expect(plan.before.map((op) => op.kind === 'makeCgroup' && op.cpuset).indexOf(true)).toBe(3)
    expect(plan.afterClone).toEqual([])
    expect(plan.enter.map((op) => op.kind)).toEqual(Array(11).fill('enterCgroup'))
    expect(plan.intoCgroup).toBe('')
  })

  test('pids comes first, the freezer next', () => {
    expect(plan.paths.slice(0, 3)).toEqual([
      '/sys/fs/cgroup/pids/t/c1',
      '/sys/fs/cgroup/freezer/t/c1',
      '/sys/fs/cgroup/systemd/t/c1',
    ])
    expect(plan.paths).toHaveLength(11)
    expect(plan.destroy).toEqual([
      {
        kind: 'killCgroups',
        pointer: '',
        what: 'kill the processes of cgroup /t/c1',
        paths: ['/sys/fs/cgroup/pids/t/c1', '/sys/fs/cgroup/freezer/t/c1'],
      },
    ])
    expect([plan.frozenFile, plan.frozenText]).toEqual(['/sys/fs/cgroup/freezer/t/c1/freezer.state', 'FROZEN'])
  })

  test('without pids and freezer any hierarchy will do', () => {
    const systemd = facts({ version: 1, hierarchies: [{ mountPoint: '/cg', controllers: ['name=systemd'] }] })
    const { plan: small } = planned({}, systemd)
    expect(small.destroy[0]).toMatchObject({ paths: ['/cg/t/c1'] })
    expect(small.frozenFile).toBe('')
  })
})

test('config-linux.md "Memory"', () => {
  const memory = {
    limit: 1048576,
    swap: 2097152,
    reservation: 524288,
    kernelTCP: 65536,
    swappiness: 0,
    disableOOMKiller: true,
    useHierarchy: true,
    checkBeforeUpdate: true,
  }
  expect(written({ memory })).toEqual([
    'memory/t/c1/memory.limit_in_bytes 1048576',
    'memory/t/c1/memory.memsw.limit_in_bytes 2097152',
    'memory/t/c1/memory.soft_limit_in_bytes 524288',
    'memory/t/c1/memory.kmem.tcp.limit_in_bytes 65536',
    'memory/t/c1/memory.swappiness 0',
    'memory/t/c1/memory.oom_control 1',
  ])
  expect(planned({ memory }, HOST).plan.before[11]).toMatchObject({
    pointer: '/linux/resources/memory/limit',
    what: 'limit memory to 1048576 bytes',
  })
  expect(planned({ memory }, HOST).warnings).toEqual([])
  expect(written({ memory: { limit: -1, swap: -1 } })).toEqual([
    'memory/t/c1/memory.limit_in_bytes -1',
    'memory/t/c1/memory.memsw.limit_in_bytes -1 if any',
  ])
  expect(written({ memory: { limit: 9223372036854775807n } })).toEqual([
    'memory/t/c1/memory.limit_in_bytes 9223372036854775807',
  ])
})

test('what runc ignores is ignored with a warning', () => {
  const { plan, warnings } = planned({ memory: { limit: 0, kernel: 4096, useHierarchy: false } }, HOST)
  expect(writes(plan.before)).toEqual([])
  expect(warnings).toEqual([
    expect.stringContaining('/linux/resources/memory/limit'),
    expect.stringContaining('/linux/resources/memory/kernel'),
    expect.stringContaining('/linux/resources/memory/useHierarchy'),
  ])
})

test('config-linux.md "CPU"', () => {
  const cpu = {
    shares: 512,
    quota: 200000,
    period: 1000000,
    burst: 1000,
    realtimeRuntime: 950000,
    realtimePeriod: 1000000,
    cpus: '0-1',
    mems: '0',
    idle: 1,
  }
  expect(written({ cpu })).toEqual([
    'cpu,cpuacct/t/c1/cpu.shares 512',
    'cpu,cpuacct/t/c1/cpu.idle 1',
    'cpu,cpuacct/t/c1/cpu.cfs_period_us 1000000',
    'cpu,cpuacct/t/c1/cpu.cfs_quota_us 200000',
    'cpu,cpuacct/t/c1/cpu.cfs_burst_us 1000',
    'cpu,cpuacct/t/c1/cpu.rt_period_us 1000000',
    'cpu,cpuacct/t/c1/cpu.rt_runtime_us 950000',
    'cpuset/t/c1/cpuset.cpus 0-1',
    'cpuset/t/c1/cpuset.mems 0',
  ])
  expect(written({ cpu: { idle: 0, shares: 2, quota: -1 } })).toEqual([
    'cpu,cpuacct/t/c1/cpu.idle 0',
    'cpu,cpuacct/t/c1/cpu.shares 2',
    'cpu,cpuacct/t/c1/cpu.cfs_quota_us -1',
  ])
})

test.each([
  [1, 'minimum allowed cpu-shares is 2'],
  [262145, 'maximum allowed cpu-shares is 262144'],
])('CPU shares %i are refused, not bent', (shares, text) => {
  refused({ cpu: { shares } }).toThrow(fault('CGROUP_VALUE', '/linux/resources/cpu/shares', text))
})

test.each([
  [0, '0'],
  [20, '20'],
  [-1, 'max'],
])('config-linux.md "PIDs": %i', (limit, value) => {
  expect(written({ pids: { limit } })).toEqual([`pids/t/c1/pids.max ${value}`])
})

test('config-linux.md "Block IO"', () => {
  const blockIO = {
    weight: 10,
    weightDevice: [{ major: 8, minor: 0, weight: 500 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 600 }],
    throttleWriteBpsDevice: [{ major: 8, minor: 16, rate: 18446744073709551615n }],
    throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 0 }],
    throttleWriteIOPSDevice: [
      { major: 8, minor: 0, rate: 1 },
      { major: 8, minor: 16, rate: 2 },
    ],
  }
  const throttles = [
    'blkio/t/c1/blkio.throttle.read_bps_device 8:0 600',
    'blkio/t/c1/blkio.throttle.write_bps_device 8:16 18446744073709551615',
    'blkio/t/c1/blkio.throttle.read_iops_device 8:0 0',
    'blkio/t/c1/blkio.throttle.write_iops_device 8:0 1',
    'blkio/t/c1/blkio.throttle.write_iops_device 8:16 2',
  ]
  expect(written({ blockIO })).toEqual([
    'blkio/t/c1/blkio.bfq.weight 10',
    'blkio/t/c1/blkio.bfq.weight_device 8:0 500',
    ...throttles,
  ])
  const cfq = facts(V1, { cgroupFiles: ['blkio.weight', 'blkio.leaf_weight'] })
  const leaves = { weight: 10, leafWeight: 20, weightDevice: [{ major: 8, minor: 0, weight: 500, leafWeight: 300 }] }
  expect(written({ blockIO: leaves }, cfq)).toEqual([
    'blkio/t/c1/blkio.weight 10',
    'blkio/t/c1/blkio.leaf_weight 20',
    'blkio/t/c1/blkio.weight_device 8:0 500',
    'blkio/t/c1/blkio.leaf_weight_device 8:0 300',
  ])
  expect(written({ blockIO: { weight: 0 } })).toEqual([])
})

test('a weight that the kernel does not know is refused', () => {
  const none = facts(V1, { cgroupFiles: [] })
  const pointer = '/linux/resources/blockIO/weight'
  refused({ blockIO: { weight: 100 } }, none).toThrow(fault('CGROUP_VALUE', pointer, 'blkio.bfq.weight'))
  const leaf = { blockIO: { weightDevice: [{ major: 8, minor: 0, leafWeight: 100 }] } }
  const leafPointer = '/linux/resources/blockIO/weightDevice/0/leafWeight'
  refused(leaf).toThrow(fault('CGROUP_VALUE', leafPointer, 'blkio.leaf_weight'))
})

test('config-linux.md "Huge page limits"', () => {
  const hugepageLimits = [{ pageSize: '2MB', limit: 18446744073709551615n }]
  expect(written({ hugepageLimits })).toEqual([
    'hugetlb/t/c1/hugetlb.2MB.limit_in_bytes 18446744073709551615',
    'hugetlb/t/c1/hugetlb.2MB.rsvd.limit_in_bytes 18446744073709551615',
  ])
  expect(written({ hugepageLimits }, facts(V1, { hugetlbReservations: false }))).toHaveLength(1)
  refused({ hugepageLimits: [{ pageSize: '64KB', limit: 0 }] }).toThrow(
    fault('CGROUP_VALUE', '/linux/resources/hugepageLimits/0/pageSize', 'only 2MB, 1GB'),
  )
})

test('config-linux.md "Network" and "RDMA"', () => {
  const network = { classID: 1048577, priorities: [{ name: 'eth0', priority: 500 }] }
  const rdma = { mlx5_1: { hcaHandles: 3, hcaObjects: 10000 }, rxe3: { hcaObjects: 0 } }
  expect(written({ network, rdma })).toEqual([
    'net_cls,net_prio/t/c1/net_cls.classid 1048577',
    'net_cls,net_prio/t/c1/net_prio.ifpriomap eth0 500',
    'rdma/t/c1/rdma.max mlx5_1 hca_handle=3 hca_object=10000',
    'rdma/t/c1/rdma.max rxe3 hca_object=0',
  ])
})

test('unified is for v2', () => {
  const unified = { 'memory.high': '1' }
  refused({ unified }).toThrow(fault('CGROUP_NOT_CONVERTIBLE', '/linux/resources/unified/memory.high', 'cgroup v2'))
  expect(written({ unified: {} })).toEqual([])
})

test('devices come last; in a user namespace they are left out', () => {
  const resources: Resources = { devices: [{ allow: false, access: 'rwm' }], pids: { limit: 1 } }
  expect(written(resources).slice(0, 3)).toEqual([
    'pids/t/c1/pids.max 1',
    'devices/t/c1/devices.deny a',
    'devices/t/c1/devices.allow c *:* m',
  ])
  expect(written(resources, facts(V1, { inUserNamespace: true }))).toEqual(['pids/t/c1/pids.max 1'])
})

test('a limit whose controller is not mounted names both', () => {
  const bare = facts({ version: 1, hierarchies: [{ mountPoint: '/cg', controllers: ['pids'] }] })
  refused({ memory: { limit: 4096 } }, bare).toThrow(
    fault(
      'CGROUP_CONTROLLER_MISSING',
      '/linux/resources/memory/limit',
      'limit memory to 4096 bytes: the memory controller of cgroup v1 is not mounted on this host',
    ),
  )
  refused({ devices: [{ allow: false, access: 'rwm' }] }, bare).toThrow(
    fault('CGROUP_CONTROLLER_MISSING', '/linux/resources/devices/0', 'the devices controller'),
  )
  expect(planned({ memory: { disableOOMKiller: false }, blockIO: {} }, bare).plan.before).toHaveLength(1)
})
