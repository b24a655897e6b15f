import { execFileSync, spawnSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bundle,
  callRuntime,
  cgroupDirectory,
  cgroupVersion,
  copyOfRuntime,
  deepEqual,
  delay,
  equal,
  eventually,
  isAlive,
  launch,
  match,
  notEqual,
  ok,
  plansCold,
  readCgroup,
  requires,
  requiresController,
  runtime,
  sandbox,
  scratch,
  startPlanner,
  test,
  throws,
} from '../../lib'

plansCold()

const ONLY = { only: ['tsrunc'] } as const
const NOBODY = 65534

const mode = (planner: string) => ({ global: ['--planner', planner] })
const socketPath = (): string => join(sandbox().marks.root, '~planner')

const trueBundle = (): Promise<Bundle> =>
  bundle((c, b) => {
    addBusybox(b.rootfs)
    c.process.args = ['/bin/true']
  })

/** What a process is, in a container with busybox. */
const LOOK =
  'grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)" /proc/self/status; sort /proc/self/environ | tr "\\0" " "; pwd; ' +
  'cat /proc/self/limits /proc/self/cgroup; exit 3'

/** The bytes of the plan that `create` saved. */
const savedPlan = async (b: Bundle, planner: string, within: readonly string[] = []): Promise<Buffer> => {
  const { stderr } = await b.create({ ...mode(planner), within })
  equal(stderr, '')
  const plan = readFileSync(join(sandbox().marks.root, b.id, 'plan'))
  await b.delete({ flags: ['--force'] })
  return plan
}

/** Somebody in the planner's place. */
const impostor = async (talk: (socket: Socket) => void): Promise<Server> => {
  mkdirSync(sandbox().marks.root, { recursive: true, mode: 0o700 })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    talk(socket)
  })
  sandbox().undo.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(socketPath(), resolve))
  return server
}

const GREETING = Buffer.from('tsrunc-planner4\0')

const reply = (kind: number, sizes: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(40)
  bytes.write('tsrunc-planner4')
  bytes.writeUInt32LE(kind, 16)
  for (const [i, size] of sizes.entries()) bytes.writeUInt32LE(size, 20 + 4 * i)
  return bytes
}

test('tsrunc planner: a plan that a planner made is the plan that node makes, byte for byte', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await bundle((c) => {
    const others = c.linux.namespaces?.filter(({ type }) => type !== 'ipc') ?? []
    c.linux.namespaces = [...others, { type: 'ipc', path: '/proc/self/ns/ipc' }]
    c.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] }
  })
  deepEqual(await savedPlan(b, 'on'), await savedPlan(b, 'off'))
  const relative = await trueBundle()
  deepEqual(await savedPlan(relative, 'auto'), await savedPlan(relative, 'off'))
})

test('tsrunc planner: what it remembers of the host is forgotten when the mounts change', ONLY, async () => {
  requires('root', 'cgroup-v1')
  const holder = launch(['unshare', '--mount', 'sh', '-c', 'echo $$; exec sleep 1000'])
  await eventually('the mount namespace', () => holder.stdout().endsWith('\n'))
  const inside = ['nsenter', `--mount=/proc/${holder.stdout().trim()}/ns/mnt`]
  launch([...inside, runtime().path, '--root', sandbox().marks.root, 'planner'])
  await eventually('the planner', () => existsSync(socketPath()))
  const b = await trueBundle()
  const first = await savedPlan(b, 'on', inside)
  // Until it is given again without being planned.
  for (let i = 0; i < 3; i++) deepEqual(await savedPlan(b, 'on', inside), first)
  deepEqual(await savedPlan(b, 'off', inside), first)
  execFileSync('nsenter', [...inside.slice(1), 'umount', '/sys/fs/cgroup/pids'])
  const second = await savedPlan(b, 'on', inside)
  notEqual(second.compare(first), 0)
  deepEqual(await savedPlan(b, 'off', inside), second)
})

test('tsrunc planner: with one, no node is started', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await trueBundle()
  // V8 reserves more address space than that before it does anything.
  const within = ['prlimit', '--as=67108864']
  notEqual((await b.tryRun({ ...mode('off'), within })).status, 0)
  await b.run({ ...mode('on'), within })
})

test('tsrunc planner: its callers become its copy of the executable, which nobody can write to', ONLY, async () => {
  requires('root')
  startPlanner()
  // proc(5) exe, of an init that waits for start: an overlay of its own has a device number of its own.
  const exeOf = async (planner: string): Promise<{ readonly path: string; readonly device: number }> => {
    const b = await trueBundle()
    await b.create(mode(planner))
    const path = `/proc/${(await b.state()).pid}/exe`
    return { path, device: statSync(path).dev }
  }
  const cold = await exeOf('off')
  const warm = [await exeOf('on')]
  // A planner that is too busy to greet within 5 ms lets its caller make a copy of its own.
  const isShared = () => new Set(warm.map(({ device }) => device)).size < warm.length
  while (!isShared() && warm.length < 20) warm.push(await exeOf('on'))
  equal(isShared(), true)
  for (const { path, device } of warm) {
    notEqual(device, cold.device)
    throws(() => openSync(path, 'r+'), /EROFS/)
  }
  throws(() => openSync(cold.path, 'r+'), /EROFS/)
})

test('tsrunc planner: exec is planned by it too, and needs no node', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await bundle((c, { rootfs }) => {
    addBusybox(rootfs)
    c.process.args = ['/bin/sleep', '1000']
    c.process.capabilities = Object.fromEntries(
      ['bounding', 'effective', 'permitted'].map((set) => [set, ['CAP_KILL', 'CAP_CHOWN']]),
    )
    c.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] }
  })
  await b.create(mode('on'))
  await b.start()
  const file = scratch('process.json')
  writeFileSync(file, JSON.stringify({ args: ['/bin/sh', '-c', LOOK], cwd: '/proc', env: ['A=of-the-file'] }))
  const within = ['prlimit', '--as=67108864']
  for (const flags of [
    ['--env', 'A=b', '--user=5:6', '--cwd', '/bin', '-c', 'CAP_NET_RAW'],
    ['-p', file, '--no-new-privs', '--additional-gids', '7'],
  ]) {
    const command = flags.includes(file) ? [] : ['/bin/sh', '-c', LOOK]
    const call = (planner: string, within: readonly string[] = []) =>
      callRuntime(['--planner', planner, 'exec', ...flags, b.id, ...command], { within })
    notEqual((await call('off', within)).status, 3)
    equal((await call('on', within)).status, 3)
    const warm = await call('on')
    const cold = await call('off')
    equal(warm.stderr, '')
    deepEqual([warm.status, warm.stdout], [3, cold.stdout])
    match(warm.stdout, /Seccomp:\t2/)
  }
})

test('tsrunc planner: an error of exec is told in the same words, with its status', ONLY, async () => {
  requires('root')
  const b = await trueBundle()
  await b.create(mode('off'))
  const without = await callRuntime(['--planner', 'on', 'exec', b.id, '/bin/true'])
  equal(without.status, 255)
  match(without.stderr, /planner of .*no such file or directory/)
  startPlanner()
  for (const words of [
    ['nobody', '/bin/true'],
    ['--user', 'root', b.id, '/bin/true'],
    ['../..', '/bin/true'],
    [b.id],
  ]) {
    const warm = await callRuntime(['--planner', 'on', 'exec', ...words])
    const cold = await callRuntime(['--planner', 'off', 'exec', ...words])
    equal(warm.stderr, cold.stderr)
    deepEqual([warm.status, cold.status], [255, 255])
  }
})

/** A container whose limits can be changed. */
const limited = async (): Promise<Bundle> => {
  requires('root')
  requiresController('memory', 'pids', 'cpu')
  const b = await trueBundle()
  await b.create(mode('off'))
  return b
}

const limitsOf = (b: Bundle): readonly string[] => [
  readCgroup('memory', b.id, cgroupVersion() === 2 ? 'memory.max' : 'memory.limit_in_bytes'),
  readCgroup('pids', b.id, 'pids.max'),
]

/** `update` with words, and with a pipe of `input` as its standard input. */
const update = (planner: string, words: readonly string[], input: string, within: readonly string[] = []) => {
  const file = scratch('input')
  writeFileSync(file, input)
  const piped = ['sh', '-c', 'file=$1; shift; cat "$file" | "$@"', 'sh', file, ...within]
  return callRuntime(['--planner', planner, 'update', ...words], { within: piped })
}

const NO_NODE = ['prlimit', '--as=67108864']

test('tsrunc planner: update is planned by it too, and needs no node', ONLY, async () => {
  const b = await limited()
  startPlanner()
  const json = (memory: number, processes: number): string =>
    JSON.stringify({ memory: { limit: memory << 20 }, pids: { limit: processes } })
  const file = scratch('resources.json')
  writeFileSync(file, json(48, 11))
  const calls: readonly (readonly [words: readonly string[], input: string, limits: readonly [number, string]])[] = [
    [['--memory', '64m', b.id, '--pids-limit=9'], '', [64, '9']],
    [['--resources', '-', b.id], json(56, 10), [56, '10']],
    [['-r', file, b.id], '', [48, '11']],
    // Its plan depends on no limit in force.
    [['--pids-limit', '12', b.id], '', [48, '12']],
  ]
  for (const [words, input, [memory, processes]] of calls) {
    const before = limitsOf(b)
    notEqual((await update('off', words, input, NO_NODE)).status, 0)
    deepEqual(limitsOf(b), before)
    const { status, stderr } = await update('on', words, input, NO_NODE)
    deepEqual([status, stderr], [0, ''])
    deepEqual(limitsOf(b), [String(memory << 20), processes])
  }
})

test('tsrunc planner: an error of update is told in the same words, of its standard input too', ONLY, async () => {
  const b = await limited()
  startPlanner()
  const before = limitsOf(b)
  for (const [words, input] of [
    [['--resources', '-', b.id], '{"memory":{"limit":"much"}}'],
    [['--resources', '-', b.id], '{"memory":{"limit":1'],
    [['--resources', '-', b.id], ''],
    [['--resources', '-', '--memory', '64m', b.id], '{}'],
    [['--resources', '/', b.id], ''],
    [['--cpu-quota', '5', '--pids-limit', '7', b.id], ''],
    [['--memory', '64m', 'nobody'], ''],
    [['--pids-limit', 'many', b.id], ''],
  ] as const) {
    const warm = await update('on', words, input)
    const cold = await update('off', words, input)
    deepEqual([warm.stderr, warm.status], [cold.stderr, 1])
    notEqual(warm.stderr, '')
    deepEqual(limitsOf(b), before)
  }
})

/** flock(1) by a test: whether nobody has locked the container. */
const isFree = (b: Bundle): boolean => {
  const path = join(sandbox().marks.root, b.id)
  return spawnSync('flock', ['--nonblock', path, 'true']).status === 0
}

test('tsrunc planner: update has locked the container when it tells the limits in force', ONLY, async () => {
  const b = await limited()
  const free: boolean[] = []
  await impostor((socket) => {
    greets(socket)
    let asked = false
    socket.on('data', () => {
      free.push(isFree(b))
      const question = Buffer.from(`l${cgroupDirectory('pids', b.id)}/pids.max\0`)
      socket.write(asked ? reply(2, [0, 0, 0, 0]) : Buffer.concat([reply(3, [0, 0, 0, question.length]), question]))
      asked = true
    })
  })
  const { status, stderr } = await update('on', ['--pids-limit', '9', b.id], '')
  deepEqual([status, stderr], [0, ''])
  equal(limitsOf(b)[1], '9')
  deepEqual([free[0], free.at(-1)], [true, false])
})

test('tsrunc planner: update tells what is wrong with its words before it reads its standard input', ONLY, async () => {
  const b = await limited()
  startPlanner()
  const fifo = scratch('fifo')
  execFileSync('mkfifo', [fifo])
  // A pipe that nobody writes to and that does not end.
  const within = ['sh', '-c', 'fifo=$1; shift; exec "$@" <>"$fifo"', 'sh', fifo]
  for (const words of [
    ['--memory-mode', 'bad'],
    ['--memory', '64m'],
    ['--log-format', 'bad'],
  ]) {
    const call = ['update', ...words, '--resources', '-', b.id]
    const { status, stderr } = await callRuntime(['--planner', 'on', ...call], { within })
    deepEqual([status, stderr.includes('bad') || stderr.includes('cannot be given together')], [1, true])
  }
})

test('tsrunc planner: a plan of another verb is refused', ONLY, async () => {
  const b = await limited()
  const before = limitsOf(b)
  const plan = readFileSync(join(sandbox().marks.root, b.id, 'plan')).subarray(0, -4)
  await impostor((socket) => {
    greets(socket)
    socket.on('data', () => socket.end(Buffer.concat([reply(1, [0, 0, 0, plan.length]), plan])))
  })
  const { status, stderr } = await update('on', ['--pids-limit', '9', b.id], '')
  equal(status, 1)
  match(stderr, /the plan is one of another verb/)
  deepEqual(limitsOf(b), before)
})

test('tsrunc planner: of files update tells a planner none but those of cgroups', ONLY, async () => {
  const b = await limited()
  const said: string[] = []
  const fifo = scratch('fifo')
  execFileSync('mkfifo', [fifo])
  let question = Buffer.alloc(0)
  await impostor((socket) => {
    greets(socket)
    let asked = false
    socket.on('data', (data) => {
      if (asked) said.push(data.toString('latin1'))
      else socket.write(Buffer.concat([reply(3, [0, 0, 0, question.length]), question]))
      asked = true
    })
  })
  for (const path of [fifo, '/etc/passwd', '/dev/zero', '/sys/fs/cgroup']) {
    question = Buffer.from(`l${path}\0`)
    const { status, stderr } = await update('on', ['--pids-limit', '9', b.id], '')
    deepEqual([status, stderr, said], [0, '', []])
  }
})

test('tsrunc planner: update waits for its turn as without one', ONLY, async () => {
  const b = await limited()
  startPlanner()
  const holder = launch([
    'flock',
    '--no-fork',
    join(sandbox().marks.root, b.id),
    'sh',
    '-c',
    'echo locked; exec sleep 1000',
  ])
  await eventually('the lock', () => holder.stdout() === 'locked\n')
  const before = limitsOf(b)
  const waiting = update('on', ['--memory', '64m', '--pids-limit', '9', b.id], '')
  await delay(500)
  deepEqual(limitsOf(b), before)
  await holder.kill('SIGKILL')
  deepEqual((await waiting).status, 0)
  deepEqual(limitsOf(b), [String(64 << 20), '9'])
})

test('tsrunc planner: an error is told in the same words', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await bundle((c) => {
    c.process.cwd = 'relative'
  })
  const warm = await b.tryRun(mode('on'))
  const cold = await b.tryRun(mode('off'))
  equal(warm.stderr, cold.stderr)
  equal(warm.status, cold.status)
  notEqual(warm.status, 0)
})

test('tsrunc planner: its socket is for its user alone, and its place for one planner', ONLY, async () => {
  requires('root')
  startPlanner()
  equal(statSync(socketPath()).mode & 0o777, 0o600)
  const second = startPlanner()
  const text = await new Promise<string>((resolve) => {
    let all = ''
    second.stderr?.on('data', (data: Buffer) => {
      all += data
    })
    second.on('close', () => resolve(all))
  })
  match(text, /a planner serves .* already/)
})

test('tsrunc planner: without one, --planner on is an error', ONLY, async () => {
  requires('root')
  const b = await trueBundle()
  const on = await b.tryRun(mode('on'))
  equal(on.status, 1)
  match(on.stderr, /planner of .*no such file or directory/)
})

test('tsrunc planner: a dead socket is taken over by the next one', ONLY, async () => {
  requires('root')
  const planner = startPlanner()
  planner.kill('SIGKILL')
  await eventually('the end of the planner', () => planner.signalCode !== null)
  equal(existsSync(socketPath()), true)
  const b = await trueBundle()
  match((await b.tryRun(mode('on'))).stderr, /connection refused/)
  // The next planner takes its place.
  const dead = statSync(socketPath()).ino
  startPlanner()
  await eventually('a living planner', () => statSync(socketPath()).ino !== dead)
  await b.run(mode('on'))
})

/** Says something after it has greeted, as a planner does. */
const greets = (socket: Socket, ...words: readonly Buffer[]): boolean =>
  socket.write(Buffer.concat([GREETING, ...words]))

const HOSTILE: Readonly<Record<string, (socket: Socket) => void>> = {
  'says nothing': () => undefined,
  'closes at once': (socket) => socket.destroy(),
  'greets and says nothing': (socket) => greets(socket),
  'greets with garbage': (socket) => socket.end(Buffer.alloc(4096, 0x41)),
  'answers garbage': (socket) => greets(socket, Buffer.alloc(4096, 0x41)),
  'promises more bytes than there are': (socket) => greets(socket, reply(1, [0, 0, 0, 0xffffffff])),
  'stops in the middle of a plan': (socket) => {
    greets(socket, reply(1, [0, 0, 0, 100]), Buffer.alloc(50))
    socket.end()
  },
  'asks without end': (socket) => {
    greets(socket)
    socket.on('data', () => socket.write(Buffer.concat([reply(3, [0, 0, 0, 7]), Buffer.from('d/proc\0')])))
  },
  'sends a byte at a time': (socket) => {
    const timer = setInterval(() => socket.write('t'), 5)
    socket.on('close', () => clearInterval(timer))
  },
}

for (const [what, talk] of Object.entries(HOSTILE)) {
  test(`tsrunc planner: one in its place that ${what} costs a caller of auto nothing but time`, ONLY, async () => {
    requires('root')
    await impostor(talk)
    const b = await trueBundle()
    const { stderr } = await b.run(mode('auto'))
    equal(stderr, '')
  })
}

test('tsrunc planner: it is told at once which root a bundle has', ONLY, async () => {
  requires('root')
  let heard = ''
  await impostor((socket) => {
    greets(socket)
    socket.on('data', (data) => {
      heard += data.toString('latin1')
      // Cold: node makes the plan.
      if (heard.includes('config.json') || heard.includes('ociVersion')) socket.end(reply(2, [0, 0, 0, 0]))
    })
  })
  const b = await trueBundle()
  const elsewhere = join(realpathSync(b.path), 'elsewhere')
  execFileSync('cp', ['-a', '-T', b.rootfs, elsewhere])
  const link = scratch('link')
  symlinkSync(elsewhere, link)
  for (const [path, question, answer] of [
    ['rootfs', realpathSync(b.rootfs), realpathSync(b.rootfs)],
    [elsewhere, elsewhere, elsewhere],
    [link, link, elsewhere],
  ] as const) {
    heard = ''
    b.config.root = { path }
    b.save()
    equal((await b.run(mode('auto'))).stderr, '')
    ok(heard.includes(`d${question}\0${answer}\0`), question)
  }
})

test('tsrunc planner: a plan that is none is refused', ONLY, async () => {
  requires('root')
  await impostor((socket) => greets(socket, reply(1, [0, 0, 0, 64]), Buffer.alloc(64, 0x42)))
  const b = await trueBundle()
  const outcome = await b.tryRun(mode('on'))
  equal(outcome.status, 1)
  match(outcome.stderr, /the plan is not one of this version/)
})

test("tsrunc planner: another user's socket is not asked", ONLY, async () => {
  requires('root')
  let asked = false
  await impostor(() => {
    asked = true
  })
  chownSync(socketPath(), NOBODY, NOBODY)
  const b = await trueBundle()
  await b.run(mode('auto'))
  match((await b.tryRun(mode('on'))).stderr, /operation not permitted/)
  equal(asked, false)
})

for (const [how, still] of [
  ['auto', false],
  ['wait', true],
] as const) {
  test(`tsrunc planner: a caller of ${how} ${still ? 'waits for' : 'goes on without'} a slow one`, ONLY, async () => {
    requires('root')
    const found: boolean[] = []
    await impostor((socket) => {
      let open = true
      socket.on('close', () => {
        open = false
      })
      // Whoever is answered "cold" starts node.
      setTimeout(() => {
        found.push(open)
        socket.end(Buffer.concat([GREETING, reply(2, [0, 0, 0, 0])]))
      }, 1000)
      socket.resume()
    })
    const b = await trueBundle()
    equal((await b.run(mode(how))).stderr, '')
    await eventually('the answer', () => found.length > 0)
    deepEqual(found, [still])
  })
}

test('tsrunc planner: killed in the middle of a request it costs nothing', ONLY, async () => {
  requires('root')
  const planner = startPlanner()
  const b = await trueBundle()
  await b.run(mode('on'))
  planner.kill('SIGSTOP')
  await b.run(mode('auto'))
  const patient = (await trueBundle()).launchRun(mode('wait'))
  await patient.pid
  const waiting = b.launchRun(mode('on'))
  await waiting.pid
  planner.kill('SIGKILL')
  const { status, stderr } = await waiting.exited
  equal(status, 1)
  match(stderr, /tsrunc run: the planner of /)
  equal((await patient.exited).status, 0)
})

const send = (bytes: Buffer): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(socketPath(), () => socket.write(bytes)).resume()
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
  })

test('tsrunc planner: --planner may stand before verbs that plan nothing, as engines write it', ONLY, async () => {
  requires('root')
  const b = await trueBundle()
  await b.create(mode('off'))
  const call = (...words: readonly string[]) => callRuntime(['--planner', 'auto', ...words])
  for (const verb of [['list'], ['state', b.id], ['start', b.id], ['delete', '--force', b.id]]) {
    const { status, stderr } = await call(...verb)
    deepEqual([status, stderr], [0, ''])
  }
})

/** proc_pid_stat(5): processor time, a hundredth of a second each. */
const ticks = (pid: number): number =>
  (/\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '')
    .split(' ')
    .slice(11, 13)
    .reduce((sum, field) => sum + Number(field), 0)

test('tsrunc planner: a bad request harms no other', ONLY, async () => {
  requires('root')
  const planner = startPlanner()
  const header = Buffer.alloc(120)
  header.write('tsrunc-planner4')
  const huge = Buffer.from(header)
  for (let at = 80; at < 116; at += 4) huge.writeUInt32LE(0xffffffff, at)
  await Promise.all([send(Buffer.alloc(4096, 0x41)), send(huge)])
  // Callers who never finish.
  const idlers = Array.from({ length: 20 }, () => connect(socketPath()).on('error', () => undefined))
  for (const socket of idlers) socket.write(header.subarray(0, 50))
  const b = await trueBundle()
  await b.run(mode('on'))
  for (const socket of idlers) socket.destroy()
  equal(isAlive(planner.pid ?? 0), true)
})

test('tsrunc planner: a queue that is full costs a caller of auto nothing but time', ONLY, async () => {
  requires('root')
  const planner = startPlanner()
  planner.kill('SIGSTOP')
  // More than listen(2) was asked to hold, node's default.
  const sockets = Array.from({ length: 600 }, () => connect(socketPath()).on('error', () => undefined))
  sandbox().undo.push(() => {
    for (const socket of sockets) socket.destroy()
  })
  const b = await trueBundle()
  await b.run(mode('auto'))
  for (const socket of sockets) socket.destroy()
  planner.kill('SIGCONT')
  await b.run(mode('on'))
})

test('tsrunc planner: one that has no descriptor left waits without working, and serves again', ONLY, async () => {
  requires('root')
  const planner = startPlanner()
  const pid = planner.pid ?? 0
  const b = await trueBundle()
  await b.run(mode('on'))
  await eventually('the end of its rehearsal', async () => {
    const before = ticks(pid)
    await delay(300)
    return ticks(pid) - before < 2
  })
  const room = readdirSync(`/proc/${pid}/fd`).length + 5
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${room}:`])
  const sockets = Array.from({ length: 30 }, () => connect(socketPath()).on('error', () => undefined))
  sandbox().undo.push(() => {
    for (const socket of sockets) socket.destroy()
  })
  await eventually('the last descriptor', () => readdirSync(`/proc/${pid}/fd`).length >= room - 1)
  const before = ticks(pid)
  await delay(1000)
  ok(ticks(pid) - before < 30, `${ticks(pid) - before} ticks`)
  for (const socket of sockets) socket.destroy()
  await eventually('a plan', async () => (await b.tryRun(mode('on'))).status === 0)
})

test('tsrunc planner: ends when it was idle, and leaves no socket', ONLY, async () => {
  requires('root')
  const planner = startPlanner(['--idle', '1'])
  await eventually('the end of the planner', () => planner.exitCode !== null, 10_000)
  equal(planner.exitCode, 0)
  equal(existsSync(socketPath()), false)
})

test('tsrunc planner: makes no plans of another installation, and ends when its own was replaced', ONLY, async () => {
  requires('root')
  const copy = copyOfRuntime()
  const planner = startPlanner([], copy.path)
  const b = await trueBundle()
  // Not its caller: node plans, as without a planner.
  await b.run(mode('on'))
  utimesSync(copy.bundle, 1, 1)
  match((await b.tryRun(mode('on'))).stderr, /installation that has changed/)
  await eventually('the end of the planner', () => planner.exitCode !== null, 10_000)
  equal(existsSync(socketPath()), false)
})
