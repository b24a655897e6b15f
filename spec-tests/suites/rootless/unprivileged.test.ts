// An ordinary user of the host calls the runtime.
import { cgroupVersion, deepEqual, equal, expectStatus, match, runtime, sandbox, test } from '../../lib'
import { callAs } from '../../lib/sandbox'
import { SUBORDINATE, USER } from '../../lib/unprivileged'
import { made, withRange } from './made'

const numbers = (text: string): number[] => text.trim().split(/\s+/).map(Number)

test('an unprivileged user runs a container with its own id alone', async () => {
  const b = await made()
  const [uids, groups, tty] = await b.probe(
    ['read', '/proc/self/uid_map'],
    ['read', '/proc/self/setgroups'],
    ['stat', '/dev/null'],
  )
  deepEqual(numbers(uids.data), [0, USER.uid, 1])
  equal(groups.data, 'deny\n')
  equal(tty.error, '')
})

test('an unprivileged user runs a container with the ids of newuidmap and newgidmap', {
  peers: { runc: 'refuses additional groups, although newgidmap leaves setgroups(2) allowed' },
}, async () => {
  const b = await made((c) => {
    withRange(c)
    c.process.user = { uid: 5, gid: 6, additionalGids: [7] }
  })
  const [gids, groups] = await b.probe(['read', '/proc/self/gid_map'], ['read', '/proc/self/setgroups'])
  deepEqual(numbers(gids.data), [0, USER.gid, 1, 1, SUBORDINATE.first, SUBORDINATE.count])
  equal(groups.data, 'allow\n')
})

test('an unprivileged user creates, starts, kills and deletes', async () => {
  const b = await made()
  b.command(['sleep', '60'])
  await b.create()
  equal((await b.state()).status, 'created')
  await b.start()
  equal((await b.state()).status, 'running')
  await b.kill('KILL')
  await b.reaches('stopped')
  await b.delete()
})

test('ids that are not in /etc/subuid are refused, and newuidmap is quoted', { only: ['tsrunc'] }, async () => {
  const b = await made(withRange, 'somebody:1:1\n')
  const said = await b.refused(/operation not permitted: it says "newuidmap: uid range/)
  match(said, /\/etc\/subuid/)
  match(said, /\/linux\/uidMappings/)
})

test('newuidmap that is missing is named, with its package', { only: ['tsrunc'] }, async () => {
  const b = await made(withRange)
  const outcome = await b.tryCreate({ within: ['env', 'PATH=/nowhere'] })
  equal(outcome.status, 1)
  match(outcome.stderr, /no such file or directory: several ids need this program of the package uidmap/)
})

test('a gid of a mount option that is not mapped is refused', { only: ['tsrunc'] }, async () => {
  const b = await made((c) => {
    c.mounts.find(({ type }) => type === 'devpts')?.options?.push('gid=5')
  })
  match(await b.refused(/gid 5 of option "gid=5" is in none of the ranges/), /\/mounts\/2\/options\//)
})

test('a limit that an unprivileged user cannot set is refused', { only: ['tsrunc'] }, async () => {
  const b = await made((c) => {
    c.linux.resources = { pids: { limit: 5 } }
  })
  match(await b.refused(/user 47123 may (not )?make cgroups/), /\/linux\/resources\/pids\/limit/)
})

test('--rootless=false: a cgroup that cannot be made is an error', { only: ['tsrunc'] }, async () => {
  const b = await made()
  await b.refused(/make cgroup .*user 47123 may not make cgroups/, { global: ['--rootless=false'] })
})

test("CVE-2023-25809: an unprivileged user's container cannot write to the host's cgroups", async () => {
  const b = await made((c) => {
    c.mounts.push({
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'ro'],
    })
  })
  const hierarchy = cgroupVersion() === 2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/pids'
  const [file] = await b.probe(['mkdir', `${hierarchy}/new`])
  // A runtime may leave a hierarchy out in which the user has no cgroup.
  match(file.error, /EROFS|EACCES|EPERM|ENOENT/)
})

test('the state of containers is in $XDG_RUNTIME_DIR, which nobody else enters', {
  peers: { crun: 'without the sticky bit, by which the directory survives a clean-up (XDG Base Directory)' },
}, async () => {
  const b = await made()
  const path = sandbox().caller?.env['XDG_RUNTIME_DIR'] ?? ''
  expectStatus(await callAs(['run', '--bundle', b.path, b.id]).exited)
  const outcome = expectStatus(await callAs(['list', '--quiet']).exited)
  equal(outcome.stdout, '')
  const { statSync } = await import('node:fs')
  equal(statSync(`${path}/${runtime().name}`).mode & 0o7777, 0o1700)
})
