// mount_namespaces(7), "Restrictions on mount namespaces": what a mount of the host restricts, and what it hides, is kept in
// a user namespace, however much the container's root may do there.
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  doesNotMatch,
  equal,
  includes,
  type Mount,
  mountAt,
  requires,
  sandbox,
  scratch,
  test,
} from '../../lib'

const MS_REMOUNT_BIND = String(32 | 4096)
const CRUN = { peers: { crun: 'opens the source outside of the namespace, where nothing is locked' } }

/** Root of the container, with the right to mount, is an ordinary user of the host. */
const mounting = (mount: Mount): Promise<Bundle> => {
  requires('root', 'userns')
  return bundle((c, b) => {
    c.linux.namespaces.push({ type: 'user' })
    c.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
    const all = ['CAP_SYS_ADMIN']
    c.process.capabilities = { bounding: all, effective: all, permitted: all }
    c.mounts.push(mount)
    execFileSync('chown', ['-R', '100000:100000', b.rootfs])
  })
}

/** A mount of the host with these flags, with a file beneath another mount. */
const restricted = (flags: string): string => {
  const top = scratch('restricted')
  mkdirSync(top)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=777', 'restricted', top])
  mkdirSync(join(top, 'sub'))
  writeFileSync(join(top, 'sub/hidden'), 'hidden')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=777', 'cover', join(top, 'sub')])
  execFileSync('mount', ['-o', `remount,bind,${flags}`, top])
  sandbox().undo.push(() => execFileSync('umount', ['-R', top]))
  return top
}

const bind = (source: string, ...options: string[]): Mount => ({ destination: '/m', type: 'bind', source, options })

test("mount_namespaces(7): the flags of the host's mount cannot be taken off in a user namespace", CRUN, async () => {
  const b = await mounting(bind(restricted('ro,nosuid,nodev'), 'rbind'))
  const [remount, made, { mountinfo }] = await b.probe(
    ['mount', 'none', '/m', 'none', MS_REMOUNT_BIND],
    ['mkdir', '/m/made'],
    ['mounts'],
  )
  equal(remount.error, 'EPERM')
  equal(made.error, 'EROFS')
  for (const word of ['ro', 'nosuid', 'nodev']) {
    includes(mountAt(mountinfo, '/m').options, word)
  }
})

test("mount_namespaces(7): what the host's mounts hide stays hidden in a user namespace", CRUN, async () => {
  const b = await mounting(bind(restricted('rw'), 'rbind'))
  const [umount, hidden] = await b.probe(['umount', '/m/sub'], ['read', '/m/sub/hidden'])
  equal(umount.error, 'EINVAL')
  equal(hidden.error, 'ENOENT')
})

test("mount_namespaces(7): a bind mount that would show what the host's mounts hide is refused, with the remedy", {
  peers: { crun: 'opens the source outside of the namespace, where nothing is locked' },
}, async () => {
  const b = await mounting(bind(restricted('rw'), 'bind'))
  await b.refused(/mount "\/m".*mounts below the source.*rbind.*\(EINVAL\) \(config\.json \/mounts\/6\/source\)/)
})

test('mount_namespaces(7): an option that would take off a flag of the host is refused', {
  peers: { runc: '1.1 leaves it and says nothing', crun: 'takes it off' },
}, async () => {
  const b = await mounting(bind(restricted('ro'), 'rbind', 'rw'))
  await b.refused(/mount "\/m".*the host's mount has flags.*\(EPERM\) \(config\.json \/mounts\/6\/source\)/)
})

test('config.md#mounts [MNT-4c]: the same option where the host has no such flag', async () => {
  const b = await mounting(bind(restricted('rw'), 'rbind', 'rw', 'rprivate'))
  const [made] = await b.probe(['mkdir', '/m/made'])
  equal(made.error, '')
})

test('config.md#mounts [MNT-2a]: a source that only root of the host can reach, in a user namespace', async () => {
  const closed = scratch('closed')
  mkdirSync(join(closed, 'inside'), { recursive: true })
  writeFileSync(join(closed, 'inside/file'), 'content')
  chownSync(closed, 0, 0)
  chmodSync(closed, 0o700)
  const b = await mounting(bind(join(closed, 'inside'), 'rbind'))
  const [file] = await b.probe(['read', '/m/file'])
  equal(file.data, 'content')
})

test('config.md#mounts [MNT-2a]: a source behind a magic link of procfs, in a user namespace', async () => {
  const b = await mounting({ ...bind('/proc/self/ns/net', 'bind'), destination: '/net' })
  const [stat, { mountinfo }] = await b.probe(['stat', '/net'], ['mounts'])
  equal(stat.error, '')
  equal(mountAt(mountinfo, '/net').type, 'nsfs')
  doesNotMatch(b.errors(), /error/)
})
