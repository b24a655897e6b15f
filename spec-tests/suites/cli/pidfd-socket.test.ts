// --pidfd-socket: who supervises a process is sent a pidfd of it (pidfd_open(2)), so that no reused pid misleads him.
import {
  type Bundle,
  bundle,
  deepEqual,
  doesNotMatch,
  equal,
  eventually,
  launch,
  leftSoFar,
  match,
  notEqual,
  pidfdTool,
  runtime,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

const PEERS: TestOptions = { peers: { runc: 'since 1.2', crun: 'has an annotation for it' }, sometimes: true }

interface Receiver {
  readonly flags: readonly string[]
  readonly running: ReturnType<typeof launch>
}

const receiver = async (): Promise<Receiver> => {
  const socket = scratch('pidfd.sock')
  const running = launch([pidfdTool(), socket])
  await eventually('the receiver', () => running.stdout().includes('listening') || undefined)
  return { flags: ['--pidfd-socket', socket], running }
}

const receives = (to: Receiver, what: RegExp): Promise<string> =>
  eventually(`${what} at the receiver`, () => what.exec(to.running.stdout())?.[0])

/** The receiver has a handle of this process, which lives; and sees its end. */
const isOf = async (to: Receiver, pid: number, end: () => Promise<unknown>): Promise<void> => {
  equal(await receives(to, /^pid .*$/m), `pid ${pid}`)
  doesNotMatch(to.running.stdout(), /ended/)
  await end()
  await receives(to, /^ended$/m)
}

const idle = async (): Promise<Bundle> => {
  const b = await bundle()
  b.command(['sleep', '600'])
  return b
}

test("create --pidfd-socket: the pidfd is of the container's process", PEERS, async () => {
  const [b, to] = [await idle(), await receiver()]
  await b.create({ flags: to.flags })
  await isOf(to, (await b.state()).pid, () => b.kill('KILL'))
})

test("run --detach --pidfd-socket: the pidfd is of the container's process", PEERS, async () => {
  const [b, to] = [await idle(), await receiver()]
  await b.run({ flags: [...to.flags, '--detach'] })
  await isOf(to, (await b.state()).pid, () => b.kill('KILL'))
})

test(
  "run --pidfd-socket in the foreground, in a user namespace: the pidfd is of the container's process",
  PEERS,
  async () => {
    const [b, to] = [await idle(), await receiver()]
    b.config.linux.namespaces.push({ type: 'user' })
    b.config.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
    b.config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }]
    b.save()
    const running = b.launchRun({ flags: to.flags })
    await receives(to, /^pid/m)
    await b.reaches('running')
    await isOf(to, (await b.state()).pid, () => b.kill('KILL'))
    equal((await running.exited).status, 137)
  },
)

test('exec --pidfd-socket: the pidfd is of the new process', PEERS, async () => {
  const [b, to] = [await idle(), await receiver()]
  const { pid } = await b.startIdle()
  const running = b.launchExec({ flags: to.flags }, '/bin/probe', 'sleep', '600')
  const said = await receives(to, /^pid .*$/m)
  notEqual(said, `pid ${pid}`)
  await isOf(to, Number(said.slice(4)), async () => process.kill(Number(said.slice(4)), 'SIGKILL'))
  equal((await running.exited).status, 137)
})

test('exec --pidfd-socket: the socket that create was told of is not sent another one', PEERS, async () => {
  const [b, to] = [await idle(), await receiver()]
  await b.create({ flags: to.flags })
  await b.start()
  const { pid } = await b.state()
  equal((await b.tryExec({}, '/bin/probe', 'echo')).status, 0)
  await isOf(to, pid, () => b.kill('KILL'))
})

for (const verb of ['create', 'run'] as const) {
  test(
    `${verb} --pidfd-socket: a socket where nobody listens is an error that names it, and leaves nothing`,
    PEERS,
    async () => {
      const b = await idle()
      const socket = scratch('nobody.sock')
      const options = { flags: ['--pidfd-socket', socket] }
      const { status, stderr } = await (verb === 'create' ? b.tryCreate(options) : b.tryRun(options))
      equal(status, 1)
      match(stderr, /no such file or directory/)
      if (runtime().quirks.tellsStories) match(stderr, /send a pidfd to ".*nobody\.sock"/)
      deepEqual(await leftSoFar(), [])
    },
  )
}

test(
  'exec --pidfd-socket: a socket where nobody listens is an error, and the program does not run',
  PEERS,
  async () => {
    const b = await idle()
    await b.startIdle()
    const { status, stdout, stderr } = await b.tryExec(
      { flags: ['--pidfd-socket', scratch('nobody.sock')] },
      ...['/bin/probe', 'echo', 'ran'],
    )
    equal(status, 255)
    equal(stdout, '')
    match(stderr, /nobody\.sock|no such file or directory/)
  },
)
