// config.md#process, terminal and consoleSize, and the console socket's protocol.
import { execFileSync } from 'node:child_process'
import {
  type AnswersTo,
  type Bundle,
  bundle,
  type Command,
  consoleSocket,
  deepEqual,
  equal,
  eventually,
  match,
  ok,
  onTerminal,
  requires,
  runtime,
  sandbox,
  type TestOptions,
  test,
} from '../../lib'

const onConsole = async <const T extends readonly Command[]>(
  b: Bundle,
  ...commands: T
): Promise<{ answers: AnswersTo<T>; name: string }> => {
  b.config.process.terminal = true
  b.command(...commands)
  const terminal = await consoleSocket()
  await b.create({ flags: ['--console-socket', terminal.socket] })
  const name = await terminal.received()
  await b.start()
  await terminal.closed()
  return { answers: b.answers(terminal.output(), commands), name }
}

test('config.md#process [PRC-1a]: terminal: a pseudo terminal is allocated and duplicated on the standard streams', async () => {
  const b = await bundle()
  const { answers } = await onConsole(b, ['terminal'])
  const [terminal] = answers
  deepEqual(terminal.isatty, [true, true, true])
  equal(terminal.name, '/dev/pts/0')
})

test('config.md#process [PRC-1a]: terminal: the terminal controls the session of the program', async () => {
  const b = await bundle()
  const { answers } = await onConsole(b, ['terminal'])
  const [terminal] = answers
  deepEqual([terminal.controlling, terminal.devTtyErrno], [true, 0])
  deepEqual([terminal.sid, terminal.pgid, terminal.foregroundGroup], [1, 1, 1])
})

test('config-linux.md#default-devices [DEV-2b]: /dev/console is set up if terminal is enabled, by binding the pseudo terminal', async () => {
  const b = await bundle()
  const { answers } = await onConsole(b, ['stat', '/dev/console'], ['terminal'])
  const [console, terminal] = answers
  deepEqual([console.type, console.major, console.minor], ['char', terminal.major, terminal.minor])
})

test('config.md#process [PRC-1c]: the console socket gets one message with the master and a name', async () => {
  const b = await bundle()
  const { name } = await onConsole(b, ['echo', 'x'])
  ok(name.length > 0)
})

test('config.md#process [PRC-2a]: consoleSize is the size of the terminal', async () => {
  const b = await bundle((c) => {
    c.process.consoleSize = { height: 33, width: 111 }
  })
  const { answers } = await onConsole(b, ['terminal'])
  deepEqual([answers[0].rows, answers[0].columns], [33, 111])
})

test('config.md#process [PRC-2b]: consoleSize is ignored if terminal is false', async () => {
  const b = await bundle((c) => {
    c.process.consoleSize = { height: 33, width: 111 }
  })
  const [terminal] = await b.probe(['terminal'])
  deepEqual([terminal.isatty[0], terminal.rows], [false, 0])
})

test('config.md#process [PRC-1a]: the terminal belongs to the user of the container', async () => {
  const b = await bundle((c) => {
    c.process.user = { uid: 1234, gid: 5678 }
  })
  const { answers } = await onConsole(b, ['terminal'])
  deepEqual([answers[0].uid, answers[0].mode & 0o600], [1234, 0o600])
})

test('config.md#process [PRC-1a]: only the standard streams are open on a terminal', async () => {
  const b = await bundle()
  const { answers } = await onConsole(b, ['report'])
  deepEqual(
    answers[0].fds.map((entry) => [entry.fd, entry.target]),
    [0, 1, 2].map((fd) => [fd, '/dev/pts/0']),
  )
})

test('config.md#process [PRC-1a]: what is typed on the master arrives', async () => {
  const b = await bundle()
  b.config.process.terminal = true
  b.command(['stdin'])
  const terminal = await consoleSocket()
  await b.create({ flags: ['--console-socket', terminal.socket] })
  await terminal.received()
  await b.start()
  terminal.type('hello\n\u0004')
  await terminal.sees(/\{"data":"hello\\u000a"\}/)
  await terminal.closed()
})

test('config.md#process [PRC-1a]: a terminal in a user namespace', async () => {
  requires('userns')
  const b = await bundle((c, b) => {
    c.linux.namespaces.push({ type: 'user' })
    c.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65536 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65536 }]
    execFileSync('chown', ['-R', '100000:100000', b.rootfs])
  })
  const { answers } = await onConsole(b, ['terminal'])
  deepEqual([answers[0].isatty[0], answers[0].uid], [true, 0])
})

test('run --detach with a console socket', async () => {
  const b = await bundle((c) => {
    c.process.terminal = true
  })
  b.command(['terminal'])
  const terminal = await consoleSocket()
  await b.run({ flags: ['--detach', '--console-socket', terminal.socket] })
  await terminal.closed()
  match(terminal.output(), /"isatty":\[true,true,true\]/)
})

test('config.md#process [PRC-1c]: create with terminal and no console socket is refused', async () => {
  const b = await bundle((c) => {
    c.process.terminal = true
  })
  await b.refused(/console.?socket/i)
})

test('config.md#process [PRC-1c]: create with a console socket and no terminal is refused', {
  peers: { crun: 'takes it' },
}, async () => {
  const b = await bundle()
  const terminal = await consoleSocket()
  await b.refused(/terminal/i, { flags: ['--console-socket', terminal.socket] })
})

test('config.md#process [PRC-1c]: create with a console socket that nobody listens on is refused', async () => {
  const b = await bundle((c) => {
    c.process.terminal = true
  })
  await b.refused(/\/no\/socket|console/i, { flags: ['--console-socket', '/no/socket'] })
})

test('config.md#process [PRC-1c]: run in the foreground on a console socket is refused', {
  peers: { crun: 'takes it' },
}, async () => {
  const b = await bundle((c) => {
    c.process.terminal = true
  })
  const terminal = await consoleSocket()
  const outcome = await b.tryRun({ flags: ['--console-socket', terminal.socket] })
  equal(outcome.status, 1)
})

// The caller's own terminal.

const SIZE_RACE: TestOptions = {
  peers: { runc: 'sets the size when the program runs already', crun: 'sets the size when the program runs already' },
  sometimes: true,
}

const runOnTerminal = (b: Bundle, rows = 24, columns = 80): ReturnType<typeof onTerminal> => {
  sandbox().containers.add(b.id)
  b.config.process.terminal = true
  b.save()
  return onTerminal([runtime().path, '--root', sandbox().marks.root, 'run', '--bundle', b.path, b.id], rows, columns)
}

test("run on the caller's terminal: the output of the container is seen on it", async () => {
  const b = await bundle()
  b.command(['terminal'])
  const terminal = runOnTerminal(b)
  await terminal.sees(/"isatty":\[true,true,true\]/)
  equal(await terminal.exited(), 0)
})

test("run on the caller's terminal: the container has a terminal of its own, of the same size", SIZE_RACE, async () => {
  const b = await bundle()
  b.command(['terminal'])
  const terminal = runOnTerminal(b, 31, 77)
  await terminal.sees(/"rows":31,"columns":77/)
  await terminal.sees(/"name":"\/dev\/pts\/0"/)
  equal(await terminal.exited(), 0)
})

test("run on the caller's terminal: a change of the size reaches the container", SIZE_RACE, async () => {
  const b = await bundle()
  b.command(['winch', '1'])
  const terminal = runOnTerminal(b, 24, 80)
  await terminal.sees(/"rows":24,"columns":80/)
  terminal.resize(40, 120)
  await terminal.sees(/"rows":40,"columns":120/)
  equal(await terminal.exited(), 0)
})

test("run on the caller's terminal: what is typed reaches the container once", async () => {
  const b = await bundle()
  b.command(['echo', 'ready'], ['stdin'])
  const terminal = runOnTerminal(b)
  await terminal.sees(/ready/)
  terminal.type('typed line\n\u0004')
  await terminal.sees(/\{"data":"typed line\\u000a"\}/)
  equal(await terminal.exited(), 0)
  equal(terminal.output().match(/typed line/g)?.length, 2)
})

test("run on the caller's terminal: an interrupt typed there is the container's", async () => {
  const b = await bundle()
  b.command(['signals', '1'])
  const terminal = runOnTerminal(b)
  await terminal.sees(/ready/)
  terminal.type('\u0003')
  await terminal.sees(/"signal":2/)
  equal(await terminal.exited(), 0)
})

test("run on the caller's terminal: its status is the container's", async () => {
  const b = await bundle()
  b.config.process.args = ['/bin/probe', 'exit', '42']
  const terminal = runOnTerminal(b)
  equal(await terminal.exited(), 42)
})

test("run on the caller's terminal: a large output arrives whole", async () => {
  const b = await bundle((_, b) => b.file('big', 'x'.repeat(60_000)))
  b.command(['read', '/big'], ['echo', 'the-end'])
  const terminal = runOnTerminal(b)
  equal(await terminal.exited(), 0)
  await terminal.sees(/the-end/)
  equal(/x{60000}/.test(terminal.output().replaceAll(/\r?\n/g, '')), true)
})

test("run on the caller's terminal: its modes are afterwards what they were", async () => {
  const b = await bundle()
  b.command(['echo', 'inside'])
  b.config.process.terminal = true
  b.save()
  sandbox().containers.add(b.id)
  const script = `stty -a > ${b.path}/before; ${runtime().path} --root ${sandbox().marks.root} run --bundle ${b.path} ${b.id}; stty -a > ${b.path}/after`
  const terminal = onTerminal(['sh', '-c', script])
  equal(await terminal.exited(), 0)
  equal(
    execFileSync('cat', [`${b.path}/after`], { encoding: 'utf8' }),
    execFileSync('cat', [`${b.path}/before`], { encoding: 'utf8' }),
  )
  match(terminal.output(), /inside/)
})

test("run on the caller's terminal: a hang-up of the terminal reaches the container", {
  peers: { crun: 'goes on', runc: 'goes on' },
  sometimes: true,
}, async () => {
  const b = await bundle()
  b.command(['signals', '1'])
  const terminal = runOnTerminal(b)
  await terminal.sees(/ready/)
  terminal.close()
  await eventually('the end of the container', () => {
    try {
      const state = execFileSync(runtime().path, ['--root', sandbox().marks.root, 'state', b.id], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      return /"status":\s*"stopped"/.test(state.toString())
    } catch {
      return true
    }
  })
})
