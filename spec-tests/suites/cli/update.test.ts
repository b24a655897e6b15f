// `update`: new limits for a container that exists, by flags and by JSON; all of them or none.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  cgroupDirectory,
  cgroupVersion,
  deepEqual,
  equal,
  match,
  type Outcome,
  ok,
  readCgroup,
  requires,
  requiresController,
  requiresThat,
  sandbox,
  type TestOptions,
  test,
} from '../../lib'

const MIB = 1 << 20
const v2 = (): boolean => cgroupVersion() === 2

const running = async (): Promise<Bundle> => {
  requiresController('memory', 'pids', 'cpu')
  const b = await bundle()
  b.command(['sleep', '600'])
  await b.create()
  await b.start()
  return b
}

const memory = (b: Bundle): string => readCgroup('memory', b.id, v2() ? 'memory.max' : 'memory.limit_in_bytes')
const pids = (b: Bundle): string => readCgroup('pids', b.id, 'pids.max')
const cpu = (b: Bundle, beneath = ''): string => {
  const of = (file: string): string => readCgroup('cpu', join(b.id, beneath), file)
  return v2() ? of('cpu.max') : `${of('cpu.cfs_quota_us')} ${of('cpu.cfs_period_us')}`
}

const update = (b: Bundle, ...flags: readonly string[]): Promise<Outcome> => b.tryCall('update', { flags })

const updated = async (b: Bundle, ...flags: readonly string[]): Promise<void> => {
  const { status, stderr } = await update(b, ...flags)
  equal(status, 0, stderr)
}

/** By JSON in a file. */
const updateBy = (b: Bundle, resources: unknown): Promise<Outcome> => {
  const file = join(sandbox().directory, 'resources.json')
  writeFileSync(file, typeof resources === 'string' ? resources : JSON.stringify(resources))
  return update(b, '--resources', file)
}

const OURS: TestOptions = { only: ['tsrunc'] }

test('update: flags of memory, swap, processes and CPU time', async () => {
  const b = await running()
  await updated(b, '--memory', String(64 * MIB), '--memory-swap', String(128 * MIB), '--pids-limit', '20')
  await updated(b, '--cpu-quota', '50000', '--cpu-period', '200000')
  deepEqual([memory(b), pids(b), cpu(b)], [String(64 * MIB), '20', '50000 200000'])
})

test('update: what is not given stays', OURS, async () => {
  const b = await running()
  await updated(b, '--cpu-quota', '50000', '--cpu-period', '200000', '--pids-limit', '20')
  await updated(b, '--cpu-quota', '70000')
  equal(cpu(b), '70000 200000')
  await updated(b, '--cpu-period', '100000')
  deepEqual([cpu(b), pids(b)], ['70000 100000', '20'])
})

test('update: memory and swap are raised and lowered in whatever order the kernel takes', {
  peers: { crun: 'writes them in one order on v1' },
  sometimes: true,
}, async () => {
  const b = await running()
  const both = async (limit: number, swap: number): Promise<void> => {
    await updated(b, '--memory', String(limit * MIB), '--memory-swap', String(swap * MIB))
    equal(memory(b), String(limit * MIB))
  }
  await both(64, 96)
  await both(256, 512)
  await both(32, 32)
  await updated(b, '--memory', '-1')
  ok(v2() ? memory(b) === 'max' : Number(memory(b)) > 2 ** 60, memory(b))
})

test('update: memory alone above the limit of both together is an error that says what to raise', OURS, async () => {
  requires('cgroup-v1')
  const b = await running()
  await updated(b, '--memory', String(32 * MIB), '--memory-swap', String(64 * MIB))
  const { status, stderr } = await update(b, '--memory', String(128 * MIB))
  equal(status, 1)
  match(stderr, /limit memory to 134217728 bytes: .* 67108864 bytes: raise that as well .*--memory-swap\) \(--memory\)/)
  equal(memory(b), String(32 * MIB))
})

test('update: the quota and the period shrink and grow together, beneath a cgroup with half of a CPU', {
  peers: { crun: 'writes them in one order on v1' },
  sometimes: true,
}, async () => {
  requiresController('cpu')
  const b = await bundle((c, made) => {
    sandbox().cgroupParents.push(`/${made.id}`)
    c.linux.cgroupsPath = `/${made.id}/beneath`
  })
  b.command(['sleep', '600'])
  await b.create()
  const above = cgroupDirectory('cpu', b.id)
  if (v2()) writeFileSync(join(above, 'cpu.max'), '500000 1000000')
  else {
    writeFileSync(join(above, 'cpu.cfs_period_us'), '1000000')
    writeFileSync(join(above, 'cpu.cfs_quota_us'), '500000')
  }
  // On v1 what the two files say together may never be more than what there is above.
  const both = async (quota: string, period: string): Promise<void> => {
    await updated(b, '--cpu-quota', quota, '--cpu-period', period)
    equal(cpu(b, 'beneath'), `${quota} ${period}`)
  }
  await both('200000', '1000000')
  await both('2000', '10000')
  await both('400000', '1000000')
})

test('update: a quota of -1 is none', {
  peers: { crun: 'takes -1 for no signed number on v1' },
  sometimes: true,
}, async () => {
  const b = await running()
  await updated(b, '--cpu-quota', '900000', '--cpu-period', '1000000')
  await updated(b, '--cpu-quota', '-1')
  match(cpu(b), v2() ? /^max 1000000$/ : /^-1 1000000$/)
})

test('update: JSON of linux.resources in a file and on the standard input', async () => {
  const b = await running()
  equal((await updateBy(b, { memory: { limit: 48 * MIB }, pids: { limit: 9 } })).status, 0)
  deepEqual([memory(b), pids(b)], [String(48 * MIB), '9'])
  const file = join(sandbox().directory, 'stdin.json')
  writeFileSync(file, JSON.stringify({ pids: { limit: 11 }, blockIO: {}, memory: {}, cpu: {} }))
  equal((await b.tryCall('update', { flags: ['--resources', '-'], stdin: file })).status, 0)
  deepEqual([memory(b), pids(b)], [String(48 * MIB), '11'])
})

test('update: all or nothing: a value that is refused leaves the others as they were', OURS, async () => {
  const b = await running()
  await updated(b, '--memory', String(64 * MIB), '--memory-swap', String(64 * MIB), '--cpu-quota', '50000')
  const { status, stderr } = await update(
    b,
    '--memory',
    String(32 * MIB),
    '--cpu-quota',
    '60000',
    '--pids-limit',
    '99999999',
  )
  equal(status, 1)
  match(stderr, /limit processes to 99999999 \(--pids-limit\): value "99999999" for \S*pids\.max is refused: .*EINVAL/)
  deepEqual([memory(b), cpu(b).split(' ')[0]], [String(64 * MIB), '50000'])
})

test('update: what is wrong with the JSON is told with its pointer', OURS, async () => {
  const b = await running()
  const story = async (resources: unknown, expected: RegExp): Promise<void> => {
    const { status, stderr } = await updateBy(b, resources)
    equal(status, 1)
    match(stderr, expected)
  }
  await story({ memory: { limit: 'much' } }, /resources\.json \/memory\/limit: must be an integer .* not "much"/)
  await story('{"pids": {', /resources\.json line 1, column \d+/)
  // cpu.weight has another range: there the nearest is taken, with a warning.
  if (!v2())
    await story({ cpu: { shares: 1 } }, /the minimum allowed cpu-shares is 2 \(\S*resources\.json \/cpu\/shares\)/)
  await story({ blockIO: { weightDevice: [{ major: 8, minor: 0 }] } }, /\/blockIO\/weightDevice\/0: must have weight/)
})

test('update: of a created and of a paused container', async () => {
  requiresController('pids')
  const b = await bundle()
  b.command(['sleep', '600'])
  await b.create()
  await updated(b, '--pids-limit', '21')
  await b.start()
  equal((await b.tryCall('pause')).status, 0)
  await updated(b, '--pids-limit', '22')
  equal((await b.tryCall('resume')).status, 0)
  equal(pids(b), '22')
})

test('update: a stopped container, and one that is not there, are errors', {
  peers: { crun: 'takes limits for a stopped container' },
}, async () => {
  const b = await running()
  await b.kill('KILL')
  await b.reaches('stopped')
  ok((await update(b, '--pids-limit', '21')).status !== 0)
  await b.delete()
  ok((await update(b, '--pids-limit', '21')).status !== 0)
})

test('update: a number that is none, and no limit at all, are errors', OURS, async () => {
  const b = await running()
  match((await update(b, '--pids-limit', 'many')).stderr, /invalid value "many" of --pids-limit: a number/)
  match((await update(b, '--memory', '12 parsecs')).stderr, /invalid value "12 parsecs" of --memory/)
  match((await update(b)).stderr, /no new limit is given/)
  match((await update(b, '-r', '-', '--memory', '1m')).stderr, /--memory cannot be given together with --resources/)
})

/** Of a device without a driver, which is opened from inside: the rules refuse it before the kernel looks for a driver. */
const [REFUSED, ALLOWED] = ['EPERM', 'ENXIO']

test('update: rules for devices take the place of the old ones', OURS, async () => {
  requiresThat(v2() || readCgroup('devices', '/', 'devices.list') !== '', 'the devices controller')
  const b = await bundle((c) => {
    c.linux.devices = [{ path: '/dev/without-driver', type: 'c', major: 4000, minor: 1 }]
    c.linux.resources.devices = [{ allow: false, access: 'rwm' }]
  })
  await b.startIdle()
  const opens = async (): Promise<readonly string[]> => {
    const answers = await b.exec({}, ['open', '/dev/without-driver', 'r'], ['open', '/dev/without-driver', 'w'])
    return answers.map(({ error }) => error)
  }
  const updatedBy = async (resources: unknown): Promise<void> => {
    const { status, stderr } = await updateBy(b, resources)
    equal(status, 0, stderr)
  }
  deepEqual(await opens(), [REFUSED, REFUSED])
  await updatedBy({ devices: [{ allow: true, access: 'rwm' }] })
  if (!v2()) equal(readCgroup('devices', b.id, 'devices.list'), 'a *:* rwm')
  deepEqual(await opens(), [ALLOWED, ALLOWED])
  const device = { allow: true, type: 'c', major: 4000, minor: 1, access: 'r' }
  await updatedBy({ devices: [{ allow: false, access: 'rwm' }, device] })
  deepEqual(await opens(), [ALLOWED, REFUSED])
  // They are written last: a limit that is refused leaves them as they are.
  const bad = { devices: [{ allow: true, access: 'rwm' }], pids: { limit: 99_999_999 } }
  equal((await updateBy(b, bad)).status, 1)
  deepEqual(await opens(), [ALLOWED, REFUSED])
  // Limits of other kinds leave them as they are.
  await updatedBy({ pids: { limit: 30 } })
  deepEqual(await opens(), [ALLOWED, REFUSED])
})

test(
  'update: where the kernel refuses one of several rules for devices, those in force before are back',
  OURS,
  async () => {
    requires('cgroup-v1')
    requiresThat(readCgroup('devices', '/', 'devices.list') !== '', 'the devices controller')
    const minors = [1, 2] as const
    const b = await bundle((c, made) => {
      sandbox().cgroupParents.push(`/${made.id}`)
      c.linux.cgroupsPath = `/${made.id}/beneath`
      c.linux.devices = minors.map((minor) => ({ path: `/dev/number-${minor}`, type: 'c', major: 4000, minor }))
      c.linux.resources.devices = [{ allow: true, access: 'rwm' }]
    })
    await b.startIdle()
    const opens = async (): Promise<readonly string[]> =>
      (await b.exec({}, ['open', '/dev/number-1', 'r'], ['open', '/dev/number-2', 'r'])).map(({ error }) => error)
    const list = (): string => readCgroup('devices', join(b.id, 'beneath'), 'devices.list')
    const none = { allow: false, access: 'rwm' }
    const first = { allow: true, type: 'c', major: 4000, minor: 1, access: 'r' }
    const both = [none, first, { ...first, minor: 2 }]
    const refusedBy = async (devices: unknown): Promise<void> => {
      const { status, stderr } = await updateBy(b, { devices })
      equal(status, 1)
      match(stderr, /devices\.allow.*not permitted/)
    }
    // What a cgroup above denies, nothing beneath may allow by name. "c *:* m" is one of the default devices.
    writeFileSync(join(cgroupDirectory('devices', b.id), 'devices.deny'), 'c 4000:2 rw')
    await refusedBy(both)
    deepEqual([list(), ...(await opens())], ['a *:* rwm', ALLOWED, REFUSED])
    const denied = await updateBy(b, { devices: [none] })
    equal(denied.status, 0, denied.stderr)
    const before = list()
    await refusedBy(both)
    deepEqual([list(), ...(await opens())], [before, REFUSED, REFUSED])
  },
)

test('update: --memory-mode is one of two words', OURS, async () => {
  const b = await running()
  match((await update(b, '--memory', '64m', '--memory-mode', 'gentle')).stderr, /--memory-mode.*plain.*safe/)
})
