// config.md "Annotations": those that change what a runtime does.
import { existsSync, readFileSync, statSync } from 'node:fs'
import {
  addBusybox,
  type Bundle,
  bundle,
  type Config,
  deepEqual,
  doesNotMatch,
  equal,
  eventually,
  launch,
  match,
  ok,
  pidfdTool,
  requires,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

const annotated = (annotations: Record<string, string>, change: (c: Config, b: Bundle) => void = () => undefined) =>
  bundle((c, b) => {
    c.annotations = annotations
    change(c, b)
  })

const STOP_SIGNAL = 'org.opencontainers.image.stopSignal'
const NO_STOP_SIGNAL: TestOptions = { peers: { runc: 'sends SIGTERM', crun: 'sends SIGTERM' } }

for (const [value, number] of [
  ['SIGUSR1', 10],
  ['USR2', 12],
  ['1', 1],
  ['SIGRTMIN+3', 37],
  ['rtmax-1', 63],
] as const) {
  test(`config.md#annotations [ANN-1c]: ${STOP_SIGNAL} ${value} is the signal of a kill without one`, {
    ...NO_STOP_SIGNAL,
  }, async () => {
    const b = await annotated({ [STOP_SIGNAL]: value })
    b.command(['signals', '1'])
    await b.create()
    await b.start()
    await b.line(/"ready":true/)
    equal((await b.tryCall('kill')).status, 0)
    equal(await b.line(/"signal":\d+/), `"signal":${number}`)
  })
}

test(`config.md#annotations [ANN-1c]: a kill that names a signal sends that one`, async () => {
  const b = await annotated({ [STOP_SIGNAL]: 'SIGUSR1' })
  b.command(['signals', '1'])
  await b.create()
  await b.start()
  await b.line(/"ready":true/)
  await b.kill('HUP')
  equal(await b.line(/"signal":\d+/), '"signal":1')
})

for (const value of ['SIGNOPE', '0', '65', '-1', 'RTMIN+31', 'TERM ']) {
  test(`config.md#annotations [ANN-1c]: ${STOP_SIGNAL} ${JSON.stringify(value)}, which is no signal, is an error`, {
    only: ['tsrunc'],
  }, async () => {
    const b = await annotated({ [STOP_SIGNAL]: value })
    await b.refused(new RegExp(`/annotations/${STOP_SIGNAL.replaceAll('.', '\\.')}`))
  })
}

const ONLY_CRUN: TestOptions = { peers: { runc: 'an annotation of crun' } }
const KEEP_GROUPS = 'run.oci.keep_original_groups'
const WITH_GROUPS = ['setpriv', '--groups', '4,24,70000']

for (const value of ['1', 'true']) {
  test(`config.md#annotations [ANN-2]: ${KEEP_GROUPS}=${value} keeps the supplementary groups of the caller`, {
    ...ONLY_CRUN,
  }, async () => {
    const b = await annotated({ [KEEP_GROUPS]: value }, (c) => {
      c.process.user = { uid: 1000, gid: 1000 }
    })
    b.command(['report'])
    const { stdout } = await b.run({ within: WITH_GROUPS })
    const [report] = b.answers(stdout, [['report']])
    deepEqual(
      report.groups.toSorted((x, y) => x - y),
      [4, 24, 70000],
    )
  })
}

test(`config.md#annotations [ANN-2]: ${KEEP_GROUPS} in a user namespace`, ONLY_CRUN, async () => {
  requires('userns')
  const b = await annotated({ [KEEP_GROUPS]: '1' }, (c) => {
    c.linux.namespaces.push({ type: 'user' })
    c.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
    c.linux.gidMappings = [
      { containerID: 0, hostID: 100000, size: 65536 },
      { containerID: 65536, hostID: 24, size: 1 },
    ]
  })
  b.command(['report'])
  const { stdout } = await b.run({ within: WITH_GROUPS })
  const [report] = b.answers(stdout, [['report']])
  ok(report.groups.includes(65536), String(report.groups))
})

test(`config.md#annotations [ANN-2]: ${KEEP_GROUPS}=0 keeps none`, {
  peers: { crun: 'asks whether it is there' },
  sometimes: true,
}, async () => {
  const b = await annotated({ [KEEP_GROUPS]: '0' })
  b.command(['report'])
  const { stdout } = await b.run({ within: WITH_GROUPS })
  deepEqual(b.answers(stdout, [['report']])[0].groups, [])
})

test(`config.md#annotations [ANN-2]: ${KEEP_GROUPS} goes before additionalGids, with a warning`, {
  only: ['tsrunc'],
}, async () => {
  const b = await annotated({ [KEEP_GROUPS]: '1' }, (c) => {
    c.process.user.additionalGids = [5]
  })
  b.command(['report'])
  const { stdout, stderr } = await b.run({ within: WITH_GROUPS })
  equal(b.answers(stdout, [['report']])[0].groups.length, 3)
  match(stderr, /\/process\/user\/additionalGids/)
})

const RECEIVER = 'run.oci.pidfd_receiver'

test(`config.md#annotations [ANN-2]: ${RECEIVER} is sent a pidfd of the container's process`, ONLY_CRUN, async () => {
  const socket = scratch('pidfd.sock')
  const receiver = launch([pidfdTool(), socket])
  await eventually('the receiver', () => receiver.stdout().includes('listening') || undefined)
  const b = await annotated({ [RECEIVER]: socket })
  b.command(['pause'])
  await b.create()
  const { pid } = await b.state()
  match(receiver.stdout(), new RegExp(`^pid ${pid}$`, 'm'))
  doesNotMatch(receiver.stdout(), /ended/)
  await b.start()
  await b.kill('KILL')
  await eventually('the end', () => receiver.stdout().includes('ended') || undefined)
})

test(`config.md#annotations [ANN-2]: ${RECEIVER} where nobody listens is an error`, {
  ...ONLY_CRUN,
  sometimes: true,
}, async () => {
  const b = await annotated({ [RECEIVER]: scratch('nobody.sock') })
  await b.refused(/nobody\.sock.*ENOENT.*\/annotations\/run\.oci\.pidfd_receiver/)
})

const HOOKS = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const
const HOOK_PEERS: TestOptions = {
  peers: { runc: 'an annotation of crun', crun: 'not for every hook' },
  sometimes: true,
}

/** A hook of each kind that prints its name on both streams. */
const talkative = (c: Config, b: Bundle): void => {
  requires('busybox')
  addBusybox(b.rootfs)
  c.hooks = Object.fromEntries(
    HOOKS.map((name) => [
      name,
      [{ path: '/bin/sh', args: ['sh', '-c', `echo "${name} out"; echo "${name} err" >&2`] }],
    ]),
  )
}

for (const mapped of [false, true]) {
  test(`config.md#annotations [ANN-2]: run.oci.hooks.stdout and .stderr are where hooks print to${mapped ? ', in a user namespace' : ''}`, {
    ...HOOK_PEERS,
  }, async () => {
    const [out, err] = [scratch('hooks.out'), scratch('hooks.err')]
    const b = await annotated({ 'run.oci.hooks.stdout': out, 'run.oci.hooks.stderr': err }, (c, b) => {
      talkative(c, b)
      c.process.args = ['/bin/probe', 'pause']
      if (mapped) {
        requires('userns')
        c.linux.namespaces.push({ type: 'user' })
        c.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
        c.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
      }
    })
    await b.create()
    await b.start()
    await b.delete({ flags: ['--force'] })
    equal(readFileSync(out, 'utf8'), HOOKS.map((name) => `${name} out\n`).join(''))
    equal(readFileSync(err, 'utf8'), HOOKS.map((name) => `${name} err\n`).join(''))
    equal(statSync(out).mode & 0o077, 0)
  })
}

test('config.md#annotations [ANN-2]: the program of the container gets none of the files of its hooks', async () => {
  const out = scratch('hooks.out')
  const b = await annotated({ 'run.oci.hooks.stdout': out, 'run.oci.hooks.stderr': out }, talkative)
  const { fds } = await b.report()
  deepEqual(
    fds.filter(({ target }) => target.includes('hooks.out')),
    [],
  )
})

test('config.md#annotations [ANN-2]: a hook that fails names the file with its words', {
  only: ['tsrunc'],
}, async () => {
  const err = scratch('hooks.err')
  const b = await annotated({ 'run.oci.hooks.stderr': err }, (c) => {
    c.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'echo told >&2; echo shown; exit 3'] }] }
  })
  const message = await b.refused(/exit status 3.*\/hooks\/createRuntime\/0/)
  match(message, /shown; what it printed is in .*hooks\.err/)
  equal(readFileSync(err, 'utf8'), 'told\n')
})

test('config.md#annotations [ANN-2]: a file for hooks that cannot be opened is an error', HOOK_PEERS, async () => {
  const directory = scratch('no-such-directory')
  const b = await annotated({ 'run.oci.hooks.stdout': `${directory}/hooks.out` }, (c) => {
    c.hooks = { createContainer: [{ path: '/bin/true' }] }
  })
  await b.refused(/no-such-directory.*ENOENT.*\/annotations\/run\.oci\.hooks\.stdout/)
  equal(existsSync(directory), false)
})

for (const [name, value] of [
  [KEEP_GROUPS, 'yes'],
  [KEEP_GROUPS, ''],
  [RECEIVER, 'relative.sock'],
  [RECEIVER, ''],
  ['run.oci.hooks.stdout', 'hooks.out'],
  ['run.oci.hooks.stderr', ''],
] as const) {
  test(`config.md#annotations [ANN-2]: ${name} must not be ${JSON.stringify(value)}`, {
    only: ['tsrunc'],
  }, async () => {
    const b = await annotated({ [name]: value }, (c) => {
      c.hooks = { createRuntime: [{ path: '/bin/true' }] }
    })
    await b.refused(new RegExp(`/annotations/${name.replaceAll('.', '\\.')}`))
  })
}

test('config.md#annotations [GEN-1]: those of other runtimes that matter are worth a word', {
  only: ['tsrunc'],
}, async () => {
  const b = await annotated({
    'run.oci.handler': 'krun',
    'run.oci.systemd.force_cgroup_v1': '/x',
    'run.oci.systemd.subgroup': 'x',
    'com.example': 'x',
    'run.oci.unknown': 'x',
  })
  const { stderr } = await b.run()
  match(stderr, /run\.oci\.handler/)
  match(stderr, /run\.oci\.systemd\.subgroup/)
  match(stderr, /run\.oci\.systemd\.force_cgroup_v1/)
  doesNotMatch(stderr, /com\.example|run\.oci\.unknown/)
})

test('run.oci.delegate-cgroup: the process is in a cgroup beneath the one with the limits, and may divide it', {
  peers: { runc: 'has no such annotation' },
}, async () => {
  requires('root', 'cgroup-v2', 'cgroupns')
  const b = await annotated({ 'run.oci.delegate-cgroup': '/inner' }, (c) => {
    c.linux.resources.pids = { limit: 17 }
    c.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] })
    c.linux.namespaces = [...c.linux.namespaces.filter(({ type }) => type !== 'cgroup'), { type: 'cgroup' }]
  })
  const commands = [
    ['read', '/proc/self/cgroup'],
    ['read', '/sys/fs/cgroup/pids.max'],
    ['read', '/sys/fs/cgroup/inner/pids.max'],
    ['read', '/sys/fs/cgroup/cgroup.procs'],
  ] as const
  const [own, limit, inner, processes] = await b.probe(...commands)
  deepEqual([own.data, limit.data, inner.data, processes.data], ['0::/inner\n', '17\n', 'max\n', ''])
})

test('run.oci.delegate-cgroup: a path that leads elsewhere is refused', { only: ['tsrunc'] }, async () => {
  requires('root')
  const b = await annotated({ 'run.oci.delegate-cgroup': '../other' })
  await b.refused(/run\.oci\.delegate-cgroup must be a path beneath the container's cgroup, not "\.\.\/other"/)
})

test('run.oci.delegate-cgroup: on cgroup v1 it is refused', {
  peers: { runc: 'has no such annotation', crun: 'ignores it with cgroupfs' },
  sometimes: true,
}, async () => {
  requires('root', 'cgroup-v1')
  const b = await annotated({ 'run.oci.delegate-cgroup': 'inner' })
  await b.refused(/cgroup/)
})
