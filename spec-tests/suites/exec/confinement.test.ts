// `exec`: what confines the container confines the process that comes later: labels, the seccomp filter, the cgroup.
import {
  apparmorEnabled,
  type Bundle,
  bundle,
  cgroupVersion,
  deepEqual,
  equal,
  eventually,
  loadProfile,
  match,
  notEqual,
  readCgroup,
  requires,
  requiresThat,
  type SeccompAgent,
  seccompAgent,
  selinuxEnabled,
  test,
} from '../../lib'

const idle = async (change: Parameters<typeof bundle>[0]): Promise<Bundle> => {
  const b = await bundle(change)
  await b.startIdle()
  return b
}

const CURRENT = ['read', '/proc/self/attr/current'] as const
/** A label as a procfs gives it: the kernel adds a NUL. */
const plain = (text: string): string => text.replace(/[\0\n ]+$/, '')

test('exec: the AppArmor profile is that of the configuration, and with --apparmor another', async () => {
  requires('root', 'apparmor')
  equal(apparmorEnabled(), true)
  const [own, other] = [loadProfile('deny /one r,'), loadProfile('deny /two r,')]
  const b = await idle((c) => {
    c.process.apparmorProfile = own
  })
  b.file('one', '1')
  b.file('two', '2')
  const commands = [CURRENT, ['read', '/one'], ['read', '/two']] as const
  const [label, one, two] = await b.exec({}, ...commands)
  deepEqual([plain(label.data), one.error, two.error], [`${own} (enforce)`, 'EACCES', ''])
  const [label2, one2, two2] = await b.exec({ flags: ['--apparmor', other] }, ...commands)
  deepEqual([plain(label2.data), one2.error, two2.error], [`${other} (enforce)`, '', 'EACCES'])
})

test('exec: an AppArmor profile that is not loaded is refused, and nothing runs', async () => {
  requires('root', 'apparmor')
  const b = await idle(() => undefined)
  const { status, stderr } = await b.tryExec({ flags: ['--apparmor', 'no-such-profile'] }, '/bin/probe', 'echo')
  notEqual(status, 0)
  match(stderr, /no-such-profile/)
})

test('exec: the SELinux label is that of the configuration, and with --process-label another', async () => {
  requires('root', 'selinux')
  equal(selinuxEnabled(), true)
  const label = (level: string): string => `system_u:system_r:container_t:s0:${level}`
  const b = await idle((c) => {
    c.process.selinuxLabel = label('c12,c345')
  })
  const [own] = await b.exec({}, CURRENT)
  equal(plain(own.data), label('c12,c345'))
  const [other] = await b.exec({ flags: ['--process-label', label('c1,c2')] }, CURRENT)
  equal(plain(other.data), label('c1,c2'))
})

const notified = async (agent: SeccompAgent): Promise<Bundle> =>
  idle((c) => {
    c.process.noNewPrivileges = true
    c.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      listenerPath: agent.socket,
      syscalls: [{ names: ['getsid'], action: 'SCMP_ACT_NOTIFY' }],
    }
  })

test('exec: the process has a filter of its own, whose listener is sent with the state of the running container', {
  peers: { crun: 'tells 0 for the pid of the container' },
}, async () => {
  const agent = await seccompAgent()
  const b = await notified(agent)
  await agent.receives()
  const [answer] = await b.exec({}, ['syscall', 'getsid', '0'])
  equal(answer.errno, 0)
  // The agent answers a call before its own output is read here.
  const second = await eventually('the second listener', () => agent.received()[1])
  const { state } = second
  equal(agent.received().length, 2)
  const { pid } = await b.state()
  deepEqual([state.state.id, state.state.status, state.state.pid], [b.id, 'running', pid])
  notEqual(state.pid, pid)
})

test('exec: a filter without notifications kills and refuses as it does in the container', async () => {
  const b = await idle((c) => {
    c.process.noNewPrivileges = true
    c.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['getsid'], action: 'SCMP_ACT_ERRNO', errnoRet: 71 }],
    }
  })
  const [answer] = await b.exec({}, ['syscall', 'getsid', '0'])
  equal(answer.error, 'EPROTO')
})

test('exec: the process is born in the cgroup of the container: a limit of processes that is reached refuses it', async () => {
  requires('root', 'cgroup-v2')
  requiresThat(cgroupVersion() === 2, 'cgroup-v2')
  const b = await idle(() => undefined)
  const { status: set } = await b.tryCall('update', { flags: ['--pids-limit', '1'] })
  equal(set, 0)
  const { status, stderr } = await b.tryExec({}, '/bin/probe', 'echo')
  notEqual(status, 0)
  match(stderr, /clone3?.*(EAGAIN|Resource temporarily unavailable)/i)
  equal(readCgroup('pids', b.id, 'pids.current'), '1')
})
