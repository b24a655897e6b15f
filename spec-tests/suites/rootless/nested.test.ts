// Root of a user namespace calls the runtime: a container in a container, a build as a user, `unshare --map-root-user`.
import { readFileSync } from 'node:fs'
import { type Bundle, bundle, type Config, deepEqual, equal, match, requires, type TestOptions, test } from '../../lib'

/** A user namespace in which root is all that there is, and setgroups(2) was given up. */
const within = ['unshare', '--user', '--map-root-user', '--mount'] as const

const made = (change: (c: Config) => void = () => undefined): Promise<Bundle> => {
  requires('root', 'userns')
  return bundle((c) => {
    for (const mount of c.mounts) {
      if (mount.type === 'devpts') mount.options = mount.options?.filter((option) => option !== 'gid=5') ?? []
    }
    change(c)
  })
}

const HERE: TestOptions = { only: ['tsrunc'] }

test('root of a user namespace runs a container: devices of the host, its own terminals, queues and sysfs', async () => {
  const b = await made()
  b.command(['stat', '/dev/null'], ['stat', '/dev/pts/ptmx'], ['read', '/proc/self/mounts'], ['report'])
  const { stdout } = await b.run({ within })
  const [device, ptmx, mounts, report] = b.answers(stdout, [
    ['stat', '/dev/null'],
    ['stat', '/dev/pts/ptmx'],
    ['read', '/proc/self/mounts'],
    ['report'],
  ])
  equal(device.error, '')
  equal(ptmx.error, '')
  match(mounts.data, /^devtmpfs \/dev\/null |^\S+ \/dev\/null /m)
  match(mounts.data, /^mqueue \/dev\/mqueue mqueue /m)
  match(mounts.data, /^sysfs \/sys sysfs ro/m)
  deepEqual(report.uids, [0, 0, 0])
})

test('root of a user namespace: the OOM score can be raised, not lowered', HERE, async () => {
  const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  const b = await made((c) => {
    c.process.oomScoreAdj = 500
  })
  b.command(['report'])
  const { stdout } = await b.run({ within })
  const [report] = b.answers(stdout, [['report']])
  equal(report.oomScoreAdj.trim(), '500')
  const lower = await made((c) => {
    c.process.oomScoreAdj = own - 1
  })
  match(await lower.refused(/oom_score_adj: permission denied/, { within }), /\/process\/oomScoreAdj/)
})

test('root of a user namespace without setgroups: additional groups are refused', HERE, async () => {
  const b = await made((c) => {
    c.process.user = { uid: 0, gid: 0, additionalGids: [7] }
  })
  match(await b.refused(/additional groups cannot be set/, { within }), /\/process\/user\/additionalGids/)
})

test('root of a user namespace makes one in it, which cannot setgroups(2) either', async () => {
  const b = await made((c) => {
    c.linux.namespaces = [...c.linux.namespaces, { type: 'user' }]
    c.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 1 }]
  })
  b.command(['read', '/proc/self/setgroups'], ['read', '/proc/self/uid_map'])
  const { stdout } = await b.run({ within })
  const [groups] = b.answers(stdout, [
    ['read', '/proc/self/setgroups'],
    ['read', '/proc/self/uid_map'],
  ])
  equal(groups.data, 'deny\n')
})

test('root of a user namespace: limits in cgroups that it may write, and exec', async () => {
  const b = await made((c) => {
    c.linux.resources = { pids: { limit: 17 } }
  })
  b.command(['sleep', '60'])
  await b.create({ within })
  await b.start({ within })
  const pid = (await b.state()).pid
  match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), new RegExp(`/${b.id}$`, 'm'))
})
