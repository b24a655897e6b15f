// `exec`: terminals, descriptors, what engines ask for beside the process, and what must not leak into the container.
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import {
  type Bundle,
  bundle,
  consoleSocket,
  deepEqual,
  equal,
  eventually,
  givesDescriptors,
  isAlive,
  match,
  notEqual,
  ok,
  onTerminal,
  runtime,
  sandbox,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

const HERE: TestOptions = { only: ['tsrunc'] }

const idle = async (): Promise<Bundle> => {
  const b = await bundle()
  await b.startIdle()
  return b
}

test('exec --tty --console-socket: the process has a terminal of its own, whose master is sent', async () => {
  const b = await idle()
  const terminal = await consoleSocket()
  const flags = ['--tty', '--detach', '--console-socket', terminal.socket]
  equal((await b.tryExec({ flags }, '/bin/probe', 'terminal')).status, 0)
  await terminal.received()
  await terminal.closed()
  const [answer] = b.answers(terminal.output(), [['terminal']])
  deepEqual([answer.isatty, answer.controlling], [[true, true, true], true])
  match(answer.name, /^\/dev\/pts\/\d+$/)
})

test("exec --tty on the caller's terminal: what is typed arrives, and the status is the program's", async () => {
  const b = await idle()
  const { path } = runtime()
  const terminal = onTerminal([
    ...[path, '--root', sandbox().marks.root, 'exec', '--tty', b.id],
    ...['/bin/probe', 'terminal', ',', 'exit', '7'],
  ])
  await terminal.sees(/"isatty":\[true,true,true\]/)
  equal(await terminal.exited(), 7)
})

test('exec: a terminal and --detach without a console socket is refused', {
  peers: { crun: 'says nothing of a console socket' },
  sometimes: true,
}, async () => {
  const b = await idle()
  const { status, stderr } = await b.tryExec({ flags: ['--tty', '--detach'] }, '/bin/probe', 'echo')
  notEqual(status, 0)
  match(stderr, /console.socket/i)
})

test('exec --detach --pid-file: returns while the process goes on, which the file names', async () => {
  const b = await idle()
  const file = scratch('exec.pid')
  const { status } = await b.tryExec({ flags: ['--detach', '--pid-file', file] }, '/bin/probe', 'sleep', '60')
  equal(status, 0)
  const pid = Number(readFileSync(file, 'utf8'))
  ok(isAlive(pid))
  match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /probe\0sleep/)
  // The end of init is that of every process in its PID namespace.
  await b.kill('KILL')
  await eventually('the end of the process', () => !isAlive(pid))
})

test('exec: no descriptor but the standard ones reaches the process, and --preserve-fds passes those after them', async () => {
  const b = await idle()
  givesDescriptors(b)
  const kept = scratch('kept')
  writeFileSync(kept, 'kept')
  const fds = [openSync(kept, 'r'), openSync('/', 'r')]
  try {
    const plain = await b.tryExec({ fds }, '/bin/probe', 'report')
    const [report] = b.answers(plain.stdout, [['report']])
    deepEqual(
      report.fds.map(({ fd }) => fd),
      [0, 1, 2],
    )
    const passed = await b.tryExec({ fds, flags: ['--preserve-fds', '1'] }, '/bin/probe', 'fd', '3')
    const [three] = b.answers(passed.stdout, [['fd']])
    equal(three.data, 'kept')
  } finally {
    for (const fd of fds) closeSync(fd)
  }
})

test(
  'exec: CVE-2024-21626: a working directory in /proc/self/fd does not lead out of the container',
  HERE,
  async () => {
    const b = await idle()
    const root = openSync('/', 'r')
    try {
      for (let fd = 0; fd < 24; fd++) {
        const flags = ['--cwd', `/proc/self/fd/${fd}`]
        const { status, stdout, stderr } = await b.tryExec({ fds: [root], flags }, '/bin/probe', 'ls', '.')
        if (status !== 0) {
          deepEqual([status, stdout], [255, ''], stderr)
        } else {
          ok(!stdout.includes('"boot"'), stdout)
        }
      }
    } finally {
      closeSync(root)
    }
  },
)

test('exec: ends with the status of the program, and 128 and the signal that ended it', async () => {
  const b = await idle()
  equal((await b.tryExec({}, '/bin/probe', 'exit', '42')).status, 42)
  const file = scratch('pid')
  const running = b.launchExec({ flags: ['--pid-file', file] }, '/bin/probe', 'sleep', '60')
  const pid = await eventually('the pid file', () => existsSync(file) && Number(readFileSync(file, 'utf8')))
  // The file is there before the program is: one that is killed in between is a failure of exec.
  await eventually(
    'the program',
    () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('/bin/probe') || undefined,
  )
  process.kill(pid, 'SIGKILL')
  equal((await running.exited).status, 137)
})

test('exec: a container that ends ends the exec', async () => {
  const b = await idle()
  const file = scratch('pid')
  const running = b.launchExec({ flags: ['--pid-file', file] }, '/bin/probe', 'sleep', '60')
  await eventually('the pid file', () => existsSync(file))
  await b.kill('KILL')
  notEqual((await running.exited).status, 0)
  await b.reaches('stopped')
})

test('exec: twenty at the same time', HERE, async () => {
  const b = await idle()
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, n) => b.tryExec({}, '/bin/probe', 'exit', String(n + 1))),
  )
  deepEqual(
    outcomes.map(({ status }) => status),
    outcomes.map((_, n) => n + 1),
  )
})
