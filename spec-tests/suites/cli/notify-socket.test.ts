// NOTIFY_SOCKET: a service manager hears from the container's program that it is ready (sd_notify(3)), as with runc.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  type Command,
  deepEqual,
  delay,
  doesNotMatch,
  equal,
  eventually,
  launch,
  leftSoFar,
  match,
  notEqual,
  notifyTool,
  ok,
  runtime,
  scratch,
  type TestOptions,
  test,
  uniqueName,
} from '../../lib'

const CRUN = 'has the socket elsewhere, and sends no MAINPID and no BARRIER'
const AS_RUNC: TestOptions = { peers: { runc: 'sends BARRIER=1 in later versions', crun: CRUN }, sometimes: true }
const ONLY: TestOptions = { only: ['tsrunc'] }

interface Manager {
  /** Options of a call, with the variable. */
  readonly told: { readonly env: Readonly<Record<string, string>> }
  readonly running: ReturnType<typeof launch>
  readonly lines: () => readonly string[]
}

const environment = (address: string): Manager['told'] => ({
  env: { PATH: process.env['PATH'] ?? '', NOTIFY_SOCKET: address },
})

const manager = async (address = scratch('host.sock'), ...how: readonly string[]): Promise<Manager> => {
  const running = launch([notifyTool(), address, ...how], { timeout: 60_000 })
  const lines = (): string[] =>
    running
      .stdout()
      .split('\n')
      .filter((line) => line !== '' && line !== 'listening')
  await eventually('the manager', () => running.stdout().includes('listening') || undefined)
  return { told: environment(address), running, lines }
}

/** Says that it is ready once /gate is there, and goes on. */
const gated: readonly Command[] = [
  ['await', '/gate'],
  ['notify', 'STATUS=soon'],
  ['notify', 'READY=1'],
  ['sleep', '600'],
]
const READY: readonly Command[] = [
  ['notify', 'READY=1'],
  ['sleep', '600'],
]

const service = async (commands: readonly Command[] = READY): Promise<Bundle> => {
  const b = await bundle((c) => {
    c.root.readonly = false
  })
  b.command(...commands)
  return b
}

const openGate = (b: Bundle): string => b.file('gate', '')

const story = (pid: number): string[] => ['0 fds: READY=1|', `0 fds: MAINPID=${pid}|`, '1 fds: BARRIER=1']

/** Of a container that may not exist yet. */
const reachesRunning = async (b: Bundle): Promise<{ readonly pid: number }> => {
  for (let attempt = 0; attempt < 300; attempt++) {
    const outcome = await b.tryCall('state')
    if (outcome.status === 0 && /"running"/.test(outcome.stdout)) return JSON.parse(outcome.stdout) as { pid: number }
    await delay(20)
  }
  throw new Error(`container ${b.id} does not run: ${b.errors()}`)
}

test(
  'NOTIFY_SOCKET: start returns once the program is ready; then come READY=1, MAINPID and BARRIER=1',
  AS_RUNC,
  async () => {
    const [b, m] = [await service(gated), await manager()]
    await b.create(m.told)
    let ended = false
    const start = b.tryCall('start', m.told).finally(() => {
      ended = true
    })
    const { pid } = await b.reaches('running')
    deepEqual([ended, m.lines()], [false, []])
    openGate(b)
    equal((await start).status, 0)
    deepEqual(m.lines(), story(pid))
    equal((await b.state()).status, 'running')
  },
)

test('NOTIFY_SOCKET: run --detach returns once the program is ready, and says its pid', AS_RUNC, async () => {
  const [b, m] = [await service(gated), await manager()]
  let ended = false
  const run = b.launchRun({ ...m.told, flags: ['--detach'] }).exited.finally(() => {
    ended = true
  })
  const { pid } = await reachesRunning(b)
  deepEqual([ended, m.lines()], [false, []])
  openGate(b)
  equal((await run).status, 0)
  deepEqual(m.lines(), story(pid))
})

test('NOTIFY_SOCKET: the end of the call waits for the answer to BARRIER=1', AS_RUNC, async () => {
  const [b, m] = [await service(), await manager(scratch('host.sock'), 'hold')]
  await b.create(m.told)
  let ended = false
  const start = b.tryCall('start', m.told).finally(() => {
    ended = true
  })
  await eventually('the barrier', () => m.lines().includes('1 fds: BARRIER=1') || undefined)
  equal((await b.state()).status, 'running')
  equal(ended, false)
  await m.running.kill('SIGUSR1')
  equal((await start).status, 0)
})

test('NOTIFY_SOCKET: run in the foreground passes READY=1 on, without another main process', {
  peers: { runc: 'hears nothing after 100 ms', crun: CRUN },
  sometimes: true,
}, async () => {
  const [b, m] = [await service(gated), await manager()]
  const running = b.launchRun(m.told)
  await reachesRunning(b)
  deepEqual(m.lines(), [])
  openGate(b)
  await eventually('READY=1', () => m.lines().length > 0)
  await b.kill('KILL')
  equal((await running.exited).status, 137)
  deepEqual(m.lines(), ['0 fds: READY=1|'])
})

test('NOTIFY_SOCKET: a program that ends without being ready ends the wait; nothing is sent', AS_RUNC, async () => {
  const [b, m] = [await service([['notify', 'STATUS=READY=1']]), await manager()]
  await b.create(m.told)
  equal((await b.tryCall('start', m.told)).status, 0)
  deepEqual(m.lines(), [])
})

test('NOTIFY_SOCKET: of a message that says more only READY=1 is passed on', {
  peers: { runc: 'asks for READY= at the beginning', crun: CRUN },
}, async () => {
  const [b, m] = [await service([['notify', 'STATUS=up\\nREADY=1\\nMAINPID=1']]), await manager()]
  await b.create(m.told)
  equal((await b.tryCall('start', m.told)).status, 0)
  equal(m.lines()[0], '0 fds: READY=1|')
  doesNotMatch(m.lines().join(), /MAINPID=1\|/)
})

for (const userns of [false, true]) {
  test(
    `NOTIFY_SOCKET: another user of the container may speak${userns ? ', in a user namespace' : ''}`,
    AS_RUNC,
    async () => {
      const [b, m] = [await service(), await manager()]
      b.config.process.user = { uid: 1000, gid: 1000 }
      if (userns) {
        b.config.linux.namespaces.push({ type: 'user' })
        b.config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
        b.config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
      }
      b.directory('run/notify')
      b.save()
      equal((await b.tryRun({ ...m.told, flags: ['--detach'] })).status, 0)
      deepEqual(m.lines(), story((await b.state()).pid))
    },
  )
}

test('NOTIFY_SOCKET: in the container it is a socket in a mount that allows nothing else', {
  peers: { runc: 'does not end after a program that was never ready', crun: CRUN },
  sometimes: true,
}, async () => {
  const [b, m] = [await service(), await manager()]
  b.command(['report'], ['mounts'], ['mkdir', '/run/notify/file'], ['stat', '/run/notify/notify.sock'])
  const outcome = await b.run(m.told)
  const [report, { mountinfo }, made, socket] = b.answers(outcome.stdout, [['report'], ['mounts'], ['write'], ['stat']])
  ok(report.env.includes('NOTIFY_SOCKET=/run/notify/notify.sock'), report.env.join(' '))
  const options = / \/run\/notify (\S+)/.exec(mountinfo)?.[1]?.split(',') ?? []
  for (const option of ['ro', 'nosuid', 'nodev', 'noexec']) ok(options.includes(option), options.join())
  equal(made.error, 'EROFS')
  equal(socket.mode & 0o777, 0o777)
})

test('without NOTIFY_SOCKET the program has neither variable nor mount', async () => {
  const b = await bundle()
  const [report, { mountinfo }] = await b.probe(['report'], ['mounts'])
  doesNotMatch(report.env.join(), /NOTIFY_SOCKET/)
  doesNotMatch(mountinfo, /notify/)
})

test('NOTIFY_SOCKET: exec neither waits nor passes it on', AS_RUNC, async () => {
  const b = await service()
  const m = await manager()
  equal((await b.tryRun({ ...m.told, flags: ['--detach'] })).status, 0)
  const before = m.lines()
  const [report] = await b.exec(m.told, ['report'])
  doesNotMatch(report.env.join(), /NOTIFY_SOCKET/)
  deepEqual(m.lines(), before)
})

test('NOTIFY_SOCKET: an abstract name', AS_RUNC, async () => {
  const [b, m] = [await service(), await manager(`@${uniqueName()}`)]
  equal((await b.tryRun({ ...m.told, flags: ['--detach'] })).status, 0)
  deepEqual(m.lines(), story((await b.state()).pid))
})

test(
  'NOTIFY_SOCKET: a start with it of a container that was created without is an error, and starts nothing',
  AS_RUNC,
  async () => {
    const [b, m] = [await service(), await manager()]
    await b.create()
    const { status, stderr } = await b.tryCall('start', m.told)
    equal(status, 1)
    if (runtime().quirks.tellsStories) match(stderr, /NOTIFY_SOCKET.*created without/)
    equal((await b.state()).status, 'created')
    await b.start()
  },
)

for (const verb of ['start', 'run'] as const) {
  test(`NOTIFY_SOCKET: ${verb} where nobody listens is an error, and the program does not run`, ONLY, async () => {
    const b = await service([['write', '/ran', 'x']])
    const told = environment(scratch('nobody.sock'))
    if (verb === 'start') await b.create(told)
    const { status, stderr } = await (verb === 'start' ? b.tryCall('start', told) : b.tryRun(told))
    equal(status, 1)
    match(stderr, /NOTIFY_SOCKET.*nobody\.sock.*no such file or directory/)
    equal(existsSync(join(b.rootfs, 'ran')), false)
    if (verb === 'start') equal((await b.state()).status, 'created')
    else deepEqual(await leftSoFar(), [])
  })
}

test('NOTIFY_SOCKET: what is no address of a socket is refused by create and by start', ONLY, async () => {
  const b = await service()
  match(await b.refused(/NOTIFY_SOCKET.*absolute path.*"run\/x"/, environment('run/x')), /NOTIFY_SOCKET/)
  await b.create()
  const { status, stderr } = await b.tryCall('start', environment('vsock:2:1'))
  notEqual(status, 0)
  match(stderr, /NOTIFY_SOCKET.*vsock:2:1/)
})
