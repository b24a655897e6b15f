// crun's annotations for a cgroup beneath the scope, and slices by name.
import { bundle, cgroupsNamed, deepEqual, equal, ok, readCgroup, requires, test } from '../../lib'
import { cgroupOf, isLoaded, pathOf, SYSTEMD, scopeBundle, scopeOf, shown, systemctl } from './unit'

const PEERS = { runc: 'has no such annotation' }

test('run.oci.systemd.subgroup: the container is in a cgroup beneath its scope, with its limits', {
  peers: PEERS,
}, async () => {
  requires('root', 'systemd', 'cgroup-v2')
  const b = await scopeBundle((c) => {
    c.annotations = { 'run.oci.systemd.subgroup': 'payload' }
    c.linux.resources.pids = { limit: 33 }
    c.linux.resources.memory = { limit: 104_857_600 }
  })
  b.command(['sleep', '600'])
  await b.create(SYSTEMD)
  await b.start()
  const cgroup = cgroupOf((await b.state()).pid)
  equal(cgroup, `${pathOf(b)}/payload`)
  const files = (): readonly string[] => ['pids.max', 'memory.max'].map((file) => readCgroup('pids', cgroup, file))
  deepEqual(files(), ['33', '104857600'])
  deepEqual(shown(scopeOf(b), 'TasksMax', 'ControlGroup'), { TasksMax: '33', ControlGroup: pathOf(b) })
  const { status, stderr } = await b.tryCall('update', { flags: ['--pids-limit', '20'] })
  equal(status, 0, stderr)
  deepEqual([files()[0], shown(scopeOf(b), 'TasksMax')['TasksMax']], ['20', '20'])
  await b.delete({ flags: ['--force'] })
  ok(!isLoaded(scopeOf(b)), 'the unit is there after delete')
  deepEqual(cgroupsNamed(b.id), [])
})

test('run.oci.delegate-cgroup: beneath the subgroup of a scope', { peers: PEERS }, async () => {
  requires('root', 'systemd', 'cgroup-v2', 'cgroupns')
  const b = await scopeBundle((c) => {
    c.annotations = { 'run.oci.systemd.subgroup': 'payload', 'run.oci.delegate-cgroup': 'init' }
    c.linux.namespaces = [...c.linux.namespaces.filter(({ type }) => type !== 'cgroup'), { type: 'cgroup' }]
  })
  b.command(['sleep', '600'])
  await b.create(SYSTEMD)
  await b.start()
  const { pid } = await b.state()
  equal(cgroupOf(pid), `${pathOf(b)}/payload/init`)
  // The cgroup with the limits is divided: it takes no process any more.
  const [own] = await b.exec({}, ['read', '/proc/self/cgroup'])
  equal(own.data, '0::/init\n')
  await b.delete({ flags: ['--force'] })
  ok(!isLoaded(scopeOf(b)), 'the unit is there after delete')
  deepEqual(cgroupsNamed(b.id), [])
})

test('config-linux.md#cgroups-path [CG-1d]: a name that ends in .slice is that slice, within those of its name', {
  peers: { runc: 'leaves its process where it was', crun: 'makes a scope of that name' },
  sometimes: true,
}, async () => {
  requires('root', 'systemd')
  // A dash would be one more slice.
  const slice = (id: string): string => `tstest-${id.replaceAll('-', '_')}.slice`
  const b = await bundle((c, made) => {
    c.linux.cgroupsPath = `tstest.slice::${slice(made.id)}`
    c.linux.resources.pids = { limit: 33 }
  })
  b.command(['sleep', '600'])
  await b.create(SYSTEMD)
  await b.start()
  equal(cgroupOf((await b.state()).pid), `/tstest.slice/${slice(b.id)}`)
  deepEqual(shown(slice(b.id), 'ActiveState', 'TasksMax'), { ActiveState: 'active', TasksMax: '33' })
  await b.delete({ flags: ['--force'] })
  // systemd loads every slice that it is asked for.
  deepEqual(shown(slice(b.id), 'ActiveState', 'Transient'), { ActiveState: 'inactive', Transient: 'no' })
  deepEqual(cgroupsNamed(b.id.replaceAll('-', '_')), [])
  systemctl('stop', 'tstest.slice')
})

test('config-linux.md#cgroups-path [CG-1d]: "-.slice" is the root', {
  peers: { crun: 'has the process in "container" beneath it' },
}, async () => {
  requires('root', 'systemd')
  const b = await bundle((c, made) => {
    c.linux.cgroupsPath = `-.slice:test:${made.id}`
  })
  b.command(['sleep', '600'])
  await b.create(SYSTEMD)
  equal(cgroupOf((await b.state()).pid), `/${scopeOf(b)}`)
  await b.delete({ flags: ['--force'] })
  deepEqual(cgroupsNamed(b.id), [])
})
