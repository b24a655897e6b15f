// config-linux.md "Seccomp": SCMP_ACT_NOTIFY, listenerPath, listenerMetadata and the container process state.

import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  type Config,
  consoleSocket,
  deepEqual,
  equal,
  match,
  ok,
  outerFilters,
  runtimeEnvironment,
  type Seccomp,
  type SeccompAgent,
  scratch,
  seccompAgent,
  type TestOptions,
  test,
} from '../../lib'

// System calls that the probe makes only when it is told to, by their number on x86-64.
const UMASK = 95
const GETSID = 124
const EPROTO = 71

const notify = (listenerPath: string, ...names: string[]): Seccomp => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  listenerPath,
  syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }],
})

const under = (agent: SeccompAgent, change: (config: Config, bundle: Bundle) => void = () => undefined) =>
  bundle((c, b) => {
    c.linux.seccomp = notify(agent.socket, 'umask', 'getsid')
    c.process.noNewPrivileges = true
    change(c, b)
  })

const late: TestOptions = { peers: { crun: 'loads the filter at start, when noNewPrivileges is set' } }

test('config-linux.md#seccomp [SEC-6b SEC-7]: the container process state is sent at create', late, async () => {
  const agent = await seccompAgent()
  const b = await under(agent, (c) => {
    c.annotations = { 'com.example.key': 'value "quoted"' }
    if (c.linux.seccomp !== undefined) c.linux.seccomp.listenerMetadata = 'for the agent \u00e4'
  })
  b.command(['pause'])
  await b.create()
  const { state, text } = await agent.receives()
  const { pid } = await b.state()
  deepEqual(Object.keys(state).sort(), ['fds', 'metadata', 'ociVersion', 'pid', 'state'])
  match(state.ociVersion, /^1\.\d+\.\d+/)
  deepEqual([state.fds, state.pid, state.metadata], [['seccompFd'], pid, 'for the agent \u00e4'])
  const { ociVersion, id, status, pid: inner, bundle: path, annotations } = state.state
  match(ociVersion, /^1\.0\.2/)
  deepEqual([id, status, inner, path], [b.id, 'creating', pid, b.path])
  deepEqual(annotations, { 'com.example.key': 'value "quoted"' })
  equal(agent.received().length, 1, text)
})

test('config-linux.md#seccomp [SEC-6a]: exactly one message with the descriptor at its start, then the connection ends', async () => {
  const agent = await seccompAgent()
  const b = await under(agent)
  await b.probe(['syscall', 'getsid', '0'])
  const { firstDescriptors, descriptors, text } = await agent.receives()
  deepEqual([firstDescriptors, descriptors], [1, 1])
  equal(text.trim().startsWith('{"') || text.trim().startsWith('{\n'), true)
  equal(agent.received().length, 1)
})

test('config-linux.md#seccomp [SEC-6b]: without listenerMetadata the state has none', async () => {
  const agent = await seccompAgent()
  await (await under(agent)).probe(['syscall', 'getsid', '0'])
  equal('metadata' in (await agent.receives()).state, false)
})

test('config-linux.md#seccomp [SEC-6a]: SCMP_ACT_NOTIFY asks the listener, which may answer or let the call go on', async () => {
  const agent = await seccompAgent({ [GETSID]: EPROTO })
  const b = await under(agent)
  const [refused, through] = await b.probe(['syscall', 'getsid', '0'], ['syscall', 'umask', '18'])
  deepEqual([refused.error, through.error], ['EPROTO', ''])
  const calls = agent.notifications().filter(({ number }) => number === GETSID || number === UMASK)
  ok(calls.some(({ number, firstArgument }) => number === UMASK && firstArgument === '18'))
  ok(calls.some(({ number }) => number === GETSID))
})

test('config-linux.md#seccomp [SEC-6a]: a listener may answer with success without a call', async () => {
  const agent = await seccompAgent({ [GETSID]: 0 })
  const [call] = await (await under(agent)).probe(['syscall', 'getsid', '0'])
  deepEqual([call.error, call.result], ['', 0])
})

for (const noNewPrivileges of [true, false]) {
  for (const uid of [0, 1000]) {
    test(`config-linux.md#seccomp [SEC-6a SEC-10]: a listener with noNewPrivileges ${noNewPrivileges}, for user ${uid}`, async () => {
      const agent = await seccompAgent({ [GETSID]: EPROTO })
      const b = await under(agent, (c) => {
        c.process.noNewPrivileges = noNewPrivileges
        c.process.user = { uid, gid: uid }
      })
      const [call, report] = await b.probe(['syscall', 'getsid', '0'], ['report'])
      deepEqual([call.error, report.noNewPrivileges, report.uids[0]], ['EPROTO', noNewPrivileges, uid])
      deepEqual([report.seccomp, report.seccompFilters], [2, String(outerFilters() + 1)])
      // CAP_SYS_ADMIN is what loading the filter may need, and no more.
      equal(report.capabilities.permitted.includes(21), false)
      match(report.fds.map(({ target }) => target).join(' '), /^(?!.*seccomp)/)
    })
  }
}

test('config-linux.md#seccomp [SEC-6a]: a listener in a user namespace, for another user than its root', async () => {
  const agent = await seccompAgent({ [GETSID]: EPROTO })
  const b = await under(agent, (c) => {
    c.linux.namespaces.push({ type: 'user' })
    c.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
    c.process.user = { uid: 1000, gid: 1000 }
  })
  const [call] = await b.probe(['syscall', 'getsid', '0'])
  equal(call.error, 'EPROTO')
})

test('config-linux.md#seccomp [SEC-10]: after start the mask and the working directory are the configured ones', async () => {
  const agent = await seccompAgent()
  const b = await under(agent, (c) => {
    c.process.user = { uid: 0, gid: 0, umask: 0o27 }
    c.process.cwd = '/tmp'
  })
  const [report] = await b.probe(['report'])
  deepEqual([report.umask, report.cwd], [0o27, '/tmp'])
})

// What the runtime itself calls between loading the filter and the program's first instruction may be notified, for the
// listener is in the agent's hands by then.
for (const name of [
  'sendmsg',
  'recvmsg',
  'read',
  'close',
  'prctl',
  'execve',
  'capset',
  'close_range',
  'futex',
  'clone',
]) {
  test(`config-linux.md#seccomp [SEC-10]: SCMP_ACT_NOTIFY for ${name} does not block the runtime`, async () => {
    const agent = await seccompAgent()
    const b = await under(agent, (c) => {
      c.linux.seccomp = notify(agent.socket, name)
    })
    const [answer] = await b.probe(['echo', 'done'])
    deepEqual(answer.words, ['done'])
  })
}

test('config-linux.md#seccomp [SEC-6d]: without SCMP_ACT_NOTIFY listenerPath is ignored', {
  peers: { crun: 'connects all the same' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.seccomp = { ...notify('/nonexistent/agent.sock'), syscalls: [], listenerMetadata: 'ignored' }
  })
  const [report] = await b.probe(['report'])
  equal(report.seccomp, 2)
})

test('config-linux.md#seccomp [SEC-6a]: a path that is longer than an address', {
  peers: { runc: 'takes no path above 107 bytes' },
}, async () => {
  const agent = await seccompAgent({ [GETSID]: EPROTO })
  const directory = scratch('x'.repeat(120))
  mkdirSync(directory)
  const path = join(directory, 'agent.sock')
  renameSync(agent.socket, path)
  const b = await under(agent, (c) => {
    c.linux.seccomp = notify(path, 'getsid')
  })
  const [call] = await b.probe(['syscall', 'getsid', '0'])
  equal(call.error, 'EPROTO')
})

test('config-linux.md#seccomp [SEC-6a SEC-7]: a state of a megabyte arrives whole', late, async () => {
  const agent = await seccompAgent()
  const large = 'x'.repeat(1_000_000)
  const b = await under(agent, (c) => {
    c.annotations = { large }
  })
  b.command(['pause'])
  await b.create()
  const { state, descriptors } = await agent.receives()
  deepEqual([state.state.annotations?.['large']?.length, descriptors], [large.length, 1])
})

test('config-linux.md#seccomp [SEC-6a]: with a terminal the console and the listener both arrive', async () => {
  const agent = await seccompAgent({ [GETSID]: EPROTO })
  const terminal = await consoleSocket()
  const b = await under(agent, (c) => {
    c.process.terminal = true
  })
  b.command(['syscall', 'getsid', '0'])
  await b.create({ flags: ['--console-socket', terminal.socket] })
  await b.start()
  await terminal.sees(/EPROTO/)
})

test('config-linux.md#seccomp [SEC-10]: hooks run', async () => {
  const agent = await seccompAgent()
  const b = await under(agent, (c, b) => {
    c.root.readonly = false
    c.hooks = {
      startContainer: [b.hook('startContainer', 'startContainer')],
      poststart: [b.hook('poststart', 'poststart')],
    }
  })
  await b.probe(['echo', 'x'])
  // runc runs them at the same time.
  deepEqual(
    b
      .hookLines()
      .map(({ hook }) => hook)
      .sort(),
    ['poststart', 'startContainer'],
  )
})

test('seccomp: after create the process has one thread', { only: ['tsrunc'] }, async () => {
  const agent = await seccompAgent()
  const b = await under(agent)
  b.command(['pause'])
  await b.create()
  const { pid } = await b.state()
  // The thread that hands the listener over may be at its very end.
  for (let round = 0; round < 50 && readdirSync(`/proc/${pid}/task`).length > 1; round++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  equal(readdirSync(`/proc/${pid}/task`).length, 1)
})

test('config-linux.md#seccomp [SEC-6a]: delete of a created container ends the listener', late, async () => {
  const agent = await seccompAgent()
  const b = await under(agent)
  b.command(['pause'])
  await b.create()
  await agent.receives()
  await b.delete({ flags: ['--force'] })
  await agent.hungUp()
})

for (const flag of ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']) {
  const peers: TestOptions = {
    peers: { runc: '1.1 refuses all flags', crun: 'the kernel refuses some' },
    sometimes: true,
  }
  test(`config-linux.md#seccomp [SEC-4a SEC-6a]: SCMP_ACT_NOTIFY with flag ${flag}`, peers, async () => {
    const agent = await seccompAgent({ [GETSID]: EPROTO })
    const b = await under(agent, (c) => {
      c.linux.seccomp = { ...notify(agent.socket, 'getsid'), flags: [flag] }
    })
    const [call] = await b.probe(['syscall', 'getsid', '0'])
    equal(call.error, 'EPROTO')
  })
}

test('config-linux.md#seccomp [SEC-5a SEC-6a]: an argument may decide whether the listener is asked', async () => {
  const agent = await seccompAgent({ [UMASK]: EPROTO })
  const b = await under(agent, (c) => {
    c.linux.seccomp = {
      ...notify(agent.socket),
      syscalls: [{ names: ['umask'], action: 'SCMP_ACT_NOTIFY', args: [{ index: 0, value: 5, op: 'SCMP_CMP_EQ' }] }],
    }
  })
  const calls = await b.probe(['syscall', 'umask', '5'], ['syscall', 'umask', '6'])
  deepEqual(
    calls.map(({ error }) => error),
    ['EPROTO', ''],
  )
})

// Where nobody listens, create fails and nothing is left.

const refused = async (path: string, story: RegExp): Promise<void> => {
  const b = await bundle((c) => {
    c.linux.seccomp = notify(path, 'getsid')
  })
  await b.refused(story)
}

test('config-linux.md#seccomp [SEC-6c]: if sending fails the runtime MUST generate an error: no socket', async () => {
  const path = scratch('nobody.sock')
  await refused(path, new RegExp(`seccomp listener.*${path}.*no such file or directory.*/linux/seccomp/listenerPath`))
})

test('config-linux.md#seccomp [SEC-6c]: if sending fails the runtime MUST generate an error: no socket but a file', async () => {
  const path = scratch('file')
  writeFileSync(path, '')
  await refused(path, /connection refused.*\/linux\/seccomp\/listenerPath/)
})

test('config-linux.md#seccomp [SEC-6c]: if sending fails the runtime MUST generate an error: nobody listens any more', async () => {
  const path = scratch('stale.sock')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(path, resolve))
  renameSync(path, `${path}.kept`)
  await new Promise((resolve) => server.close(resolve))
  await refused(`${path}.kept`, /connection refused/)
})

// What cannot be (config-linux.md "Seccomp", and runc's restrictions).

test('config-linux.md#seccomp [SEC-8]: SCMP_ACT_NOTIFY without listenerPath is an error', {
  peers: { crun: 'takes it' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['getsid'], action: 'SCMP_ACT_NOTIFY' }] }
  })
  await b.refused(/listenerPath.*\/linux\/seccomp\/syscalls\/0\/action/)
})

test('config-linux.md#seccomp [SEC-6e]: listenerMetadata without listenerPath MUST be an error', {
  peers: { crun: 'takes it', runc: 'takes it without SCMP_ACT_NOTIFY' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerMetadata: 'for nobody' }
  })
  await b.refused(/\/linux\/seccomp\/listenerMetadata.*listenerPath/)
})

test('config-linux.md#seccomp [SEC-8]: SCMP_ACT_NOTIFY for write is an error, as with runc', {
  peers: { crun: 'takes it' },
}, async () => {
  const agent = await seccompAgent()
  await (
    await bundle((c) => {
      c.linux.seccomp = notify(agent.socket, 'getsid', 'write')
    })
  ).refused(/\/linux\/seccomp\/syscalls\/0\/action.*write/)
  equal(agent.received().length, 0)
})

test('config-linux.md#seccomp [SEC-8]: SCMP_ACT_NOTIFY as default is an error, as with runc', {
  peers: { crun: 'takes it' },
}, async () => {
  const agent = await seccompAgent()
  await (
    await bundle((c) => {
      c.linux.seccomp = { defaultAction: 'SCMP_ACT_NOTIFY', listenerPath: agent.socket }
    })
  ).refused(/\/linux\/seccomp\/defaultAction.*SCMP_ACT_NOTIFY/)
})

// crun's annotations and variable.

test('crun.1: run.oci.seccomp.receiver names the receiver', { peers: { runc: 'does not know it' } }, async () => {
  const agent = await seccompAgent({ [GETSID]: EPROTO })
  const b = await under(agent, (c) => {
    c.annotations = { 'run.oci.seccomp.receiver': agent.socket }
    c.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['getsid'], action: 'SCMP_ACT_NOTIFY' }] }
  })
  const [call] = await b.probe(['syscall', 'getsid', '0'])
  equal(call.error, 'EPROTO')
})

test('crun.1: RUN_OCI_SECCOMP_RECEIVER names it for all containers of a caller', {
  peers: { runc: 'does not know it' },
}, async () => {
  const agent = await seccompAgent({ [GETSID]: EPROTO })
  const b = await under(agent, (c) => {
    c.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['getsid'], action: 'SCMP_ACT_NOTIFY' }] }
  })
  b.command(['syscall', 'getsid', '0'])
  const outcome = await b.run({ env: { ...runtimeEnvironment(), RUN_OCI_SECCOMP_RECEIVER: agent.socket } })
  match(outcome.stdout, /EPROTO/)
})

test('crun.1: listenerPath goes before the annotation and the variable', {
  peers: { runc: 'does not know them' },
  sometimes: true,
}, async () => {
  const agent = await seccompAgent({ [GETSID]: EPROTO })
  const b = await under(agent, (c) => {
    c.annotations = { 'run.oci.seccomp.receiver': '/nonexistent/a.sock' }
  })
  b.command(['syscall', 'getsid', '0'])
  const outcome = await b.run({ env: { ...runtimeEnvironment(), RUN_OCI_SECCOMP_RECEIVER: '/nonexistent/b.sock' } })
  match(outcome.stdout, /EPROTO/)
})

test('crun.1: plugins cannot be loaded and are no reason to go on without them', { only: ['tsrunc'] }, async () => {
  const b = await bundle((c) => {
    c.annotations = { 'run.oci.seccomp.plugins': '/lib/plugin.so' }
    c.linux.seccomp = notify('/nonexistent/agent.sock', 'getsid')
  })
  await b.refused(/plugins.*\/annotations\/run\.oci\.seccomp\.plugins/)
})

// Limits.

test('seccomp: a pids limit of one leaves no room to hand the listener over', {
  only: ['tsrunc'],
}, async () => {
  const agent = await seccompAgent()
  const b = await under(agent, (c) => {
    c.linux.resources = { ...c.linux.resources, pids: { limit: 1 } }
  })
  await b.refused(/seccomp listener.*pids limit.*\/linux\/seccomp/)
})

test('seccomp: a pids limit of two is enough', { only: ['tsrunc'] }, async () => {
  const agent = await seccompAgent()
  const b = await under(agent, (c) => {
    c.linux.resources = { ...c.linux.resources, pids: { limit: 2 } }
  })
  const [answer] = await b.probe(['echo', 'x'])
  deepEqual(answer.words, ['x'])
})
