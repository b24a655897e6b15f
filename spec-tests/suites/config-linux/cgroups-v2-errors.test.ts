// cgroup v2: a limit that the kernel refuses, or that v2 cannot express, is an error that names its place in config.json.
import { existsSync, readFileSync } from 'node:fs'
import {
  bundle,
  doesNotMatch,
  match,
  type Resources,
  requires,
  requiresController,
  requiresThat,
  runtime,
  type TestOptions,
  test,
} from '../../lib'

interface Row {
  readonly what: string
  readonly resources: Resources
  /** JSON pointer of the property. */
  readonly pointer: string
  /** What the kernel says; undefined where it is not asked. */
  readonly errno?: string
  readonly controller: string
  readonly peers?: TestOptions['peers']
}

const MIB = 1 << 20
const at = (property: string): string => `/linux/resources/${property}`

/** A device number that nothing has. */
const NO_DEVICE = { major: 4000, minor: 1 }

const ROWS: readonly Row[] = [
  {
    what: 'config-linux.md#cpu [CG-6g]: a quota below what the kernel takes',
    resources: { cpu: { quota: 10, period: 100_000 } },
    pointer: at('cpu/quota'),
    errno: 'EINVAL',
    controller: 'cpu',
  },
  {
    what: 'config-linux.md#cpu [CG-6g]: a burst above the quota',
    resources: { cpu: { quota: 10_000, period: 100_000, burst: 20_000 } },
    pointer: at('cpu/burst'),
    controller: 'cpu',
    peers: { runc: 'since 1.2' },
  },
  {
    what: 'config-linux.md#cpu [CG-6g]: a CPU that does not exist',
    resources: { cpu: { cpus: '4000' } },
    pointer: at('cpu/cpus'),
    errno: '(ERANGE|EINVAL)',
    controller: 'cpuset',
  },
  {
    what: 'config-linux.md#cpu [CG-6g]: a memory node that does not exist',
    resources: { cpu: { mems: '999' } },
    pointer: at('cpu/mems'),
    errno: '(ERANGE|EINVAL)',
    controller: 'cpuset',
  },
  {
    what: 'config-linux.md#block-io [CG-8c]: a throttle of a device that does not exist',
    resources: { blockIO: { throttleReadBpsDevice: [{ ...NO_DEVICE, rate: MIB }] } },
    pointer: at('blockIO/throttleReadBpsDevice/0'),
    errno: 'ENODEV',
    controller: 'io',
  },
  {
    what: 'config-linux.md#block-io [CG-8c]: a weight of a device that does not exist',
    resources: { blockIO: { weightDevice: [{ ...NO_DEVICE, weight: 100 }] } },
    pointer: at('blockIO/weightDevice/0/weight'),
    errno: '(ENODEV|EINVAL|EOPNOTSUPP)',
    controller: 'io',
    peers: { crun: 'ignores it' },
  },
  {
    what: 'config-linux.md#block-io [CG-13b]: a weight of leaves has no form on v2',
    resources: { blockIO: { leafWeight: 100 } },
    pointer: at('blockIO/leafWeight'),
    controller: 'io',
    peers: { runc: 'ignores it', crun: 'ignores it' },
  },
  {
    what: 'config-linux.md#memory [CG-13b]: swappiness has no form on v2',
    resources: { memory: { limit: 64 * MIB, swappiness: 10 } },
    pointer: at('memory/swappiness'),
    controller: 'memory',
    peers: { runc: 'ignores it', crun: 'refuses it in some versions' },
  },
  {
    what: 'config-linux.md#memory [CG-13b]: disableOOMKiller has no form on v2',
    resources: { memory: { limit: 64 * MIB, disableOOMKiller: true } },
    pointer: at('memory/disableOOMKiller'),
    controller: 'memory',
    peers: { runc: 'ignores it', crun: 'ignores it' },
  },
  {
    what: 'config-linux.md#rdma [CG-11b]: a device that does not exist',
    resources: { rdma: { mlx5_9: { hcaHandles: 3 } } },
    pointer: at('rdma/mlx5_9'),
    errno: '(ENODEV|EINVAL)',
    controller: 'rdma',
    peers: { crun: 'ignores it' },
  },
  {
    what: 'config-linux.md#unified [CG-12b]: a value that is none',
    resources: { unified: { 'memory.high': 'much' } },
    pointer: at('unified/memory.high'),
    errno: 'EINVAL',
    controller: 'memory',
  },
  {
    what: 'config-linux.md#unified [CG-12b]: a resource of misc that the host does not have',
    resources: { unified: { 'misc.max': 'nonsense 1' } },
    pointer: at('unified/misc.max'),
    errno: 'EINVAL',
    controller: 'misc',
  },
  {
    what: 'config-linux.md#unified [CG-12b]: one line of several is refused',
    resources: { unified: { 'io.max': '4000:1 rbps=1000000\n4000:2 wbps=1000000' } },
    pointer: at('unified/io.max'),
    errno: 'ENODEV',
    controller: 'io',
  },
]

for (const { what, resources, pointer, errno, controller, peers = {} } of ROWS) {
  const known = { crun: 'leaves its cgroup when it refuses', ...peers }
  test(`${what} is an error that names ${pointer}`, { peers: known, sometimes: true }, async () => {
    requires('cgroup-v2')
    requiresController(controller)
    const b = await bundle((c) => {
      c.linux.resources = { ...c.linux.resources, ...resources }
    })
    const message = await b.refused(new RegExp(`config\\.json ${pointer}\\b`))
    if (errno !== undefined && runtime().quirks.tellsStories) {
      match(message, new RegExp(`\\(${errno}\\)`))
    }
  })
}

test('config-linux.md#block-io [CG-8c]: a weight of a device that BFQ does not schedule is an error that says so', {
  peers: { crun: 'not in 1.8' },
  sometimes: true,
}, async () => {
  requires('cgroup-v2')
  requiresController('io')
  const scheduler = '/sys/block/loop0/queue/scheduler'
  requiresThat(existsSync('/sys/module/bfq') && existsSync(scheduler), 'BFQ and loop0')
  doesNotMatch(readFileSync(scheduler, 'utf8'), /\[bfq\]/)
  const b = await bundle((c) => {
    c.linux.resources.blockIO = { weightDevice: [{ major: 7, minor: 0, weight: 100 }] }
  })
  const message = await b.refused(/config\.json \/linux\/resources\/blockIO\/weightDevice\/0\/weight\b/)
  if (runtime().quirks.tellsStories) {
    match(message, /the I\/O scheduler of the device is not bfq/)
  }
})
