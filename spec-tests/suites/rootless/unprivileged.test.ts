// An ordinary user of the host calls the runtime.
import {
  type Bundle,
  bundle,
  type Config,
  deepEqual,
  equal,
  expectStatus,
  match,
  requires,
  runtime,
  sandbox,
  test,
} from '../../lib'
import { callAs } from '../../lib/sandbox'
import { becomeUser, SUBORDINATE, USER } from '../../lib/unprivileged'

const ONE_ID = {
  uids: [{ containerID: 0, hostID: USER.uid, size: 1 }],
  gids: [{ containerID: 0, hostID: USER.gid, size: 1 }],
}

const RANGE = { containerID: 1, hostID: SUBORDINATE.first, size: SUBORDINATE.count }

/** What `spec --rootless` does to a configuration. */
const rootless = (c: Config): void => {
  c.linux.namespaces = [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, { type: 'user' }]
  c.linux.uidMappings = [...ONE_ID.uids]
  c.linux.gidMappings = [...ONE_ID.gids]
  delete (c.linux as { resources?: unknown }).resources
  delete (c.linux as { cgroupsPath?: unknown }).cgroupsPath
  for (const mount of c.mounts) {
    if (mount.type === 'devpts') mount.options = mount.options?.filter((option) => option !== 'gid=5') ?? []
    if (mount.type === 'sysfs') {
      mount.type = 'none'
      mount.source = '/sys'
      mount.options = ['rbind', 'nosuid', 'noexec', 'nodev', 'ro']
    }
  }
}

const made = (change: (c: Config) => void = () => undefined, ranges?: string): Promise<Bundle> => {
  requires('root', 'userns')
  becomeUser(ranges)
  return bundle((c) => {
    rootless(c)
    change(c)
  })
}

const withRange = (c: Config): void => {
  c.linux.uidMappings = [...ONE_ID.uids, RANGE]
  c.linux.gidMappings = [...ONE_ID.gids, RANGE]
}

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

test('an unprivileged user runs a container with the ids of newuidmap and newgidmap', async () => {
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
  const [file] = await b.probe(['mkdir', '/sys/fs/cgroup/new'])
  match(file.error, /EROFS|EACCES|EPERM/)
})

test('the state of containers is in $XDG_RUNTIME_DIR, which nobody else enters', async () => {
  const b = await made()
  const path = sandbox().caller?.env['XDG_RUNTIME_DIR'] ?? ''
  expectStatus(await callAs(['run', '--bundle', b.path, b.id]).exited)
  const outcome = expectStatus(await callAs(['list', '--quiet']).exited)
  equal(outcome.stdout, '')
  const { statSync } = await import('node:fs')
  equal(statSync(`${path}/${runtime().name}`).mode & 0o7777, 0o1700)
})
