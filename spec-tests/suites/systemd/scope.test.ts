// The manager systemd: a container's cgroup is a unit. The specification leaves cgroupsPath to the runtime; the form of it is that
// of runc (docs/systemd.md), which engines write.
import { rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import {
  type Bundle,
  bundle,
  cgroupsNamed,
  deepEqual,
  equal,
  eventually,
  match,
  ok,
  readCgroup,
  requires,
  runtimeEnvironment,
  sandbox,
  scratch,
  test,
} from '../../lib'
import { cgroupOf, isLoaded, pathOf, SYSTEMD, scopeBundle, scopeOf, shown, systemctl } from './unit'

const running = async (b: Bundle): Promise<number> => {
  b.command(['sleep', '600'])
  await b.create(SYSTEMD)
  await b.start()
  return (await b.state()).pid
}

test('config-linux.md#cgroups-path [CG-1d]: slice:prefix:name is the scope prefix-name.scope of the slice', {
  peers: { crun: 'has the process in "container" beneath it' },
  sometimes: true,
}, async () => {
  requires('root', 'systemd')
  const b = await scopeBundle()
  const pid = await running(b)
  equal(cgroupOf(pid), pathOf(b))
  const unit = shown(scopeOf(b), 'ActiveState', 'Slice', 'Delegate', 'ControlGroup', 'MemoryAccounting')
  deepEqual(unit, {
    ActiveState: 'active',
    Slice: 'system.slice',
    Delegate: 'yes',
    ControlGroup: pathOf(b),
    MemoryAccounting: 'yes',
  })
  await b.delete({ flags: ['--force'] })
  ok(!isLoaded(scopeOf(b)), 'the unit is there after delete')
  deepEqual(cgroupsNamed(b.id), [])
})

test('config-linux.md#cgroups-path [CG-1d]: dashes of a slice nest, and an empty prefix is none', {
  peers: { runc: 'puts a dash before the name', crun: 'has the process in "container" beneath it' },
  sometimes: true,
}, async () => {
  requires('root', 'systemd')
  const b = await bundle((c, made) => {
    c.linux.cgroupsPath = `tstest-inner.slice::${made.id}`
  })
  equal(cgroupOf(await running(b)), `/tstest.slice/tstest-inner.slice/${b.id}.scope`)
  await b.delete({ flags: ['--force'] })
  systemctl('stop', 'tstest.slice')
})

test('config-linux.md#cgroups-path [CG-1b]: without a path the scope has the name of the container', async () => {
  requires('root', 'systemd')
  const b = await bundle((c) => {
    delete (c.linux as { cgroupsPath?: string }).cgroupsPath
  })
  match(cgroupOf(await running(b)), new RegExp(`^/system.slice/\\w+-${b.id}\\.scope(/|$)`))
  await b.delete({ flags: ['--force'] })
})

test('config-linux.md#cgroups-path [CG-1c]: a path of another form is refused', async () => {
  requires('root', 'systemd')
  const b = await bundle()
  await b.refused(/expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups/, SYSTEMD)
})

test('config-linux.md#cgroups-path [CG-1c]: a slice with an impossible name is refused', async () => {
  requires('root', 'systemd')
  const b = await bundle((c, made) => {
    c.linux.cgroupsPath = `a--b.slice:test:${made.id}`
  })
  await b.refused(/invalid slice name: a--b\.slice/, SYSTEMD)
})

test('config-linux.md#cgroups-path [CG-1d]: limits are properties of the unit, and a daemon-reload changes nothing', async () => {
  requires('root', 'systemd', 'cgroup-v2')
  const b = await scopeBundle((c) => {
    c.linux.resources.memory = { limit: 104_857_600, reservation: 52_428_800 }
    c.linux.resources.cpu = { shares: 512, quota: 50_000, period: 100_000, cpus: '0' }
    c.linux.resources.pids = { limit: 33 }
  })
  await running(b)
  const names = ['MemoryMax', 'MemoryLow', 'TasksMax', 'CPUQuotaPerSecUSec', 'AllowedCPUs']
  deepEqual(shown(scopeOf(b), ...names), {
    MemoryMax: '104857600',
    MemoryLow: '52428800',
    TasksMax: '33',
    CPUQuotaPerSecUSec: '500ms',
    AllowedCPUs: '0',
  })
  const files = (): string[] =>
    ['memory.max', 'memory.low', 'pids.max', 'cpu.max', 'cpuset.cpus'].map((file) =>
      readCgroup('memory', cgroupOf(pid), file),
    )
  const { pid } = await b.state()
  const before = files()
  deepEqual(before, ['104857600', '52428800', '33', '50000 100000', '0'])
  systemctl('daemon-reload')
  deepEqual(files(), before)
  await b.delete({ flags: ['--force'] })
})

test('config-linux.md#allowed-device-list [CG-4a]: the rules of devices hold after a daemon-reload', async () => {
  requires('root', 'systemd')
  const b = await scopeBundle((c) => {
    c.process.capabilities = { bounding: ['CAP_MKNOD'], effective: ['CAP_MKNOD'], permitted: ['CAP_MKNOD'] }
    // /dev/tty1 may be used, /dev/mem not.
    c.linux.resources.devices = [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 4, minor: 1, access: 'rwm' },
    ]
  })
  const commands = [
    ['await', '/go'],
    ['mknod', '/dev/own-tty', 'c', '4', '1'],
    ['mknod', '/dev/own-mem', 'c', '1', '1'],
    ['open', '/dev/own-tty', 'r'],
    ['open', '/dev/own-mem', 'r'],
    ['open', '/dev/null', 'w'],
  ] as const
  b.command(...commands)
  await b.create(SYSTEMD)
  await b.start()
  systemctl('daemon-reload')
  b.file('go', '')
  await b.reaches('stopped')
  const [, , , tty, mem, nul] = b.answers(b.output(), commands)
  deepEqual([tty.error, mem.error, nul.error], ['', 'EPERM', ''])
})

test('an annotation org.systemd.property.NAME is a property of the unit', async () => {
  requires('root', 'systemd')
  const b = await scopeBundle((c) => {
    c.annotations = { 'org.systemd.property.TimeoutStopUSec': 'uint64 7000000' }
  })
  await running(b)
  equal(shown(scopeOf(b), 'TimeoutStopUSec')['TimeoutStopUSec'], '7s')
  await b.delete({ flags: ['--force'] })
})

test('a property that systemd does not know is refused, and nothing is left', { only: ['tsrunc'] }, async () => {
  requires('root', 'systemd')
  const b = await scopeBundle((c) => {
    c.annotations = { 'org.systemd.property.NoSuchProperty': 'true' }
  })
  await b.refused(/start unit .* of systemd: systemd refuses StartTransientUnit .*NoSuchProperty/, SYSTEMD)
  ok(!isLoaded(scopeOf(b)), 'the unit is there')
})

test('a unit of the same name is refused, and is not touched', { only: ['tsrunc'] }, async () => {
  requires('root', 'systemd')
  const first = await scopeBundle()
  const pid = await running(first)
  const second = await bundle((c) => {
    c.linux.cgroupsPath = `system.slice:test:${first.id}`
  })
  await second.refused(/already (loaded|exists)/, SYSTEMD)
  equal(cgroupOf(pid), pathOf(first))
  equal((await first.state()).status, 'running')
  await first.delete({ flags: ['--force'] })
})

test('delete leaves a unit alone that has the name by now', { only: ['tsrunc'] }, async () => {
  requires('root', 'systemd')
  const first = await scopeBundle()
  first.command(['echo', 'x'])
  await first.create(SYSTEMD)
  await first.start()
  await first.reaches('stopped')
  await eventually('the end of the unit', () => (isLoaded(scopeOf(first)) ? undefined : true))
  const second = await bundle((c) => {
    c.linux.cgroupsPath = `system.slice:test:${first.id}`
  })
  const pid = await running(second)
  await first.delete()
  equal((await second.state()).status, 'running')
  equal(cgroupOf(pid), pathOf(first))
  await second.delete({ flags: ['--force'] })
  deepEqual(cgroupsNamed(first.id), [])
})

test('systemctl stop ends the container', async () => {
  requires('root', 'systemd')
  const b = await scopeBundle()
  await running(b)
  systemctl('kill', '--signal=KILL', scopeOf(b))
  await b.reaches('stopped')
  await b.delete()
  ok(!isLoaded(scopeOf(b)), 'the unit is there after delete')
})

test('a container in a scope is paused, resumed and killed', async () => {
  requires('root', 'systemd')
  const b = await scopeBundle()
  await running(b)
  equal((await b.tryCall('pause')).status, 0)
  equal((await b.state()).status, 'paused')
  equal((await b.tryCall('resume')).status, 0)
  equal((await b.state()).status, 'running')
  await b.kill('KILL')
  await b.reaches('stopped')
  await b.delete()
})

test('a create that fails stops the unit', async () => {
  requires('root', 'systemd')
  const b = await scopeBundle((c) => {
    c.hooks = { createRuntime: [{ path: '/bin/false' }] }
  })
  await b.refused(/\/bin\/false/, SYSTEMD)
  ok(!isLoaded(scopeOf(b)), 'the unit is there')
})

test('a bus that does not answer is an error that says so', { only: ['tsrunc'] }, async () => {
  requires('root', 'systemd')
  const path = scratch('bus')
  const server = createServer().listen(path)
  sandbox().undo.push(() => {
    server.close()
  })
  const b = await scopeBundle()
  const env = {
    ...runtimeEnvironment(),
    DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${path}`,
    SYSTEMD_BUS_TIMEOUT: '1',
  }
  const story = await b.refused(/the bus did not answer the authentication on .* within 1 s/, { ...SYSTEMD, env })
  ok(story.includes(path), story)
})

test('delete works without the bus that create had', { only: ['tsrunc'] }, async () => {
  requires('root', 'systemd')
  const path = scratch('bus')
  symlinkSync('/run/dbus/system_bus_socket', path)
  const b = await scopeBundle()
  b.command(['sleep', '600'])
  await b.create({ ...SYSTEMD, env: { ...runtimeEnvironment(), DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${path}` } })
  rmSync(path)
  const { stderr } = await b.delete({ flags: ['--force'] })
  match(stderr, /unit .* is left to systemd: connect .*no such file or directory/)
  deepEqual(cgroupsNamed(b.id), [])
})
