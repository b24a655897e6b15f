// config-linux.md#cgroup-ownership: who may divide the container's cgroup.
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  type Config,
  cgroupDirectory,
  cgroupVersion,
  deepEqual,
  equal,
  hierarchyOf,
  includes,
  requires,
  requiresController,
  type TestOptions,
  test,
} from '../../lib'

const DELEGATE = '/sys/kernel/cgroup/delegate'
const USUAL = ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads']
const HOST_ID = 100_000

const LATE: TestOptions = {
  peers: { runc: 'with the systemd manager only', crun: 'only with a user namespace' },
}

/** What runc and crun do in a user namespace of root. */
const MAPPED: TestOptions = { peers: { runc: 'with the systemd manager only' }, sometimes: true }

const cgroupMount = (access: 'rw' | 'ro'): Config['mounts'][number] => ({
  destination: '/sys/fs/cgroup',
  type: 'cgroup',
  source: 'cgroup',
  options: [access, 'nosuid', 'noexec', 'nodev'],
})

/** A configuration that has everything that ownership asks for. */
const withOwner =
  (access: 'rw' | 'ro', ...namespaces: readonly ('cgroup' | 'user')[]) =>
  (c: Config) => {
    for (const type of namespaces) c.linux.namespaces.push({ type })
    if (namespaces.includes('user')) {
      c.linux.uidMappings = [{ containerID: 0, hostID: HOST_ID, size: 65_536 }]
      c.linux.gidMappings = [{ containerID: 0, hostID: HOST_ID, size: 65_536 }]
    }
    c.mounts = [...c.mounts.filter(({ destination }) => destination !== '/sys/fs/cgroup'), cgroupMount(access)]
  }

/** The names in the container's cgroup, `.` included, that belong to this user of the host. */
const ownedBy = (b: Bundle, uid: number): string[] => {
  const directory = cgroupDirectory('pids', b.id)
  return ['.', ...readdirSync(directory)].filter((name) => statSync(join(directory, name)).uid === uid).sort()
}

/** The directory and the files of it that the kernel says are for the delegate. */
const delegated = (b: Bundle): string[] => {
  const names = existsSync(DELEGATE) ? readFileSync(DELEGATE, 'utf8').trim().split('\n') : USUAL
  return ['.', ...names.filter((name) => existsSync(join(cgroupDirectory('pids', b.id), name)))].sort()
}

const created = async (change: (c: Config) => void): Promise<Bundle> => {
  const b = await bundle(change)
  b.command(['sleep', '30'])
  await b.create()
  return b
}

test(
  'config-linux.md#cgroup-ownership [CG-3a CG-3b]: with a user namespace, directory and delegated files belong to its root, and nothing else',
  MAPPED,
  async () => {
    requires('cgroup-v2', 'userns')
    const b = await created(withOwner('rw', 'cgroup', 'user'))
    deepEqual(ownedBy(b, HOST_ID), delegated(b))
    includes(delegated(b), 'cgroup.procs')
  },
)

test(
  'config-linux.md#cgroup-ownership [CG-3a]: the owner is the user of the process, as the host knows it',
  LATE,
  async () => {
    requires('cgroup-v2', 'userns')
    const b = await created((c) => {
      withOwner('rw', 'cgroup', 'user')(c)
      c.process.user = { uid: 1000, gid: 1000 }
    })
    deepEqual(ownedBy(b, HOST_ID + 1000), delegated(b))
  },
)

test('config-linux.md#cgroup-ownership [CG-3a]: without a user namespace it is the same user', LATE, async () => {
  requires('cgroup-v2')
  const b = await created((c) => {
    withOwner('rw', 'cgroup')(c)
    c.process.user = { uid: 1000, gid: 1000 }
  })
  deepEqual(ownedBy(b, 1000), delegated(b))
})

test('config-linux.md#cgroup-ownership [CG-3a]: the container can make cgroups in its own', MAPPED, async () => {
  requires('cgroup-v2', 'userns')
  const b = await bundle(withOwner('rw', 'cgroup', 'user'))
  const [stat, made, moved] = await b.probe(
    ['stat', '/sys/fs/cgroup'],
    ['mkdir', '/sys/fs/cgroup/mine'],
    ['write', '/sys/fs/cgroup/mine/cgroup.procs', '0'],
  )
  deepEqual([stat.uid, made.error, moved.error], [0, '', ''])
})

test('config-linux.md#cgroup-ownership [CG-3b]: limits stay with the host', MAPPED, async () => {
  requires('cgroup-v2', 'userns')
  const b = await bundle((c) => {
    withOwner('rw', 'cgroup', 'user')(c)
    c.linux.resources.pids = { limit: 100 }
  })
  const [write] = await b.probe(['write', '/sys/fs/cgroup/pids.max', 'max'])
  equal(write.error, 'EACCES')
})

const withoutMount = (c: Config): void => {
  withOwner('rw', 'cgroup', 'user')(c)
  c.mounts = c.mounts.filter(({ destination }) => destination !== '/sys/fs/cgroup')
}

for (const [why, change] of [
  ['a read-only mount', withOwner('ro', 'cgroup', 'user')],
  ['the cgroup namespace of the host', withOwner('rw', 'user')],
  ['no mount of cgroups', withoutMount],
] as const) {
  test(`config-linux.md#cgroup-ownership [CG-3c]: ${why}: no owner is changed`, {
    peers: { crun: 'looks at the user namespace alone' },
    sometimes: true,
  }, async () => {
    requires('cgroup-v2', 'userns')
    deepEqual(ownedBy(await created(change), HOST_ID), [])
  })
}

test('config-linux.md#cgroup-ownership [CG-3c]: on v1 no owner is changed', async () => {
  requires('cgroup-v1', 'userns')
  requiresController('pids')
  const b = await created(withOwner('rw', 'cgroup', 'user'))
  deepEqual(ownedBy(b, HOST_ID), [])
})

test('a cgroup that was there before keeps its owner', { only: ['tsrunc'] }, async () => {
  requires('cgroup-v2', 'userns')
  requiresController('pids')
  const b = await bundle(withOwner('rw', 'cgroup', 'user'))
  const directory = cgroupDirectory('pids', b.id)
  mkdirSync(directory)
  chownSync(directory, 7, 7)
  b.command(['sleep', '30'])
  await b.create()
  equal(statSync(directory).uid, 7)
  await b.delete({ flags: ['--force'] })
  rmdirSync(directory)
})

test('the cgroup of an owner is gone after delete, with what the container made in it', MAPPED, async () => {
  requires('cgroup-v2', 'userns')
  const b = await bundle(withOwner('rw', 'cgroup', 'user'))
  await b.probe(
    ['mkdir', '/sys/fs/cgroup/mine'],
    ['mkdir', '/sys/fs/cgroup/mine/deeper'],
    ['write', '/sys/fs/cgroup/mine/deeper/cgroup.procs', '0'],
  )
  equal(cgroupVersion(), 2)
  equal(existsSync(join(hierarchyOf('pids')?.mount ?? '', b.id)), false)
})
