// config-linux.md: resources on cgroup v2, read back from the files of the host, and what they do.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  cgroupDirectory,
  deepEqual,
  equal,
  includes,
  match,
  type Resources,
  requires,
  requiresController,
  requiresThat,
  softwareRdmaDevice,
  type TestOptions,
  test,
} from '../../lib'

const MIB = 1 << 20

const created = async (resources: Resources, ...controllers: string[]): Promise<Bundle> => {
  requires('cgroup-v2')
  requiresController(...controllers)
  const b = await bundle((c) => {
    c.linux.resources = { ...c.linux.resources, ...resources }
  })
  b.command(['sleep', '30'])
  await b.create()
  return b
}

const refused = async (resources: Resources, story: RegExp): Promise<void> => {
  requires('cgroup-v2')
  const b = await bundle((c) => {
    c.linux.resources = { ...c.linux.resources, ...resources }
  })
  await b.refused(story)
}

const read = (b: Bundle, file: string): string =>
  readFileSync(join(cgroupDirectory('pids', b.id), file), 'utf8').trimEnd()

/** Refused, but the cgroup stays until somebody removes it. */
const LEAVES: TestOptions = { peers: { crun: 'leaves its cgroup behind in some versions' }, sometimes: true }

test('config-linux.md#memory [CG-5a]: limit is memory.max', async () => {
  equal(read(await created({ memory: { limit: 64 * MIB } }, 'memory'), 'memory.max'), String(64 * MIB))
})

test('config-linux.md#memory [CG-5b]: reservation is memory.low', async () => {
  equal(read(await created({ memory: { reservation: 32 * MIB } }, 'memory'), 'memory.low'), String(32 * MIB))
})

test('config-linux.md#memory [CG-5c]: swap less limit is memory.swap.max', async () => {
  const b = await created({ memory: { limit: 64 * MIB, swap: 96 * MIB } }, 'memory')
  requiresThat(existsSync(join(cgroupDirectory('memory', b.id), 'memory.swap.max')), 'swap accounting')
  equal(read(b, 'memory.swap.max'), String(32 * MIB))
})

test('config-linux.md#memory [CG-5a CG-5c]: limit and swap of -1 are no limits', async () => {
  const b = await created({ memory: { limit: -1, swap: -1 } }, 'memory')
  equal(read(b, 'memory.max'), 'max')
})

test('config-linux.md#memory [CG-5i]: swap below limit is refused', LEAVES, async () => {
  await refused({ memory: { limit: 64 * MIB, swap: 32 * MIB } }, /swap/)
})

test('config-linux.md#memory [CG-5i]: swap without limit is refused', LEAVES, async () => {
  await refused({ memory: { swap: 32 * MIB } }, /swap/)
})

test('config-linux.md#memory [CG-5a]: a limit that is exceeded kills', async () => {
  requires('cgroup-v2')
  requiresController('memory')
  const b = await bundle((c) => {
    c.linux.resources.memory = { limit: 32 * MIB, swap: 32 * MIB }
  })
  const [over] = await b.probe(['memory', String(64 * MIB)])
  equal(over.signal, 9)
})

for (const [shares, weights] of [
  [2, ['1']],
  [1024, ['39', '100']],
  [262_144, ['10000']],
] as const) {
  test(`config-linux.md#cpu [CG-6a CG-13a]: shares of ${shares} become cpu.weight`, async () => {
    includes(weights as readonly string[], read(await created({ cpu: { shares } }, 'cpu'), 'cpu.weight'))
  })
}

test('config-linux.md#cpu [CG-6b]: quota and period are cpu.max', async () => {
  equal(read(await created({ cpu: { quota: 50_000, period: 200_000 } }, 'cpu'), 'cpu.max'), '50000 200000')
})

test('config-linux.md#cpu [CG-6b]: quota alone, period alone', async () => {
  equal(read(await created({ cpu: { quota: 50_000 } }, 'cpu'), 'cpu.max'), '50000 100000')
  equal(read(await created({ cpu: { period: 50_000 } }, 'cpu'), 'cpu.max'), 'max 50000')
})

test('config-linux.md#cpu [CG-6c]: burst', {
  peers: { runc: 'since 1.2', crun: 'not in 1.8' },
  sometimes: true,
}, async () => {
  const b = await created({ cpu: { quota: 50_000, period: 100_000, burst: 20_000 } }, 'cpu')
  equal(read(b, 'cpu.max.burst'), '20000')
})

test('config-linux.md#cpu [CG-6f]: idle', { peers: { runc: 'since 1.2' }, sometimes: true }, async () => {
  equal(read(await created({ cpu: { idle: 1 } }, 'cpu'), 'cpu.idle'), '1')
})

test('config-linux.md#cpu [CG-6e]: cpus and mems', async () => {
  const b = await created({ cpu: { cpus: '0', mems: '0' } }, 'cpuset')
  deepEqual([read(b, 'cpuset.cpus'), read(b, 'cpuset.mems')], ['0', '0'])
})

test('config-linux.md#cpu [CG-6g]: realtime limits have no form on v2 and are refused', {
  peers: { runc: 'ignores it', crun: 'refuses by another name' },
}, async () => {
  await refused({ cpu: { realtimeRuntime: 1000, realtimePeriod: 100_000 } }, /realtime/)
})

test('config-linux.md#pids [CG-7a]: limit', async () => {
  equal(read(await created({ pids: { limit: 17 } }, 'pids'), 'pids.max'), '17')
  equal(read(await created({ pids: { limit: -1 } }, 'pids'), 'pids.max'), 'max')
})

test('config-linux.md#pids [CG-7b]: 0 is a limit of 0', {
  peers: { runc: 'no limit, since 1.4', crun: 'no limit' },
}, async () => {
  equal(read(await created({ pids: { limit: 0 } }, 'pids'), 'pids.max'), '0')
})

test('config-linux.md#pids [CG-7a]: a limit that is reached refuses to fork', async () => {
  requires('cgroup-v2')
  requiresController('pids')
  const b = await bundle((c) => {
    c.linux.resources.pids = { limit: 5 }
  })
  const [fork] = await b.probe(['fork', '20'])
  deepEqual([fork.forked, fork.error], [4, 'EAGAIN'])
})

/** A device that every host can have and that needs no right of its own. */
const fuse = { type: 'c', major: 10, minor: 229 } as const

const requiresFuse = (): void => {
  requires('cgroup-v2')
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

test('config-linux.md#allowed-device-list [CG-4b]: what a rule does not say stands for all', async () => {
  requiresFuse()
  const b = await bundle((c) => {
    c.linux.devices = [{ ...fuse, path: '/dev/any', fileMode: 0o666 }]
    c.linux.resources.devices = [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 10, access: 'r' },
    ]
  })
  const [read, write] = await b.probe(['open', '/dev/any', 'r'], ['open', '/dev/any', 'w'])
  deepEqual([read.error, write.error], ['', 'EPERM'])
})

test('config-linux.md#allowed-device-list [CG-4a]: a later rule counts more than an earlier one', async () => {
  requiresFuse()
  const b = await bundle((c) => {
    c.linux.devices = [{ ...fuse, path: '/dev/late', fileMode: 0o666 }]
    c.linux.resources.devices = [
      { allow: false, access: 'rwm' },
      { ...fuse, allow: true, access: 'rw' },
      { ...fuse, allow: false, access: 'w' },
    ]
  })
  const [read, write] = await b.probe(['open', '/dev/late', 'r'], ['open', '/dev/late', 'w'])
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

test('config-linux.md#block-io [CG-8a]: weight becomes io.weight or io.bfq.weight', async () => {
  const b = await created({ blockIO: { weight: 100 } }, 'io')
  const directory = cgroupDirectory('io', b.id)
  const file = ['io.bfq.weight', 'io.weight'].find((name) => existsSync(join(directory, name)))
  requiresThat(file !== undefined, 'io.weight')
  match(read(b, file ?? ''), /100$|919$|910$/m)
})

/** A disk of this machine, "MAJOR:MINOR". */
const disk = (): readonly [number, number] => {
  const numbers = readdirSync('/sys/block')
    .filter((name) => existsSync(`/sys/block/${name}/device`))
    .map((name) => readFileSync(`/sys/block/${name}/dev`, 'utf8').trim())
  const [major, minor] = (numbers[0] ?? '').split(':').map(Number)
  requiresThat(major !== undefined && minor !== undefined, 'a disk')
  return [major ?? 0, minor ?? 0]
}

/** Linux takes a weight of a device only where its I/O scheduler is BFQ, or where its cost is modelled (io.cost.qos). */
const requiresWeighing = (device: string, bfq: boolean): void => {
  const costs = '/sys/fs/cgroup/io.cost.qos'
  const weighed = bfq
    ? readFileSync(`/sys/dev/block/${device}/queue/scheduler`, 'utf8').includes('[bfq]')
    : existsSync(costs) && readFileSync(costs, 'utf8').includes(`${device} enable=1`)
  requiresThat(weighed, 'weights of a disk')
}

test('config-linux.md#block-io [CG-8b]: throttleReadBpsDevice and its three siblings are one line of io.max', async () => {
  requires('cgroup-v2')
  const [major, minor] = disk()
  const rate = (value: number) => [{ major, minor, rate: value }]
  const b = await created(
    {
      blockIO: {
        throttleReadBpsDevice: rate(1_000_000),
        throttleWriteBpsDevice: rate(2_000_000),
        throttleReadIOPSDevice: rate(300),
        throttleWriteIOPSDevice: rate(400),
      },
    },
    'io',
  )
  equal(read(b, 'io.max'), `${major}:${minor} rbps=1000000 wbps=2000000 riops=300 wiops=400`)
})

test('config-linux.md#block-io [CG-8b]: a rate of 0 is no limit', {
  peers: { runc: 'passes it on, which v2 refuses', crun: 'passes it on' },
}, async () => {
  requires('cgroup-v2')
  const [major, minor] = disk()
  const b = await created({ blockIO: { throttleReadBpsDevice: [{ major, minor, rate: 0 }] } }, 'io')
  equal(read(b, 'io.max'), '')
})

test('config-linux.md#block-io [CG-8a CG-13a]: weightDevice is a line of the same file', {
  peers: { crun: 'not in 1.8' },
  sometimes: true,
}, async () => {
  requires('cgroup-v2')
  const [major, minor] = disk()
  const bfq = existsSync('/sys/module/bfq')
  requiresWeighing(`${major}:${minor}`, bfq)
  const b = await created({ blockIO: { weight: 1000, weightDevice: [{ major, minor, weight: 10 }] } }, 'io')
  const [file, most, least] = bfq ? ['io.bfq.weight', 1000, 10] : ['io.weight', 10_000, 1]
  deepEqual(read(b, file).split('\n'), [`default ${most}`, `${major}:${minor} ${least}`])
})

test('config-linux.md#huge-page-limits [CG-9a]: limit of a page size, of pages and of reservations', {
  peers: { crun: 'one of the two' },
  sometimes: true,
}, async () => {
  requires('hugetlb')
  const b = await created({ hugepageLimits: [{ pageSize: '2MB', limit: 4 * MIB }] }, 'hugetlb')
  deepEqual(
    ['hugetlb.2MB.max', 'hugetlb.2MB.rsvd.max'].map((name) => read(b, name)),
    [String(4 * MIB), String(4 * MIB)],
  )
})

test('config-linux.md#rdma [CG-11a]: hcaHandles and hcaObjects are the limits of a device in rdma.max', {
  peers: { crun: 'does not enable the controller' },
  sometimes: true,
}, async () => {
  requires('cgroup-v2')
  requiresController('rdma')
  const [both, objects] = [softwareRdmaDevice(), softwareRdmaDevice()]
  const b = await created({ rdma: { [both]: { hcaHandles: 3, hcaObjects: 10_000 }, [objects]: { hcaObjects: 0 } } })
  const lines = read(b, 'rdma.max')
    .split('\n')
    .map((line) => line.trim())
  includes(lines, `${both} hca_handle=3 hca_object=10000`)
  includes(lines, `${objects} hca_handle=max hca_object=0`)
})

test('config-linux.md#unified [CG-12a]: each key is a file of the cgroup, each value is written to it', async () => {
  const b = await created({ unified: { 'memory.high': '50331648', 'pids.max': '99' } }, 'memory', 'pids')
  deepEqual([read(b, 'memory.high'), read(b, 'pids.max')], ['50331648', '99'])
})

test('config-linux.md#unified [CG-12a]: a file that no property of the specification knows is written too', async () => {
  const b = await created({ unified: { 'memory.oom.group': '1', 'cgroup.max.depth': '3' } }, 'memory')
  deepEqual([read(b, 'memory.oom.group'), read(b, 'cgroup.max.depth')], ['1', '3'])
})

test('config-linux.md#unified [CG-12a]: a controller that nothing else needs is enabled', async () => {
  const b = await created({ unified: { 'hugetlb.2MB.max': '2097152' } }, 'hugetlb')
  equal(read(b, 'hugetlb.2MB.max'), '2097152')
})

test('config-linux.md#unified [CG-12a]: each line of a value is one write', async () => {
  requires('cgroup-v2')
  const [major, minor] = disk()
  const device = `${major}:${minor}`
  const b = await created({ unified: { 'io.max': `${device} rbps=1000000\n${device} wiops=77` } }, 'io')
  equal(read(b, 'io.max'), `${device} rbps=1000000 wbps=max riops=max wiops=77`)
})

test('config-linux.md#unified [CG-12a]: it counts more than the property of the same file', async () => {
  const b = await created({ pids: { limit: 5 }, unified: { 'pids.max': '6' } }, 'pids')
  equal(read(b, 'pids.max'), '6')
})

test('config-linux.md#unified [CG-12b]: a file that does not exist is an error', LEAVES, async () => {
  await refused({ unified: { 'memory.nonsense': '1' } }, /memory\.nonsense/)
})

test('config-linux.md#unified [CG-12b]: a key with a slash is refused', LEAVES, async () => {
  await refused({ unified: { '../memory.max': '1' } }, /unified/)
})

test('config-linux.md#unified [CG-12b]: a controller that does not exist is an error', LEAVES, async () => {
  await refused({ unified: { 'nonsense.max': '1' } }, /nonsense/)
})

test('config-linux.md#network [CG-10b]: has no form on v2 and is refused', {
  peers: { runc: 'ignores it', crun: 'refuses' },
}, async () => {
  await refused({ network: { classID: 1048577 } }, /network|classID/)
})
