// config-linux.md: resources on cgroup v2, read back from the files of the host, and what they do.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  cgroupDirectory,
  deepEqual,
  equal,
  includes,
  match,
  ok,
  type Resources,
  requires,
  requiresController,
  requiresThat,
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

test('config-linux.md#memory [CG-5i]: swap below limit is refused', async () => {
  await refused({ memory: { limit: 64 * MIB, swap: 32 * MIB } }, /swap/)
})

test('config-linux.md#memory [CG-5i]: swap without limit is refused', async () => {
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

test('config-linux.md#cpu [CG-6e]: quota and period are cpu.max', async () => {
  equal(read(await created({ cpu: { quota: 50_000, period: 200_000 } }, 'cpu'), 'cpu.max'), '50000 200000')
})

test('config-linux.md#cpu [CG-6b]: quota alone, period alone', async () => {
  equal(read(await created({ cpu: { quota: 50_000 } }, 'cpu'), 'cpu.max'), '50000 100000')
  equal(read(await created({ cpu: { period: 50_000 } }, 'cpu'), 'cpu.max'), 'max 50000')
})

test('config-linux.md#cpu [CG-6c]: burst', { peers: { runc: 'since 1.2', crun: 'not in 1.8' } }, async () => {
  const b = await created({ cpu: { quota: 50_000, period: 100_000, burst: 20_000 } }, 'cpu')
  equal(read(b, 'cpu.max.burst'), '20000')
})

test('config-linux.md#cpu [CG-6f]: idle', { peers: { runc: 'since 1.2' } }, async () => {
  equal(read(await created({ cpu: { idle: 1 } }, 'cpu'), 'cpu.idle'), '1')
})

test('config-linux.md#cpu [CG-6e]: cpus and mems', async () => {
  const b = await created({ cpu: { cpus: '0', mems: '0' } }, 'cpuset')
  deepEqual([read(b, 'cpuset.cpus'), read(b, 'cpuset.mems')], ['0', '0'])
})

test('config-linux.md#cpu [CG-6g]: realtime limits have no form on v2 and are refused', {
  peers: { crun: 'refuses by another name' },
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

test('config-linux.md#huge-page-limits [CG-9a]: limit of a page size', async () => {
  requires('hugetlb')
  const b = await created({ hugepageLimits: [{ pageSize: '2MB', limit: 4 * MIB }] }, 'hugetlb')
  ok(['hugetlb.2MB.max', 'hugetlb.2MB.rsvd.max'].some((name) => read(b, name) === String(4 * MIB)))
})

test('config-linux.md#unified [CG-12a]: each key is a file of the cgroup, each value is written to it', async () => {
  const b = await created({ unified: { 'memory.high': '50331648', 'pids.max': '99' } }, 'memory', 'pids')
  deepEqual([read(b, 'memory.high'), read(b, 'pids.max')], ['50331648', '99'])
})

test('config-linux.md#unified [CG-12b]: a file that does not exist is an error', async () => {
  await refused({ unified: { 'memory.nonsense': '1' } }, /memory\.nonsense/)
})

test('config-linux.md#unified [CG-12b]: a key with a slash is refused', async () => {
  await refused({ unified: { '../memory.max': '1' } }, /unified/)
})

test('config-linux.md#unified [CG-12b]: a controller that does not exist is an error', async () => {
  await refused({ unified: { 'nonsense.max': '1' } }, /nonsense/)
})

test('config-linux.md#network [CG-10b]: has no form on v2 and is refused', {
  peers: { runc: 'ignores it', crun: 'refuses' },
}, async () => {
  await refused({ network: { classID: 1048577 } }, /network|classID/)
})

test('config-linux.md#cgroup-ownership [CG-3a]: the container may own its cgroup with a cgroup namespace and a writable mount', {
  peers: { runc: 'since 1.1 for user namespaces only' },
}, async () => {
  requires('cgroup-v2', 'userns')
  const b = await bundle((c) => {
    c.linux.namespaces.push({ type: 'cgroup' }, { type: 'user' })
    c.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65536 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65536 }]
    c.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['rw', 'nosuid'] })
  })
  const [stat, made] = await b.probe(['stat', '/sys/fs/cgroup'], ['mkdir', '/sys/fs/cgroup/mine'])
  deepEqual([stat.uid, made.error], [0, ''])
})
