// What engines call and parse, one line of it a test; what other files prove already is not repeated. Recorded of Docker,
// containerd, Podman with conmon, Buildah and BuildKit.
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bundle,
  callRuntime,
  consoleSocket,
  deepEqual,
  doesNotMatch,
  equal,
  eventually,
  includes,
  launch,
  match,
  notEqual,
  ok,
  readCgroup,
  requires,
  runtime,
  sandbox,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

const HERE: TestOptions = { only: ['tsrunc'] }
const TABLE: TestOptions = { peers: { crun: 'prints tables of its own' }, sometimes: true }

const idle = async (): Promise<Bundle> => {
  const b = await bundle()
  b.command(['sleep', '600'])
  return b
}

/** containerd's shim: the global options of every call. */
const shim = (b: Bundle): readonly string[] => ['--log', join(b.path, 'log.json'), '--log-format', 'json']

test('containerd: create, start, kill NUMBER, delete, then delete --force of an ID that is gone', async () => {
  const b = await idle()
  const global = shim(b)
  const pidFile = join(b.path, 'init.pid')
  await b.create({ global, flags: ['--pid-file', pidFile] })
  await b.start({ global })
  equal(readFileSync(pidFile, 'utf8'), String((await b.state()).pid))
  await b.kill('9', { global })
  await b.reaches('stopped')
  await b.delete({ global })
  equal((await b.tryCall('delete', { global, flags: ['--force'] })).status, 0)
})

test('containerd: kill --all ID NUMBER', async () => {
  const b = await idle()
  await b.create()
  await b.start()
  equal((await b.tryCall('kill', { flags: ['--all'] }, '9')).status, 0)
  await b.reaches('stopped')
})

test('containerd: exec --process FILE --detach --pid-file F ID', async () => {
  const b = await idle()
  await b.create()
  await b.start()
  const [file, pidFile] = [scratch('process.json'), scratch('exec.pid')]
  writeFileSync(file, JSON.stringify({ ...b.config.process, args: ['/bin/probe', 'sleep', '600'], terminal: false }))
  const flags = ['--process', file, '--detach', '--pid-file', pidFile]
  equal((await b.tryCall('exec', { global: shim(b), flags })).status, 0)
  const ps = await b.tryCall('ps', { flags: ['--format', 'json'] })
  includes((JSON.parse(ps.stdout) as number[]).map(String), readFileSync(pidFile, 'utf8'))
})

test('containerd: an error line of --log has the keys level, msg and time and no others', {
  peers: { crun: 'has no level' },
  sometimes: true,
}, async () => {
  const b = await bundle((c) => {
    c.process.args = ['/no/such']
  })
  const { status } = await b.tryRun({ global: shim(b) })
  equal(status, 1)
  const lines = readFileSync(join(b.path, 'log.json'), 'utf8').trimEnd().split('\n')
  const entries = lines.map((line) => JSON.parse(line) as Record<string, string>)
  for (const entry of entries) deepEqual(Object.keys(entry).sort(), ['level', 'msg', 'time'])
  const last = entries.findLast(({ level }) => level === 'error')
  match(last?.['msg'] ?? '', /no such file or directory/)
  match(last?.['time'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/)
})

for (const form of [['--resources=-'], ['--resources', '-']]) {
  test(`containerd: update ${form.join(' ')} ID reads JSON from standard input`, async () => {
    const b = await idle()
    await b.create()
    await b.start()
    const file = scratch('resources.json')
    writeFileSync(file, JSON.stringify({ pids: { limit: 17 } }))
    equal((await b.tryCall('update', { flags: form, stdin: file })).status, 0)
  })
}

test('containerd: pause and resume, with the variables of its shim', async () => {
  const b = await idle()
  const env = { PATH: process.env['PATH'] ?? '', TTRPC_ADDRESS: '/run/x.ttrpc', GOMAXPROCS: '2', NAMESPACE: 'moby' }
  const options = { global: shim(b), env }
  await b.create(options)
  await b.start(options)
  equal((await b.tryCall('pause', options)).status, 0)
  equal((await b.state()).status, 'paused')
  equal((await b.tryCall('resume', options)).status, 0)
  equal((await b.state()).status, 'running')
})

test('containerd: ps --format json is an array of numbers', async () => {
  const b = await idle()
  await b.create()
  await b.start()
  const { stdout } = await b.tryCall('ps', { global: shim(b), flags: ['--format', 'json'] })
  deepEqual(JSON.parse(stdout), [(await b.state()).pid])
})

test('containerd: an unrelated descriptor of create and start does not reach the program', async () => {
  const b = await bundle()
  b.command(['report'])
  const fds = [openSync('/', 'r')]
  try {
    await b.create({ fds })
    await b.start({ fds })
    await b.reaches('stopped')
    const [report] = b.answers(b.output(), [['report']])
    deepEqual(
      report.fds.map(({ fd }) => fd),
      [0, 1, 2],
    )
  } finally {
    for (const fd of fds) closeSync(fd)
  }
})

test('Podman: update --resources=FILE ID', async () => {
  const b = await idle()
  await b.create()
  await b.start()
  const file = scratch('resources.json')
  writeFileSync(file, JSON.stringify({ pids: { limit: 19 } }))
  equal((await b.tryCall('update', { flags: [`--resources=${file}`] })).status, 0)
  equal(readCgroup('pids', b.id, 'pids.max'), '19')
})

test('Podman 4: exec --pid-file F --process F --detach --tty --console-socket S ID', async () => {
  const b = await idle()
  await b.create()
  await b.start()
  const terminal = await consoleSocket()
  const [file, pidFile] = [scratch('process.json'), scratch('exec.pid')]
  const args = ['/bin/probe', 'terminal']
  writeFileSync(file, JSON.stringify({ ...b.config.process, args, terminal: true }))
  const flags = ['--pid-file', pidFile, '--process', file, '--detach', '--tty', '--console-socket', terminal.socket]
  equal((await b.tryCall('exec', { global: ['--log-format=json', `--log=${scratch('oci-log')}`], flags })).status, 0)
  await terminal.closed()
  const [answer] = b.answers(terminal.output(), [['terminal']])
  deepEqual(answer.isatty, [true, true, true])
  match(readFileSync(pidFile, 'utf8'), /^\d+$/)
})

test('BuildKit: run --bundle B --keep ID, then delete ID', {
  peers: { runc: 'since 1.1', crun: 'has no --keep in 1.8' },
  sometimes: true,
}, async () => {
  const b = await bundle()
  b.command(['exit', '3'])
  equal((await b.tryRun({ flags: ['--keep'] })).status, 3)
  equal((await b.state()).status, 'stopped')
  await b.delete()
  equal((await b.tryCall('state')).status, 1)
})

test('Podman: kill, delete, pause and resume with XDG_RUNTIME_DIR as the only variable', async () => {
  const b = await idle()
  await b.create()
  await b.start()
  const env = { XDG_RUNTIME_DIR: sandbox().directory }
  equal((await b.tryCall('pause', { env })).status, 0)
  equal((await b.state()).status, 'paused')
  equal((await b.tryCall('resume', { env })).status, 0)
  equal((await b.tryCall('kill', { env }, '9')).status, 0)
  equal((await b.tryCall('delete', { env, flags: ['--force'] })).status, 0)
})

test('Podman: create in an environment with the pipes of conmon does not hand them on', async () => {
  const b = await bundle((c) => {
    c.process.env = ['PATH=/bin', 'HOME=/']
  })
  b.command(['report'])
  const env = { PATH: process.env['PATH'] ?? '', _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4', _OCI_ATTACHPIPE: '5' }
  const outcome = await b.run({ env })
  const [report] = b.answers(outcome.stdout, [['report']])
  doesNotMatch(report.env.join(), /_OCI_/)
})

test('Podman: the names of the global options with an equals sign', async () => {
  const b = await idle()
  const log = scratch('oci-log')
  await b.create({ global: ['--log-format=json', `--log=${log}`] })
  equal((await b.state()).status, 'created')
})

test('Buildah: create --no-new-keyring, start, state, delete: the session keyring is the caller’s', async () => {
  const b = await bundle()
  b.command(['keyring'])
  const env = { PATH: process.env['PATH'] ?? '', LOGLEVEL: 'warn' }
  await b.create({ env, flags: ['--no-new-keyring', '--pid-file', join(b.path, 'pid')] })
  await b.start({ env })
  await b.reaches('stopped')
  const [keyring] = b.answers(b.output(), [['keyring']])
  equal(keyring.description.includes(b.id), false)
  await b.delete({ env })
})

test('Buildah: a dozen descriptors of the caller do not reach the program', async () => {
  const b = await bundle()
  b.command(['report'])
  const fds = Array.from({ length: 12 }, () => openSync('/', 'r'))
  try {
    const outcome = await b.run({ fds })
    const [report] = b.answers(outcome.stdout, [['report']])
    deepEqual(
      report.fds.map(({ fd }) => fd),
      [0, 1, 2],
    )
  } finally {
    for (const fd of fds) closeSync(fd)
  }
})

test('go-runc: a pid file appears whole, by rename: a link to another file is replaced, not followed', {
  peers: { crun: 'writes into the file' },
  sometimes: true,
}, async () => {
  const b = await idle()
  const directory = scratch('pids')
  mkdirSync(directory)
  const [target, link] = [join(directory, 'target'), join(directory, 'pid')]
  writeFileSync(target, 'other')
  ;(await import('node:fs')).symlinkSync(target, link)
  await b.create({ flags: ['--pid-file', link] })
  equal(readFileSync(target, 'utf8'), 'other')
  equal(readFileSync(link, 'utf8'), String((await b.state()).pid))
  deepEqual(readdirSync(directory).sort(), ['pid', 'target'])
})

const isChildOf = (pid: number, parent: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nPPid:\t${parent}\n`)
  } catch {
    return false
  }
}

/** A process that lost its parent in the container, which has the pid namespace of the host, and the pid of `run`. */
const orphan = async (...flags: readonly string[]): Promise<{ readonly parent: number; readonly run: number }> => {
  requires('root', 'busybox')
  const b = await bundle(({ linux }) => {
    linux.namespaces = linux.namespaces?.filter(({ type }) => type !== 'pid')
  })
  addBusybox(b.rootfs)
  b.config.process.args = ['/bin/sh', '-c', '(sleep 600 & echo "orphan $!"); exec sleep 600']
  b.save()
  const running = b.launchRun({ flags })
  const [, pid = ''] = /orphan (\d+)\n/.exec(await b.line(/orphan \d+\n/)) ?? []
  const parentOf = (): number => Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  // The subshell that made it is init's child; it has ended when its parent is another one.
  const first = parentOf()
  const { pid: init } = await b.state()
  const before = await eventually('another parent', () => {
    const now = parentOf()
    return now !== init && (now !== first || !isChildOf(first, init)) && now
  })
  const run = await running.pid
  await b.tryCall('kill', { flags: ['--all'] }, 'KILL')
  await running.exited
  return { parent: before, run }
}

test('run: a process that the container leaves behind becomes a child of run', async () => {
  const { parent, run } = await orphan()
  equal(parent, run)
})

test('run --no-subreaper: it becomes the child of whoever reaps for the caller', {
  peers: { crun: 'reaps all the same' },
}, async () => {
  const { parent, run } = await orphan('--no-subreaper')
  notEqual(parent, run)
})

test('list: the header of the table, as scripts cut it', TABLE, async () => {
  const { stdout } = await callRuntime(['list'])
  deepEqual(stdout.split('\n')[0]?.trimEnd().split(/\s+/), ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'])
})

test('state: indented by two, the time of creation with nanoseconds in UTC', TABLE, async () => {
  const b = await idle()
  await b.create()
  const { stdout } = await b.tryCall('state')
  match(stdout, /^\{\n {2}"ociVersion": "\d+\.\d+\.\d+[^"]*",\n {2}"id": "/)
  match(stdout, /"created": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z"/)
})

test('exit codes: 1 for what the runtime refuses, by any verb but exec', async () => {
  for (const verb of ['state', 'start', 'kill', 'delete', 'pause', 'resume']) {
    equal((await callRuntime([verb, 'no-such-container'])).status, 1, verb)
  }
})

test('exit codes: 255 for what the runtime refuses to exec', {
  peers: { crun: 'ends with 1' },
  sometimes: true,
}, async () => {
  const b = await idle()
  equal((await callRuntime(['exec', 'no-such-container', 'true'])).status, 255)
  await b.create()
  await b.start()
  equal((await b.tryExec({}, '/no/such')).status, 255)
  equal((await b.tryExec({ flags: ['--cwd', '/no/such'] }, '/bin/probe', 'echo')).status, 255)
})

test(
  'a node that cannot be started: exec ends with 255, create with 1, both say so; verbs without node go on',
  HERE,
  async () => {
    const b = await idle()
    await b.create()
    await b.start()
    // No memory to map: the launcher runs, what is larger does not.
    const within = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', HIDE_NODE, 'sh']
    const exec = await b.tryExec({ within }, '/bin/probe', 'echo')
    equal(exec.status, 255, exec.stderr)
    match(exec.stderr, /node/)
    const created = await callRuntime(['create', '--bundle', b.path, `${b.id}-2`], { within })
    equal(created.status, 1, created.stderr)
    match(created.stderr, /node/)
    equal((await b.tryCall('state', { within })).status, 0)
  },
)

/** In a mount namespace of its own no path leads to a node that can be run. */
const HIDE_NODE = [
  `for n in ${process.execPath} /usr/bin/node /usr/local/bin/node $(command -v node); do`,
  '  test ! -e "$n" || mount --bind /dev/null "$(readlink -f "$n")"',
  'done',
  'exec "$@"',
].join('\n')

test('features: one JSON document on standard output, nothing on standard error', {
  peers: { crun: 'not in 1.8' },
  sometimes: true,
}, async () => {
  const { status, stdout, stderr } = await launch([runtime().path, 'features']).exited
  equal(status, 0)
  ok('ociVersionMin' in (JSON.parse(stdout) as object))
  equal(stderr, '')
})

test('Podman: checkpoint --help answers whether there is checkpoint', HERE, async () => {
  const { status } = await callRuntime(['checkpoint', '--help'])
  ok(status === 0 || status === 1)
  equal(existsSync(sandbox().directory), true)
})
