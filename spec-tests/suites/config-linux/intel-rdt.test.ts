// config-linux.md "IntelRdt". No machine of the authors has a CPU with it: these tests run against a file system that
// behaves like resctrl. Other runtimes look for the real one (its magic number, flags of the CPU), so they are not asked.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  type Config,
  deepEqual,
  equal,
  expectStatus,
  type FakeResctrl,
  fakeResctrl,
  ok,
  requires,
  requiresThat,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

const ONLY: TestOptions = { only: ['tsrunc'] }

type IntelRdt = NonNullable<Config['linux']['intelRdt']>

const inClass = (intelRdt: IntelRdt, change: (c: Config) => void = () => undefined): Promise<Bundle> =>
  bundle((c) => {
    c.linux.intelRdt = intelRdt
    c.process.args = ['/bin/probe', 'pause']
    change(c)
  })

const resctrl = async (): Promise<FakeResctrl> => {
  requires('root')
  return await fakeResctrl()
}

/** Makes a class as an administrator does. */
const makeClass = (rdt: FakeResctrl, name: string, schemata: string): void => {
  mkdirSync(join(rdt.path, name))
  writeFileSync(join(rdt.path, name, 'schemata'), schemata)
}

const create = async (b: Bundle, { within }: FakeResctrl): Promise<string> => {
  await b.create({ within })
  return String((await b.state()).pid)
}

const tasks = (rdt: FakeResctrl, ...group: readonly string[]): string[] =>
  rdt
    .read(...group, 'tasks')
    .trim()
    .split('\n')

for (const monitored of [false, true]) {
  test(`exec: the process is in the class of service of its container${monitored ? ', and in its monitoring group' : ''}`, {
    ...ONLY,
  }, async () => {
    const rdt = await resctrl()
    // Without a pid namespace: there the kernel hands the group on to a child, which the file system here does not.
    const b = await inClass(monitored ? { enableMonitoring: true } : {}, (c) => {
      c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== 'pid')
    })
    await create(b, rdt)
    await b.start()
    const pidFile = scratch('exec.pid')
    const flags = ['--detach', '--pid-file', pidFile]
    equal((await b.tryExec({ within: rdt.within, flags }, '/bin/probe', 'pause')).status, 0)
    const pid = readFileSync(pidFile, 'utf8')
    const written = [tasks(rdt, b.id), ...(monitored ? [tasks(rdt, b.id, 'mon_groups', b.id)] : [])]
    for (const list of written) equal(list.includes(pid), true, `${pid} in ${list.join()}`)
  })
}

test('config-linux.md#intelrdt [RDT-1a]: the process is written into the tasks of a class named after the container', {
  ...ONLY,
}, async () => {
  const rdt = await resctrl()
  const b = await inClass({})
  const pid = await create(b, rdt)
  deepEqual(tasks(rdt, b.id), [pid])
  equal(rdt.read(b.id, 'schemata'), rdt.read('schemata'))
})

test(
  'config-linux.md#intelrdt [RDT-1c]: the directory that was made for the container is removed with it',
  ONLY,
  async () => {
    const rdt = await resctrl()
    const b = await inClass({ l3CacheSchema: 'L3:0=f' })
    await create(b, rdt)
    deepEqual(rdt.classes(), [b.id])
    await b.kill('KILL')
    await b.reaches('stopped')
    await b.delete({ within: rdt.within })
    deepEqual(rdt.classes(), [])
  },
)

test(
  'config-linux.md#intelrdt [RDT-1b]: l3CacheSchema, memBwSchema and schemata are written in this order',
  ONLY,
  async () => {
    const rdt = await resctrl()
    const b = await inClass({
      l3CacheSchema: 'L3:0=1;1=1\nMB:0=77',
      memBwSchema: 'MB:0=20;1=30',
      schemata: ['L3:0=2', 'MB:1=40'],
    })
    await create(b, rdt)
    equal(rdt.read(b.id, 'schemata'), '    L3:0=0002;1=0001\n    MB:0= 20;1= 40\n')
  },
)

test('config-linux.md#intelrdt [RDT-1b]: a schema alone, of each property', ONLY, async () => {
  const rdt = await resctrl()
  for (const [part, wanted] of [
    [{ l3CacheSchema: 'L3:1=f' }, '    L3:0=00ff;1=000f\n    MB:0=100;1=100\n'],
    [{ memBwSchema: 'MB:0=50' }, '    L3:0=00ff;1=00ff\n    MB:0= 50;1=100\n'],
    [{ schemata: ['MB:1=10'] }, '    L3:0=00ff;1=00ff\n    MB:0=100;1= 10\n'],
  ] as const) {
    const b = await inClass(structuredClone(part) as IntelRdt)
    await create(b, rdt)
    equal(rdt.read(b.id, 'schemata'), wanted)
    await b.delete({ flags: ['--force'], within: rdt.within })
  }
})

test(
  'config-linux.md#intelrdt [RDT-1c]: closID with a schema makes the class if it is absent, and it stays',
  ONLY,
  async () => {
    const rdt = await resctrl()
    const b = await inClass({ closID: 'gold', l3CacheSchema: 'L3:0=3' })
    const pid = await create(b, rdt)
    deepEqual(tasks(rdt, 'gold'), [pid])
    equal(rdt.read('gold', 'schemata').split('\n')[0], '    L3:0=0003;1=00ff')
    await b.delete({ flags: ['--force'], within: rdt.within })
    deepEqual(rdt.classes(), ['gold'])
  },
)

test('config-linux.md#intelrdt [RDT-1c]: a class that exists is entered, kept and not written', ONLY, async () => {
  const rdt = await resctrl()
  makeClass(rdt, 'gold', 'L3:0=f;1=f0\n')
  const before = rdt.read('gold', 'schemata')
  for (const part of [{}, { l3CacheSchema: 'L3:0=0x0f' }, { schemata: ['MB:0=100;1=100', 'L3:1=f0'] }]) {
    const b = await inClass({ closID: 'gold', ...part })
    const pid = await create(b, rdt)
    ok(tasks(rdt, 'gold').includes(pid))
    equal(rdt.read('gold', 'schemata'), before)
    await b.delete({ flags: ['--force'], within: rdt.within })
  }
  deepEqual(rdt.classes(), ['gold'])
})

test('config-linux.md#intelrdt [RDT-1f]: a class with other schemata MUST be an error', ONLY, async () => {
  const rdt = await resctrl()
  makeClass(rdt, 'gold', 'L3:0=f\n')
  const before = rdt.read('gold', 'schemata')
  const b = await inClass({ closID: 'gold', l3CacheSchema: 'L3:0=ff' })
  await b.refused(/"gold" exists with other schemata than "L3:0=ff".*\/linux\/intelRdt/, { within: rdt.within })
  deepEqual([rdt.read('gold', 'schemata'), rdt.classes()], [before, ['gold']])
})

test(
  'config-linux.md#intelrdt [RDT-1f]: closID alone of a class that does not exist MUST be an error',
  ONLY,
  async () => {
    const rdt = await resctrl()
    const b = await inClass({ closID: 'gold' })
    await b.refused(/"gold" does not exist.*\/linux\/intelRdt\/closID/, { within: rdt.within })
    deepEqual(rdt.classes(), [])
  },
)

test('config-linux.md#intelrdt [RDT-1a]: closID "/" is the default class', ONLY, async () => {
  const rdt = await resctrl()
  const before = rdt.read('schemata')
  const b = await inClass({ closID: '/', enableMonitoring: true })
  const pid = await create(b, rdt)
  deepEqual([tasks(rdt), tasks(rdt, 'mon_groups', b.id)], [[pid], [pid]])
  deepEqual([rdt.classes(), rdt.read('schemata')], [[], before])
  await b.delete({ flags: ['--force'], within: rdt.within })
  equal(rdt.exists('mon_groups', b.id), false)
})

for (const property of ['enableMonitoring', 'enableCMT', 'enableMBM'] as const) {
  test(`config-linux.md#intelrdt [RDT-1d RDT-1c]: ${property} makes a monitoring group, which ends with the container`, {
    ...ONLY,
  }, async () => {
    const rdt = await resctrl()
    makeClass(rdt, 'gold', 'L3:0=f\n')
    const b = await inClass({ closID: 'gold', [property]: true })
    const pid = await create(b, rdt)
    deepEqual(tasks(rdt, 'gold', 'mon_groups', b.id), [pid])
    await b.delete({ flags: ['--force'], within: rdt.within })
    deepEqual([rdt.exists('gold', 'mon_groups', b.id), rdt.classes()], [false, ['gold']])
  })
}

test('config-linux.md#intelrdt [RDT-1d]: a monitoring group that cannot be made MUST be an error', ONLY, async () => {
  const rdt = await resctrl()
  const b = await inClass({ closID: '/', enableMonitoring: true })
  mkdirSync(join(rdt.path, 'mon_groups', b.id))
  const story = new RegExp(`monitoring group .*${b.id}.*EEXIST.*/linux/intelRdt/enableMonitoring`)
  await b.refused(story, { within: rdt.within })
  // It is somebody else's.
  equal(rdt.exists('mon_groups', b.id), true)
})

test(
  'config-linux.md#intelrdt [RDT-1g]: a schema that the kernel refuses is an error in its own words',
  ONLY,
  async () => {
    const rdt = await resctrl()
    for (const closID of ['', 'gold']) {
      const b = await inClass({ closID, schemata: ['L3:0=f', 'L9:0=f'] })
      const story = /schemata.*invalid argument: Unknown or unsupported resource name 'L9'.*\/linux\/intelRdt/
      await b.refused(story, { within: rdt.within })
      deepEqual(rdt.classes(), [])
    }
  },
)

test('config-linux.md#intelrdt [RDT-1g]: no free class is an error', ONLY, async () => {
  const rdt = await resctrl()
  for (const name of ['a', 'b', 'c']) {
    mkdirSync(join(rdt.path, name))
  }
  const b = await inClass({})
  await b.refused(/no free class of service.*ENOSPC.*\/linux\/intelRdt/, { within: rdt.within })
})

test('config-linux.md#intelrdt [GEN-3]: a create that fails later takes its groups away again', ONLY, async () => {
  const rdt = await resctrl()
  for (const closID of ['', 'gold']) {
    const b = await inClass({ closID, schemata: ['L3:0=f'], enableMonitoring: true }, (c) => {
      c.hooks = { createRuntime: [{ path: '/bin/false' }] }
    })
    await b.refused(/\/hooks\/createRuntime\/0/, { within: rdt.within })
    deepEqual(rdt.classes(), [])
  }
})

test('config-linux.md#intelrdt [RDT-1g]: what is no group is an error', ONLY, async () => {
  const rdt = await resctrl()
  const b = await inClass({ closID: 'info' })
  await b.refused(/not a group of resctrl.*\/linux\/intelRdt/, { within: rdt.within })
})

test('config-linux.md#intelrdt [RDT-1e]: without intelRdt the runtime MUST NOT touch resctrl', ONLY, async () => {
  const rdt = await resctrl()
  const b = await bundle((c) => {
    c.process.args = ['/bin/probe', 'pause']
  })
  await create(b, rdt)
  deepEqual([rdt.classes(), rdt.read('tasks')], [[], ''])
})

test('config-linux.md#intelrdt [RDT-1f]: without a mounted resctrl it MUST be an error', {
  peers: { runc: 'ignores it in 1.1', crun: 'ignores closID alone' },
  sometimes: true,
}, async () => {
  requiresThat(!existsSync('/sys/fs/resctrl/schemata'), 'a host without resctrl')
  const b = await inClass({})
  await b.refused(/no resctrl.*\/linux\/intelRdt/)
})

for (const [property, value] of [
  ['closID', '..'],
  ['closID', 'a/b'],
  ['memBwSchema', 'L3:0=f'],
  ['memBwSchema', 'MB:0=20\nMB:1=20'],
] as const) {
  test(`config-linux.md#intelrdt [RDT-1g]: ${property} ${JSON.stringify(value)} is an error`, ONLY, async () => {
    const rdt = await resctrl()
    const b = await inClass({ [property]: value })
    await b.refused(new RegExp(`/linux/intelRdt/${property}`), { within: rdt.within })
    deepEqual(rdt.classes(), [])
  })
}

test('events: cache and bandwidth of the class of service of a container, with the keys of runc', ONLY, async () => {
  const rdt = await resctrl()
  const b = await inClass({ enableMonitoring: true, schemata: ['L3:0=f;1=f'] })
  await create(b, rdt)
  const { stdout } = expectStatus(await b.tryCall('events', { flags: ['--stats'], within: rdt.within }))
  const { data } = JSON.parse(stdout) as { data: { intel_rdt: unknown } }
  deepEqual(data.intel_rdt, {
    l3_cache_info: { cbm_mask: 'ffff', min_cbm_bits: 1, num_closids: 16 },
    l3_cache_schema_root: 'L3:0=00ff;1=00ff',
    l3_cache_schema: 'L3:0=000f;1=000f',
    mem_bw_info: { bandwidth_gran: 10, delay_linear: 1, min_bandwidth: 10, num_closids: 8 },
    mem_bw_schema_root: 'MB:0=100;1=100',
    mem_bw_schema: 'MB:0=100;1=100',
    mbm_stats: [{ mbm_total_bytes: 2048, mbm_local_bytes: 1024 }],
    cmt_stats: [{ llc_occupancy: 8192 }],
  })
  expectStatus(await b.tryCall('delete', { flags: ['--force'], within: rdt.within }))
})
