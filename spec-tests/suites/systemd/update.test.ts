// `update` of a container whose cgroup is a unit of systemd: the kernel's files and what systemd knows say the same afterwards, or
// both what they said before.
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import {
  type Bundle,
  type Config,
  cgroupVersion,
  deepEqual,
  equal,
  match,
  readCgroup,
  requires,
  runtimeEnvironment,
  scratch,
  test,
} from '../../lib'
import { proxiedBus } from './bus'
import { pathOf, SYSTEMD, scopeBundle, scopeOf, shown, systemctl } from './unit'

const MIB = 1 << 20
const BUS = '/run/dbus/system_bus_socket'
const EXACT = '33300 100000'

const v2 = (): boolean => cgroupVersion() === 2
const memoryName = (): string => (v2() ? 'MemoryMax' : 'MemoryLimit')

const running = async (change: (config: Config) => void, env = runtimeEnvironment()): Promise<Bundle> => {
  requires('root', 'systemd')
  const b = await scopeBundle(change)
  b.command(['sleep', '600'])
  await b.create({ ...SYSTEMD, env })
  await b.start()
  return b
}

const withLimits = (config: Config): void => {
  config.linux.resources.memory = { limit: 128 * MIB }
  config.linux.resources.pids = { limit: 40 }
  config.linux.resources.cpu = { shares: 1024, quota: 50_000, period: 100_000 }
}

/** Memory, processes and CPU time as the kernel has them. */
const files = (b: Bundle): readonly string[] => {
  const of = (controller: string, file: string): string => readCgroup(controller, pathOf(b), file)
  return v2()
    ? [of('memory', 'memory.max'), of('pids', 'pids.max'), of('cpu', 'cpu.max')]
    : [
        of('memory', 'memory.limit_in_bytes'),
        of('pids', 'pids.max'),
        `${of('cpu', 'cpu.cfs_quota_us')} ${of('cpu', 'cpu.cfs_period_us')}`,
      ]
}

/** The same as systemd has them. */
const properties = (b: Bundle): readonly (string | undefined)[] => {
  const names = [memoryName(), 'TasksMax', 'CPUQuotaPerSecUSec']
  const found = shown(scopeOf(b), ...names)
  return names.map((name) => found[name])
}

test('update: systemd knows the new limits, and a daemon-reload keeps them', {
  peers: { crun: 'does not change the quota of a scope in some versions' },
  sometimes: true,
}, async () => {
  const b = await running(withLimits)
  deepEqual(properties(b), [String(128 * MIB), '40', '500ms'])
  const flags = ['--memory', String(64 * MIB), '--pids-limit', '20', '--cpu-quota', '30000', '--cpu-share', '512']
  const { status, stderr } = await b.tryCall('update', { flags })
  equal(status, 0, stderr)
  const expected = [String(64 * MIB), '20', '30000 100000']
  deepEqual(files(b), expected)
  deepEqual(properties(b), [String(64 * MIB), '20', '300ms'])
  const weight = (): string => readCgroup('cpu', pathOf(b), v2() ? 'cpu.weight' : 'cpu.shares')
  const name = v2() ? 'CPUWeight' : 'CPUShares'
  equal(shown(scopeOf(b), name)[name], weight())
  systemctl('daemon-reload')
  deepEqual(files(b), expected)
  equal(shown(scopeOf(b), name)[name], weight())
})

test('update: what it does not name keeps its exact value, which systemd would round', {
  peers: { runc: 'leaves systemd to write the file', crun: 'leaves systemd to write the file' },
  sometimes: true,
}, async () => {
  const updated = async (): Promise<string | undefined> => {
    const b = await running((config) => {
      config.linux.resources.cpu = { quota: 33_300, period: 100_000 }
    })
    const { status, stderr } = await b.tryCall('update', { flags: ['--cpu-share', '512'] })
    equal(status, 0, stderr)
    return files(b)[2]
  }
  // A daemon-reload of another test, at that very moment, makes systemd write what it has.
  const seen: (string | undefined)[] = []
  while (seen.length < 3 && seen.at(-1) !== EXACT) seen.push(await updated())
  equal(seen.at(-1), EXACT, seen.join(', '))
})

test('update: without the bus that create had nothing changes', { only: ['tsrunc'] }, async () => {
  requires('root', 'systemd')
  const path = scratch('bus')
  symlinkSync(BUS, path)
  const b = await scopeBundle((config) => {
    withLimits(config)
    config.linux.devices = [{ path: '/dev/without-driver', type: 'c', major: 4000, minor: 1 }]
    config.linux.resources.devices = [{ allow: false, access: 'rwm' }]
  })
  const env = { ...runtimeEnvironment(), DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${path}` }
  b.command(['sleep', '600'])
  await b.create({ ...SYSTEMD, env })
  await b.start()
  // Opened from inside: the rules refuse it before the kernel looks for a driver.
  const opens = async (): Promise<readonly string[]> => {
    const answers = await b.exec({}, ['open', '/dev/without-driver', 'r'], ['open', '/dev/null', 'w'])
    return answers.map(({ error }) => error)
  }
  const rules = await opens()
  deepEqual(rules, ['EPERM', ''])
  rmSync(path)
  const before = files(b)
  const file = scratch('resources.json')
  const devices = [{ allow: true, access: 'rwm' }]
  writeFileSync(file, JSON.stringify({ memory: { limit: 64 * MIB }, pids: { limit: 20 }, devices }))
  const { status, stderr } = await b.tryCall('update', { flags: ['--resources', file] })
  equal(status, 1)
  match(stderr, /set \w+, TasksMax\b.* of unit test-.*\.scope of systemd: connect .*no such file or directory/)
  deepEqual(files(b), before)
  deepEqual(await opens(), rules)
  deepEqual(properties(b), [String(128 * MIB), '40', '500ms'])
})

test('update: where the answer of systemd is lost, it is told the old limits again', { only: ['tsrunc'] }, async () => {
  requires('root', 'systemd')
  let lost = 0
  const env = proxiedBus((word, from) => {
    if (lost > 0 || from === 'runtime' || word !== 'SetUnitProperties') return 'pass'
    lost += 1
    return 'lose'
  })
  const b = await running(withLimits, env)
  const before = files(b)
  const { status } = await b.tryCall('update', { flags: ['--memory', String(64 * MIB), '--pids-limit', '20'] })
  equal(status, 1)
  equal(lost, 1)
  deepEqual(properties(b), [String(128 * MIB), '40', '500ms'])
  deepEqual(files(b), before)
})

test('update: new rules of devices hold after a daemon-reload, and nothing runs while systemd writes them', {
  only: ['tsrunc'],
}, async () => {
  requires('root', 'systemd', 'cgroup-v1')
  let path = ''
  const states: string[] = []
  const env = proxiedBus((word, from) => {
    // systemd denies all devices before it allows some.
    if (word === 'SetUnitProperties' && from === 'runtime') states.push(readCgroup('freezer', path, 'freezer.state'))
    return 'pass'
  })
  const b = await running(() => undefined, env)
  path = pathOf(b)
  const file = scratch('resources.json')
  const devices = [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 4, minor: 1, access: 'rw' },
  ]
  writeFileSync(file, JSON.stringify({ devices }))
  const { status, stderr } = await b.tryCall('update', { flags: ['--resources', file] })
  equal(status, 0, stderr)
  deepEqual([...states, readCgroup('freezer', path, 'freezer.state')], ['FROZEN', 'THAWED'])
  const list = (): string => readCgroup('devices', path, 'devices.list')
  match(list(), /^c 4:1 rw$/m)
  const before = list()
  systemctl('daemon-reload')
  deepEqual(list().split('\n').sort(), before.split('\n').sort())
})
