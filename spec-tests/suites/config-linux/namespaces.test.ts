import { readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import {
  type Bundle,
  bad,
  bundle,
  type Config,
  deepEqual,
  equal,
  launch,
  match,
  type NamespaceType,
  notEqual,
  requires,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

const FILES = {
  pid: 'pid',
  network: 'net',
  mount: 'mnt',
  ipc: 'ipc',
  uts: 'uts',
  user: 'user',
  cgroup: 'cgroup',
  time: 'time',
} as const satisfies Record<NamespaceType, string>

const TYPES = Object.keys(FILES) as NamespaceType[]

const own = (type: NamespaceType): string => readlinkSync(`/proc/self/ns/${FILES[type]}`)

const ofProcess = (pid: number, type: NamespaceType): string => readlinkSync(`/proc/${pid}/ns/${FILES[type]}`)

const mapAll = (c: Config): void => {
  c.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
  c.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
}

const add = (c: Config, type: NamespaceType, path?: string): void => {
  c.linux.namespaces = c.linux.namespaces.filter((namespace) => namespace.type !== type)
  c.linux.namespaces.push(path === undefined ? { type } : { type, path })
}

const remove = (c: Config, type: NamespaceType): void => {
  c.linux.namespaces = c.linux.namespaces.filter((namespace) => namespace.type !== type)
  if (type === 'uts') {
    delete c.hostname
  }
  if (type === 'network') {
    // A sysfs belongs to the network namespace that it was mounted in.
    c.mounts = c.mounts.filter((mount) => mount.type !== 'sysfs')
  }
}

const NO_TIME: TestOptions = { peers: { runc: '1.1 has no time namespaces', crun: '1.8 has no time namespaces' } }

const NO_MAPPINGS: TestOptions = { peers: { runc: '1.1 wants mappings although the namespace exists' } }

const optionsOf = (type: NamespaceType): TestOptions => (type === 'time' ? NO_TIME : {})

for (const type of TYPES) {
  test(
    `config-linux.md#namespaces [NS-1a]: if path is not specified the runtime MUST create a new ${type} namespace`,
    optionsOf(type),
    async () => {
      if (type === 'time') {
        requires('timens')
      }
      const b = await bundle((c) => {
        add(c, type)
        if (type === 'user') {
          mapAll(c)
        }
      })
      b.command(['sleep', '30'])
      await b.create()
      const { pid } = await b.state()
      notEqual(ofProcess(pid, type), own(type))
      await b.start()
      notEqual(ofProcess(pid, type), own(type))
    },
  )
}

for (const type of TYPES.filter((type) => type !== 'mount')) {
  test(`config-linux.md#namespaces [NS-1b]: if ${type} is not in the array the container MUST inherit the runtime namespace`, async () => {
    const b = await bundle((c) => remove(c, type))
    const { namespaces } = await b.report()
    equal(namespaces[FILES[type]], own(type))
  })
}

test('config-linux.md#namespaces [NS-1b]: if mount is not in the array the container MUST inherit the runtime namespace', {
  peers: { runc: 'refuses the default masked paths, pivots the host', crun: 'pivots' },
  only: ['tsrunc'],
}, async () => {
  const b = await bundle((c) => {
    remove(c, 'mount')
    c.mounts = []
    delete c.linux.maskedPaths
    delete c.linux.readonlyPaths
    c.root.readonly = false
  })
  const outcome = await b.tryRun()
  match(`${outcome.status} ${outcome.stdout}${outcome.stderr}`, /^0 .*mnt|^1 .*mount namespace/is)
})

/** A container that stays, so that others can join its namespaces. */
const holder = async (change: (c: Config) => void = () => undefined): Promise<{ b: Bundle; pid: number }> => {
  const b = await bundle(change)
  b.command(['sleep', '60'])
  await b.create()
  await b.start()
  return { b, pid: (await b.state()).pid }
}

for (const type of ['pid', 'network', 'ipc', 'uts', 'cgroup', 'time'] as const) {
  test(
    `config-linux.md#namespaces [NS-2a]: the runtime MUST place the container process in the ${type} namespace at path`,
    optionsOf(type),
    async () => {
      if (type === 'time') {
        requires('timens')
      }
      const first = await holder((c) => add(c, type))
      const path = `/proc/${first.pid}/ns/${FILES[type]}`
      const second = await bundle((c) => {
        add(c, type, path)
        if (type === 'uts') {
          delete c.hostname
        }
      })
      second.command(['sleep', '60'])
      await second.create()
      const { pid } = await second.state()
      equal(ofProcess(pid, type), ofProcess(first.pid, type))
      for (const other of TYPES.filter(
        (other) => ['network', 'ipc', 'uts', 'mount'].includes(other) && other !== type,
      )) {
        notEqual(ofProcess(pid, other), ofProcess(first.pid, other), other)
      }
    },
  )
}

test('config-linux.md#namespaces [NS-2a]: a pod: network, ipc, uts and pid of another container', async () => {
  const first = await holder()
  const joined = ['network', 'ipc', 'uts', 'pid'] as const
  const second = await bundle((c) => {
    delete c.hostname
    for (const type of joined) {
      add(c, type, `/proc/${first.pid}/ns/${FILES[type]}`)
    }
  })
  const [report, { processes }] = await second.probe(['report'], ['processes'])
  equal(report.hostname, 'container')
  for (const type of joined) {
    equal(report.namespaces[FILES[type]], ofProcess(first.pid, type))
  }
  equal(processes.length, 2)
  equal((await first.b.state()).status, 'running')
})

test('config-linux.md#namespaces [NS-2a]: a hostname in a joined UTS namespace is set there', async () => {
  const first = await holder((c) => {
    c.hostname = 'first'
  })
  const second = await bundle((c) => {
    c.hostname = 'second'
    add(c, 'uts', `/proc/${first.pid}/ns/uts`)
  })
  equal((await second.report()).hostname, 'second')
})

test('config-linux.md#namespaces [NS-2a]: a mount namespace at path', async () => {
  const hold = launch(['unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'echo ready; exec sleep 60'])
  const pid = await hold.pid
  while (!hold.stdout().includes('ready')) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const b = await bundle((c) => add(c, 'mount', `/proc/${pid}/ns/mnt`))
  equal((await b.report()).namespaces.mnt, ofProcess(pid, 'mount'))
})

test('config-linux.md#namespaces [NS-2a]: a user namespace at path', NO_MAPPINGS, async () => {
  requires('userns')
  const first = await holder((c) => {
    add(c, 'user')
    mapAll(c)
  })
  const b = await bundle((c) => {
    add(c, 'user', `/proc/${first.pid}/ns/user`)
  })
  b.command(['sleep', '60'])
  await b.create()
  equal(ofProcess((await b.state()).pid, 'user'), ofProcess(first.pid, 'user'))
})

test(
  'config-linux.md#namespaces [NS-2a]: user and network namespaces of one container, the network owned by the user namespace',
  NO_MAPPINGS,
  async () => {
    requires('userns')
    const first = await holder((c) => {
      add(c, 'user')
      mapAll(c)
    })
    const b = await bundle((c) => {
      add(c, 'user', `/proc/${first.pid}/ns/user`)
      add(c, 'network', `/proc/${first.pid}/ns/net`)
    })
    const report = await b.report()
    equal(report.namespaces.net, ofProcess(first.pid, 'network'))
    equal(report.namespaces.user, ofProcess(first.pid, 'user'))
  },
)

test('config-linux.md#namespaces [NS-2a OP-5b]: the namespace that was joined is still there after delete', async () => {
  const first = await holder()
  const second = await bundle((c) => add(c, 'network', `/proc/${first.pid}/ns/net`))
  await second.run()
  equal(ofProcess(first.pid, 'network').startsWith('net:['), true)
  equal((await first.b.state()).status, 'running')
})

test('config-linux.md#namespaces [NS-2b]: the runtime MUST generate an error if path is not associated with a namespace of that type', async () => {
  const b = await bundle((c) => add(c, 'network', '/proc/self/ns/uts'))
  await b.refused(/namespace/i)
})

test('config-linux.md#namespaces [NS-2b]: a path to what is no namespace is an error', async () => {
  const file = scratch('file')
  writeFileSync(file, '')
  const b = await bundle((c) => add(c, 'ipc', file))
  await b.refused(/namespace|file/i)
})

test('config-linux.md#namespaces [NS-2b]: a path that does not exist is an error', async () => {
  const b = await bundle((c) => add(c, 'network', '/proc/0/ns/net'))
  await b.refused(/\/proc\/0\/ns\/net/)
})

test('config-linux.md#namespaces [NS-2b]: path MUST be absolute', async () => {
  const b = await bundle((c) => add(c, 'uts', 'proc/self/ns/uts'))
  await b.refused(/absolute/i, { cwd: '/' })
})

test('config-linux.md#namespaces [NS-1c]: if the array contains duplicated namespaces the runtime MUST generate an error', {
  peers: { crun: 'takes it' },
}, async () => {
  const b = await bundle((c) => c.linux.namespaces.push({ type: 'ipc' }))
  await b.refused(/ipc|namespace/)
})

test('config-linux.md#namespaces [NS-1d]: an unknown type is an error', async () => {
  const b = await bundle((c) => c.linux.namespaces.push({ type: bad('nonsense') }))
  await b.refused(/nonsense/)
})

test('config-linux.md#namespaces [NS-1d]: type is REQUIRED', async () => {
  const b = await bundle((c) => c.linux.namespaces.push(bad({ path: '/proc/self/ns/uts' })))
  await b.refused(/type|namespace/i)
})

test("config-linux.md#namespaces [NS-1a]: a new cgroup namespace has the container's cgroup as its root", async () => {
  requires('cgroupns')
  const b = await bundle((c) => add(c, 'cgroup'))
  const { cgroup } = await b.report()
  const lines = cgroup.split('\n').filter((line) => /:(pids|memory|devices):|^0::/.test(line))
  // On a hybrid host the unified hierarchy holds no controller; a runtime may leave the process at its root.
  for (const line of lines) {
    match(line, /:\/$/)
  }
})

test('config-linux.md#network [NS-1a]: the loopback device of a new network namespace is there and up', async () => {
  const b = await bundle()
  const [flags] = await b.probe(['read', '/sys/class/net/lo/flags'])
  equal(Number(flags.data) & 1, 1)
})

// Time.

test('config-linux.md#time [NS-4a]: timeOffsets are what the clocks of the container are ahead', NO_TIME, async () => {
  requires('timens')
  const b = await bundle((c) => {
    add(c, 'time')
    c.linux.timeOffsets = { monotonic: { secs: 1_000_000 }, boottime: { secs: 2_000_000, nanosecs: 500 } }
  })
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
  const [clocks] = await b.probe(['clocks'])
  equal(Math.abs(clocks.monotonic - uptime - 1_000_000) < 60, true)
  equal(Math.abs(clocks.boottime - uptime - 2_000_000) < 60, true)
})

test('config-linux.md#time [NS-4a]: a negative offset', NO_TIME, async () => {
  requires('timens')
  const b = await bundle((c) => {
    add(c, 'time')
    c.linux.timeOffsets = { boottime: { secs: -1 } }
  })
  const [offsets] = await b.probe(['read', '/proc/self/timens_offsets'])
  match(offsets.data, /boottime\s+-1\s+0/)
})

test('config-linux.md#time [NS-4b]: offsets without a time namespace are refused', {
  peers: { runc: '1.1 has no time namespaces', crun: '1.8 has no time namespaces' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.timeOffsets = { monotonic: { secs: 1 } }
  })
  await b.refused(/timeOffsets|time/i)
})

test('config-linux.md#time [NS-4b]: nanosecs above 999999999 are refused', async () => {
  const b = await bundle((c) => {
    add(c, 'time')
    c.linux.timeOffsets = { monotonic: { secs: 1, nanosecs: 1_000_000_000 } }
  })
  await b.refused(/nanosecs|timeOffsets/i)
})

test('config-linux.md#time [NS-4b]: an unknown clock is refused', async () => {
  const b = await bundle((c) => {
    add(c, 'time')
    c.linux.timeOffsets = { realtime: { secs: 1 } }
  })
  await b.refused(/realtime/)
})

test('config-linux.md#namespaces [NS-1a]: nothing but the eight namespaces of the container is shared with the runtime by accident', async () => {
  const b = await bundle((c) => add(c, 'cgroup'))
  const { namespaces } = await b.report()
  const shared = TYPES.filter((type) => namespaces[FILES[type]] === own(type))
  deepEqual(shared, ['user', 'time'])
})
