// config-linux.md: resources on cgroup v1, read back from the files of the host, and what they do.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  cgroupDirectory,
  deepEqual,
  digits,
  equal,
  hierarchyOf,
  match,
  ok,
  type Resources,
  readCgroup,
  requires,
  requiresController,
  requiresThat,
  sandbox,
  type TestOptions,
  test,
} from '../../lib'

const MIB = 1 << 20

/** A container that was created with these resources. */
const created = async (resources: Resources, ...controllers: string[]): Promise<Bundle> => {
  requires('cgroup-v1')
  requiresController(...controllers)
  const b = await bundle((c) => {
    c.linux.resources = { ...c.linux.resources, ...resources }
  })
  b.command(['sleep', '30'])
  await b.create()
  return b
}

const refused = async (resources: Resources, story: RegExp): Promise<void> => {
  requires('cgroup-v1')
  const b = await bundle((c) => {
    c.linux.resources = { ...c.linux.resources, ...resources }
  })
  await b.refused(story)
}

const LEAVES: TestOptions = { peers: { crun: 'leaves the cgroup' } }

const has = (controller: string, file: string): boolean => {
  const hierarchy = hierarchyOf(controller)
  if (hierarchy === undefined) {
    return false
  }
  // Most files are not in the root of a hierarchy.
  const child = join(hierarchy.mount, `${sandbox().tag}-look`)
  mkdirSync(child)
  const found = existsSync(join(child, file))
  rmdirSync(child)
  return found
}

// Memory

test('config-linux.md#memory [CG-5a]: limit', async () => {
  const b = await created({ memory: { limit: 64 * MIB } }, 'memory')
  equal(readCgroup('memory', b.id, 'memory.limit_in_bytes'), String(64 * MIB))
})

test('config-linux.md#memory [CG-5b]: reservation', async () => {
  const b = await created({ memory: { reservation: 32 * MIB } }, 'memory')
  equal(readCgroup('memory', b.id, 'memory.soft_limit_in_bytes'), String(32 * MIB))
})

test('config-linux.md#memory [CG-5c]: swap is the limit of memory and swap together', async () => {
  requiresThat(has('memory', 'memory.memsw.limit_in_bytes'), 'swap accounting')
  const b = await created({ memory: { limit: 64 * MIB, swap: 128 * MIB } }, 'memory')
  equal(readCgroup('memory', b.id, 'memory.limit_in_bytes'), String(64 * MIB))
  equal(readCgroup('memory', b.id, 'memory.memsw.limit_in_bytes'), String(128 * MIB))
})

test('config-linux.md#memory [CG-5c]: limit and swap of the same value', async () => {
  requiresThat(has('memory', 'memory.memsw.limit_in_bytes'), 'swap accounting')
  const b = await created({ memory: { limit: 64 * MIB, swap: 64 * MIB } }, 'memory')
  equal(readCgroup('memory', b.id, 'memory.memsw.limit_in_bytes'), String(64 * MIB))
})

test('config-linux.md#memory [CG-5a]: -1 is no limit', async () => {
  const b = await created({ memory: { limit: -1 } }, 'memory')
  ok(Number(readCgroup('memory', b.id, 'memory.limit_in_bytes')) > 2 ** 60)
})

test('config-linux.md#memory [CG-5a]: a limit beyond 2^53 is taken whole', async () => {
  const b = await created({ memory: { limit: digits('9007199254745088') } }, 'memory')
  equal(readCgroup('memory', b.id, 'memory.limit_in_bytes'), '9007199254745088')
})

test('config-linux.md#memory [CG-5e]: swappiness', async () => {
  const b = await created({ memory: { swappiness: 7 } }, 'memory')
  equal(readCgroup('memory', b.id, 'memory.swappiness'), '7')
})

test('config-linux.md#memory [CG-5d]: kernelTCP', { peers: { runc: 'ignores it' } }, async () => {
  requiresThat(has('memory', 'memory.kmem.tcp.limit_in_bytes'), 'memory.kmem.tcp.limit_in_bytes')
  const b = await created({ memory: { kernelTCP: 8 * MIB } }, 'memory')
  equal(readCgroup('memory', b.id, 'memory.kmem.tcp.limit_in_bytes'), String(8 * MIB))
})

test('config-linux.md#memory [CG-5d GEN-4]: kernel, which the kernel no longer takes, is no error', async () => {
  const b = await created({ memory: { kernel: 8 * MIB } }, 'memory')
  equal((await b.state()).status, 'created')
})

test('config-linux.md#memory [CG-5g]: useHierarchy', async () => {
  requiresThat(has('memory', 'memory.use_hierarchy'), 'memory.use_hierarchy')
  const b = await created({ memory: { useHierarchy: true } }, 'memory')
  equal(readCgroup('memory', b.id, 'memory.use_hierarchy'), '1')
})

test('config-linux.md#memory [CG-5f]: disableOOMKiller', async () => {
  requiresThat(has('memory', 'memory.oom_control'), 'memory.oom_control')
  const b = await created({ memory: { limit: 64 * MIB, disableOOMKiller: true } }, 'memory')
  match(readCgroup('memory', b.id, 'memory.oom_control'), /oom_kill_disable 1/)
})

test('config-linux.md#memory [CG-5a]: a limit that is exceeded kills', async () => {
  requires('cgroup-v1')
  requiresController('memory')
  const b = await bundle((c) => {
    c.linux.resources.memory = { limit: 32 * MIB, swap: 32 * MIB }
  })
  const [over, within] = await b.probe(['memory', String(64 * MIB)], ['memory', String(8 * MIB)])
  deepEqual([over.signal, within.status], [9, 0])
})

test('config-linux.md#memory [CG-5i]: swap below limit is refused', LEAVES, async () => {
  await refused({ memory: { limit: 64 * MIB, swap: 32 * MIB } }, /swap|memory/)
})

test('config-linux.md#memory [CG-5i]: swappiness above 100 is refused', { peers: { crun: 'ignores it' } }, async () => {
  await refused({ memory: { swappiness: 101 } }, /swappiness/)
})

// CPU

test('config-linux.md#cpu [CG-6a]: shares', async () => {
  const b = await created({ cpu: { shares: 512 } }, 'cpu')
  equal(readCgroup('cpu', b.id, 'cpu.shares'), '512')
})

test('config-linux.md#cpu [CG-6b]: quota and period', async () => {
  const b = await created({ cpu: { quota: 50_000, period: 200_000 } }, 'cpu')
  deepEqual(
    [readCgroup('cpu', b.id, 'cpu.cfs_quota_us'), readCgroup('cpu', b.id, 'cpu.cfs_period_us')],
    ['50000', '200000'],
  )
})

test('config-linux.md#cpu [CG-6b]: quota alone', async () => {
  const b = await created({ cpu: { quota: 50_000 } }, 'cpu')
  deepEqual(
    [readCgroup('cpu', b.id, 'cpu.cfs_quota_us'), readCgroup('cpu', b.id, 'cpu.cfs_period_us')],
    ['50000', '100000'],
  )
})

test('config-linux.md#cpu [CG-6b]: period alone, shorter and longer than the default', async () => {
  for (const period of [20_000, 500_000]) {
    const b = await created({ cpu: { period } }, 'cpu')
    equal(readCgroup('cpu', b.id, 'cpu.cfs_period_us'), String(period))
  }
})

test('config-linux.md#cpu [CG-6b]: a quota with a period that makes them valid only together', async () => {
  const b = await created({ cpu: { quota: 1_500_000, period: 1_000_000 } }, 'cpu')
  equal(readCgroup('cpu', b.id, 'cpu.cfs_quota_us'), '1500000')
})

test('config-linux.md#cpu [CG-6c]: burst', { peers: { runc: 'since 1.2', crun: 'not in 1.8' } }, async () => {
  requiresThat(has('cpu', 'cpu.cfs_burst_us'), 'cpu.cfs_burst_us')
  const b = await created({ cpu: { quota: 50_000, period: 100_000, burst: 20_000 } }, 'cpu')
  equal(readCgroup('cpu', b.id, 'cpu.cfs_burst_us'), '20000')
})

test('config-linux.md#cpu [CG-6f]: idle', { peers: { runc: 'since 1.2' } }, async () => {
  requiresThat(has('cpu', 'cpu.idle'), 'cpu.idle')
  const b = await created({ cpu: { idle: 1 } }, 'cpu')
  equal(readCgroup('cpu', b.id, 'cpu.idle'), '1')
})

test('config-linux.md#cpu [CG-6d]: realtimeRuntime and realtimePeriod', async () => {
  requiresThat(has('cpu', 'cpu.rt_runtime_us'), 'cpu.rt_runtime_us')
  const b = await created({ cpu: { realtimeRuntime: 1_000, realtimePeriod: 500_000 } }, 'cpu')
  equal(readCgroup('cpu', b.id, 'cpu.rt_runtime_us'), '1000')
  equal(readCgroup('cpu', b.id, 'cpu.rt_period_us'), '500000')
})

test('config-linux.md#cpu [CG-6e]: cpus and mems', async () => {
  const b = await created({ cpu: { cpus: '0', mems: '0' } }, 'cpuset')
  deepEqual([readCgroup('cpuset', b.id, 'cpuset.cpus'), readCgroup('cpuset', b.id, 'cpuset.mems')], ['0', '0'])
  match(readFileSync(`/proc/${(await b.state()).pid}/status`, 'utf8'), /^Cpus_allowed_list:\s+0$/m)
})

test('config-linux.md#cpu [CG-6e]: a cpuset without values takes those of its parent, at every level', async () => {
  requires('cgroup-v1')
  requiresController('cpuset')
  const b = await bundle((c, b) => {
    sandbox().cgroupParents.push(`/${b.id}`)
    c.linux.cgroupsPath = `/${b.id}/leaf`
  })
  b.command(['sleep', '30'])
  await b.create()
  equal(readCgroup('cpuset', `${b.id}/leaf`, 'cpuset.cpus'), readCgroup('cpuset', '', 'cpuset.cpus'))
})

test('config-linux.md#cpu [CG-6g]: a cpu that does not exist is an error', LEAVES, async () => {
  await refused({ cpu: { cpus: '4000' } }, /cpu/)
})

test('config-linux.md#cpu [CG-6g]: a quota below what the kernel takes is an error', LEAVES, async () => {
  await refused({ cpu: { quota: 10, period: 100_000 } }, /quota/)
})

// Pids

test('config-linux.md#pids [CG-7a]: limit', async () => {
  const b = await created({ pids: { limit: 17 } }, 'pids')
  equal(readCgroup('pids', b.id, 'pids.max'), '17')
})

test('config-linux.md#pids [CG-7a]: -1 is no limit', { peers: { crun: 'fails' } }, async () => {
  const b = await created({ pids: { limit: -1 } }, 'pids')
  equal(readCgroup('pids', b.id, 'pids.max'), 'max')
})

test('config-linux.md#pids [CG-7a]: a limit that is reached refuses to fork', async () => {
  requires('cgroup-v1')
  requiresController('pids')
  const b = await bundle((c) => {
    c.linux.resources.pids = { limit: 5 }
  })
  const [fork] = await b.probe(['fork', '20'])
  deepEqual([fork.forked, fork.error], [4, 'EAGAIN'])
})

test('config-linux.md#pids [CG-7a]: a container starts under a limit of 1', {
  peers: { runc: 'has threads of its own inside', crun: 'needs more' },
  sometimes: true,
}, async () => {
  requires('cgroup-v1')
  requiresController('pids')
  const b = await bundle((c) => {
    c.linux.resources.pids = { limit: 1 }
  })
  const [fork] = await b.probe(['fork', '1'])
  deepEqual([fork.forked, fork.error], [0, 'EAGAIN'])
})

// Devices

test('config-linux.md#allowed-device-list [CG-4a CG-4b]: entries are applied in the listed order', async () => {
  const b = await created(
    {
      devices: [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
        { allow: true, type: 'b', major: 7, minor: 3, access: 'r' },
        { allow: true, type: 'c', major: 42, access: 'r' },
      ],
    },
    'devices',
  )
  const list = readCgroup('devices', b.id, 'devices.list').split('\n')
  for (const line of ['c 10:229 rw', 'b 7:3 r', 'c 42:* r']) {
    ok(list.includes(line), list.join())
  }
  ok(!list.includes('a *:* rwm'))
})

test('config-linux.md#allowed-device-list [CG-4b]: everything is allowed', async () => {
  const b = await created({ devices: [{ allow: true, access: 'rwm' }] }, 'devices')
  equal(readCgroup('devices', b.id, 'devices.list'), 'a *:* rwm')
})

test('config-linux.md#allowed-device-list [CG-4a]: without a list nothing more than the default devices is allowed, or everything', async () => {
  const b = await created({ devices: [] }, 'devices')
  ok(readCgroup('devices', b.id, 'devices.list').length > 0)
})

/** A device that every host can have and that needs no right of its own. */
const fuse = { type: 'c', major: 10, minor: 229 } as const

const requiresFuse = (): void => {
  requires('cgroup-v1')
  requiresThat(/^229 fuse$/m.test(readFileSync('/proc/misc', 'utf8').replaceAll(/^ +/gm, '')), 'the device 10:229')
}

test('config-linux.md#allowed-device-list [CG-4a]: a device that is denied cannot be opened, the default devices can', async () => {
  requiresFuse()
  const b = await bundle((c) => {
    c.linux.devices = [{ ...fuse, path: '/dev/denied', fileMode: 0o666 }]
  })
  const [denied, nothing] = await b.probe(['open', '/dev/denied', 'r'], ['open', '/dev/null', 'rw'])
  deepEqual([denied.error, nothing.error], ['EPERM', ''])
})

test('config-linux.md#allowed-device-list [CG-4a]: a device that is allowed can be opened for what is allowed', async () => {
  requiresFuse()
  const b = await bundle((c) => {
    c.linux.devices = [{ ...fuse, path: '/dev/allowed', fileMode: 0o666 }]
    c.linux.resources.devices = [
      { allow: false, access: 'rwm' },
      { ...fuse, allow: true, access: 'r' },
    ]
  })
  const [read, write] = await b.probe(['open', '/dev/allowed', 'r'], ['open', '/dev/allowed', 'w'])
  deepEqual([read.error, write.error], ['', 'EPERM'])
})

test('config-linux.md#allowed-device-list [CG-4a]: everything is allowed but one', async () => {
  requiresFuse()
  const b = await bundle((c) => {
    c.linux.devices = [{ ...fuse, path: '/dev/denied', fileMode: 0o666 }]
    c.linux.resources.devices = [
      { allow: true, access: 'rwm' },
      { ...fuse, allow: false, access: 'rw' },
    ]
  })
  const [denied] = await b.probe(['open', '/dev/denied', 'r'])
  equal(denied.error, 'EPERM')
})

test('config-linux.md#allowed-device-list [CG-4a]: what the container makes with CAP_MKNOD cannot be opened when it is denied', async () => {
  requiresFuse()
  const b = await bundle((c) => {
    const caps = ['CAP_MKNOD']
    c.process.capabilities = { bounding: caps, effective: caps, permitted: caps }
  })
  const [, open] = await b.probe(['mknod', '/dev/own', 'c', '10', '229'], ['open', '/dev/own', 'r'])
  ok(['EPERM', 'ENOENT'].includes(open.error), open.error)
})

test('config-linux.md#allowed-device-list [CG-4a]: the runtime can make devices that the container may not', async () => {
  requires('cgroup-v1')
  const b = await bundle((c) => {
    c.linux.devices = [{ type: 'b', path: '/dev/disk', major: 254, minor: 0, fileMode: 0o600 }]
  })
  const [stat, open] = await b.probe(['lstat', '/dev/disk'], ['open', '/dev/disk', 'r'])
  deepEqual([stat.type, open.error], ['block', 'EPERM'])
})

test('config-linux.md#allowed-device-list [CG-4c]: an unknown type is an error', LEAVES, async () => {
  await refused({ devices: [{ allow: true, type: 'x', access: 'rwm' }] }, /type|devices/)
})

test('config-linux.md#allowed-device-list [CG-4c]: an unknown access is an error', {
  peers: { runc: 'passes it to the kernel', crun: 'passes it to the kernel' },
}, async () => {
  await refused({ devices: [{ allow: true, type: 'c', major: 1, minor: 3, access: 'rz' }] }, /access/)
})

// Block I/O

test('config-linux.md#block-io [CG-8b]: throttleReadBpsDevice and its three siblings', async () => {
  requiresThat(has('blkio', 'blkio.throttle.read_bps_device'), 'blkio throttling')
  requiresThat(existsSync('/sys/dev/block/254:0') || existsSync('/sys/dev/block/7:0'), 'a block device')
  const [major, minor] = existsSync('/sys/dev/block/254:0') ? [254, 0] : [7, 0]
  const b = await created(
    {
      blockIO: {
        throttleReadBpsDevice: [{ major, minor, rate: 1_000_000 }],
        throttleWriteBpsDevice: [{ major, minor, rate: 2_000_000 }],
        throttleReadIOPSDevice: [{ major, minor, rate: 300 }],
        throttleWriteIOPSDevice: [{ major, minor, rate: 400 }],
      },
    },
    'blkio',
  )
  const read = (name: string): string => readCgroup('blkio', b.id, `blkio.throttle.${name}`)
  deepEqual(
    ['read_bps_device', 'write_bps_device', 'read_iops_device', 'write_iops_device'].map(read),
    ['1000000', '2000000', '300', '400'].map((rate) => `${major}:${minor} ${rate}`),
  )
})

test('config-linux.md#block-io [CG-8a]: weight', { peers: { crun: 'knows no bfq' } }, async () => {
  requiresThat(has('blkio', 'blkio.weight') || has('blkio', 'blkio.bfq.weight'), 'a weight of blkio')
  const b = await created({ blockIO: { weight: 123 } }, 'blkio')
  const directory = cgroupDirectory('blkio', b.id)
  const file = ['blkio.weight', 'blkio.bfq.weight'].find((name) => existsSync(join(directory, name))) ?? ''
  match(readFileSync(join(directory, file), 'utf8'), /123/)
})

test('config-linux.md#block-io [CG-8c]: a weight that the host cannot set is an error', async () => {
  requiresThat(!has('blkio', 'blkio.weight') && !has('blkio', 'blkio.bfq.weight'), 'a host without weights of blkio')
  await refused({ blockIO: { weight: 123 } }, /weight/)
})

test('config-linux.md#block-io [CG-8c]: a device that does not exist is an error', LEAVES, async () => {
  requiresThat(has('blkio', 'blkio.throttle.read_bps_device'), 'blkio throttling')
  await refused({ blockIO: { throttleReadBpsDevice: [{ major: 4000, minor: 1, rate: 1 }] } }, /throttle|4000/)
})

// Huge pages

test('config-linux.md#huge-page-limits [CG-9a]: limit of a page size', async () => {
  requires('hugetlb')
  const b = await created({ hugepageLimits: [{ pageSize: '2MB', limit: 4 * MIB }] }, 'hugetlb')
  const directory = cgroupDirectory('hugetlb', b.id)
  const files = ['hugetlb.2MB.limit_in_bytes', 'hugetlb.2MB.rsvd.limit_in_bytes'].filter((name) =>
    existsSync(join(directory, name)),
  )
  ok(files.some((name) => readFileSync(join(directory, name), 'utf8').trim() === String(4 * MIB)))
})

test(
  'config-linux.md#huge-page-limits [CG-9b]: a page size that the host does not have is an error',
  LEAVES,
  async () => {
    requires('hugetlb')
    await refused({ hugepageLimits: [{ pageSize: '3MB', limit: 3 * MIB }] }, /3MB/)
  },
)

// Others

test('config-linux.md#network [CG-10a]: classID', async () => {
  const b = await created({ network: { classID: 1048577 } }, 'net_cls')
  equal(readCgroup('net_cls', b.id, 'net_cls.classid'), '1048577')
})

test('config-linux.md#network [CG-10a]: priorities are those of the devices', async () => {
  const b = await created({ network: { priorities: [{ name: 'lo', priority: 7 }] } }, 'net_prio')
  ok(readCgroup('net_prio', b.id, 'net_prio.ifpriomap').split('\n').includes('lo 7'))
})

test('config-linux.md#network [CG-10b]: classID without the controller is an error', {
  peers: { crun: 'ignores it' },
}, async () => {
  requires('cgroup-v1')
  requiresThat(hierarchyOf('net_cls') === undefined, 'a host without net_cls')
  await refused({ network: { classID: 1048577 } }, /classID|net_cls/)
})

test('config-linux.md#unified [CG-12b]: on a host with cgroup v1 is refused', {
  peers: { crun: 'ignores it' },
}, async () => {
  requires('cgroup-v1')
  await refused({ unified: { 'memory.max': '1000000' } }, /unified/)
})

test('config-linux.md#control-groups [CG-1a]: several resources at once', async () => {
  const b = await created(
    { memory: { limit: 64 * MIB }, pids: { limit: 10 }, cpu: { shares: 300 } },
    'memory',
    'pids',
    'cpu',
  )
  deepEqual(
    [
      readCgroup('memory', b.id, 'memory.limit_in_bytes'),
      readCgroup('pids', b.id, 'pids.max'),
      readCgroup('cpu', b.id, 'cpu.shares'),
    ],
    [String(64 * MIB), '10', '300'],
  )
})

test('config-linux.md#block-io [CG-8b]: a rate that the kernel cuts to another number is an error that names both, and what to do', {
  peers: { runc: 'does not look at what the kernel took', crun: 'does not look at what the kernel took' },
}, async () => {
  requiresThat(has('blkio', 'blkio.throttle.read_iops_device'), 'blkio throttling')
  const named = readdirSync('/sys/block').find((name) => existsSync(`/sys/block/${name}/dev`))
  requiresThat(named !== undefined, 'a block device')
  const [major, minor] = readFileSync(`/sys/block/${named}/dev`, 'utf8').trim().split(':').map(Number)
  // The kernel keeps 32 bits of it: one request a second, and no error.
  const b = await bundle((c) => {
    const device = { major: major ?? 0, minor: minor ?? 0, rate: 4_294_967_297 }
    c.linux.resources.blockIO = { throttleReadIOPSDevice: [device] }
  })
  const message = await b.refused(/blkio\.throttle\.read_iops_device/)
  match(message, /4294967297.*config\.json \/linux\/resources\/blockIO\/throttleReadIOPSDevice\/0/s)
  match(message, new RegExp(`${major}:${minor} 1\\b`))
  match(message, /the kernel keeps limits of whole disks only, in its own range/)
})
