// --monitor: who holds a detached container's streams, and notes how it ended.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bundle,
  callRuntime,
  cgroupVersion,
  deepEqual,
  equal,
  eventually,
  expectStatus,
  launch,
  leftSoFar,
  match,
  notEqual,
  ok,
  requires,
  requiresThat,
  sandbox,
  scratch,
  type TestOptions,
  test,
} from '../../lib'
import { exitOf, MonitorClient, monitorEnds, monitorPid, privateKilobytes, readExit } from './client'

const OURS: TestOptions = { only: ['tsrunc'], timeout: 120_000 }

const shell = async (script: string, terminal = false): Promise<Bundle> => {
  const b = await bundle((c) => {
    c.process.args = ['/bin/sh', '-c', script]
    c.process.terminal = terminal
  })
  addBusybox(b.rootfs)
  return b
}

const monitored = (b: Bundle, ...flags: readonly string[]) => b.run({ flags: ['--detach', '--monitor', ...flags] })

const fifo = (name: string): string => {
  const path = scratch(name)
  execFileSync('mkfifo', [path])
  return path
}

const output = (name: string): string => scratch(name)

test('run --monitor: the streams go where they should, and the end is on record', OURS, async () => {
  const b = await shell('echo out; echo error >&2; exit 7')
  const [out, err] = [fifo('out'), output('err')]
  const reader = launch(['cat', out])
  await monitored(b, '--stdout', out, '--stderr', err)
  const record = await exitOf(b)
  equal((await reader.exited).stdout, 'out\n')
  equal(readFileSync(err, 'utf8'), 'error\n')
  const { checksum, time, pid, ...rest } = record
  deepEqual(rest, { version: 1, code: 7, signal: null, oom: false, lost: 0 })
  match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
  match(checksum, /^[0-9a-f]{8}$/)
  ok(pid > 0)
  equal((await b.state()).status, 'stopped')
})

test('run --monitor: the signal that has ended the process is on record', OURS, async () => {
  const b = await shell('sleep 600')
  await monitored(b)
  await b.kill('KILL')
  const { code, signal } = await exitOf(b)
  deepEqual([code, signal], [null, 9])
})

test('create --monitor: start is left to somebody else', OURS, async () => {
  const b = await shell('cat; exit 3')
  const [input, out] = [scratch('in'), output('out')]
  execFileSync('sh', ['-c', `echo typed > ${input}`])
  await b.create({ flags: ['--monitor', '--stdin', input, '--stdout', out] })
  equal((await b.state()).status, 'created')
  const monitor = monitorPid(b)
  notEqual(readFileSync(`/proc/${monitor}/cmdline`, 'utf8'), '')
  await b.start()
  equal((await exitOf(b)).code, 3)
  equal(readFileSync(out, 'utf8'), 'typed\n')
  await monitorEnds(monitor)
  await b.delete()
  deepEqual(await leftSoFar(), [])
})

test(
  'a monitor has little memory of its own, no descriptor of its caller, and is in no cgroup of the container',
  OURS,
  async () => {
    const b = await shell('cat')
    await monitored(b, '--interactive')
    const monitor = monitorPid(b)
    // Behind the word that it is there it lets go of what only its start has needed.
    await eventually('a small monitor', () => privateKilobytes(monitor) <= 512)
    ok(!readFileSync(`/proc/${monitor}/cgroup`, 'utf8').includes(b.id))
    const names = readFileSync(`/proc/${monitor}/environ`, 'utf8')
    equal(names.includes('PATH='), false, names)
    const client = await new MonitorClient(b).attach()
    const text = 'x'.repeat(300_000)
    for (let at = 0; at < text.length; at += 50_000) client.send('I', text.slice(at, at + 50_000))
    client.send('C')
    equal((await client.exit()).code, 0)
    equal(client.of('O').length, text.length)
    equal(existsSync(join(sandbox().marks.root, b.id, 'monitor', 'init', 'socket')), false)
  },
)

/** Cgroups of a caller, in each hierarchy, and what enters them. */
const service = () => {
  const hierarchies = cgroupVersion() === 2 ? [''] : ['freezer', 'pids', 'memory', 'systemd']
  const paths = hierarchies
    .map((name) => join('/sys/fs/cgroup', name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')))
    .map((path) => join(path, `${sandbox().tag}.service`))
  for (const path of paths) mkdirSync(path)
  sandbox().undo.push(() => {
    for (const path of paths) rmdirSync(path)
  })
  const enter = paths.map((path) => `echo $$ > ${path}/cgroup.procs`).join('; ')
  return { within: ['sh', '-c', `${enter}; exec "$@"`, 'in'], name: `${sandbox().tag}.service` }
}

const cgroupsOf = (pid: number | 'self'): string => readFileSync(`/proc/${pid}/cgroup`, 'utf8')

test("a monitor is in no cgroup of its caller's, whose service may end", OURS, async () => {
  requires('root')
  const { within, name } = service()
  const b = await shell('sleep 600')
  await b.run({ flags: ['--detach', '--monitor'], within })
  const flags = ['--detach', '--monitor', '--exec-id', 'more']
  expectStatus(await b.tryExec({ flags, within }, '/bin/sleep', '600'))
  for (const which of ['init', 'exec-more']) equal(cgroupsOf(monitorPid(b, which)).includes(name), false, which)
  const pids = JSON.parse((await callRuntime(['ps', '--format', 'json', b.id])).stdout) as readonly number[]
  for (const pid of pids) match(cgroupsOf(pid), new RegExp(b.id))
  await b.delete({ flags: ['--force'] })
})

test("what a hook leaves stays in its caller's cgroup, and the monitor does not", OURS, async () => {
  requires('root')
  const { within, name } = service()
  const seen = scratch('seen')
  const b = await shell('sleep 600')
  b.config.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', `cat /proc/self/cgroup > ${seen}`] }] }
  b.save()
  await b.run({ flags: ['--detach', '--monitor'], within })
  match(readFileSync(seen, 'utf8'), new RegExp(name))
  equal(cgroupsOf(monitorPid(b)).includes(name), false)
  await b.delete({ flags: ['--force'] })
})

test('on v2 a monitor is made outside of the cgroup of its caller', OURS, async () => {
  requires('root', 'cgroup-v2')
  requiresThat(existsSync('/usr/bin/strace'), 'strace')
  const { within } = service()
  const b = await shell('sleep 600')
  const trace = scratch('trace')
  const calls = ['strace', '-o', trace, '-e', 'trace=clone3']
  await b.run({ flags: ['--detach', '--monitor'], within: [...within, ...calls] })
  match(readFileSync(trace, 'utf8'), /clone3\(\{flags=CLONE_PIDFD\|CLONE_INTO_CGROUP,/)
  match(cgroupsOf(monitorPid(b)), /^0::\/tsrunc-planner$/m)
  await b.delete({ flags: ['--force'] })
})

test(
  'a client sees output and errors apart, gives input, and is told the exit behind the last byte',
  OURS,
  async () => {
    const b = await shell('while read line; do echo "got $line"; echo "err $line" >&2; done; echo last; exit 9')
    await monitored(b, '--interactive')
    const [client, waiter] = [await new MonitorClient(b).attach(), new MonitorClient(b).send('W')]
    const errors = await new MonitorClient(b).attach(4)
    client.send('I', 'one\n')
    await client.seen('got one\n')
    client.send('C')
    const record = await client.exit()
    deepEqual([record.code, (await waiter.exit()).code, (await errors.exit()).code], [9, 9, 9])
    equal(client.of('O').toString(), 'got one\nlast\n')
    equal(client.of('E').toString(), 'err one\n')
    deepEqual([errors.of('O').length, errors.of('E').toString()], [0, 'err one\n'])
    deepEqual(record, readExit(b))
    equal(client.frames().at(-1)?.[0], 'X')
  },
)

test('a terminal: size, input, and all of its output before the exit', OURS, async () => {
  const b = await shell('stty size; read x; stty size; echo "got $x"; seq 1 20000', true)
  await b.create({ flags: ['--monitor'] })
  const client = await new MonitorClient(b).attach()
  client.send('R', Uint8Array.of(33, 0, 77, 0))
  await b.start()
  await client.seen('33 77')
  client.send('R', Uint8Array.of(20, 0, 40, 0)).send('I', 'hello\r')
  equal((await client.exit()).code, 0)
  const text = client.of('O').toString()
  match(text, /20 40\r\ngot hello\r\n1\r\n/)
  ok(text.endsWith('\r\n19999\r\n20000\r\n'), text.slice(-40))
})

test('what is no frame of a client is refused, and the others are served on', OURS, async () => {
  const b = await shell('cat; exit 4')
  await monitored(b, '--interactive')
  const good = await new MonitorClient(b).attach()
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'A\xff\xff\xff\xff', 'R\x05\0\0\0', 'I\x01\0\x01\0']) {
    const bad = new MonitorClient(b).raw(Buffer.from(bytes, 'latin1'))
    match((await bad.frame('F')).toString(), /no frame/)
    await bad.closed()
  }
  match((await new MonitorClient(b).send('R', new Uint8Array(4)).frame('F')).toString(), /no terminal/)
  good.send('C')
  equal((await good.exit()).code, 4)
})

test('the last byte of short programs is never lost', { only: ['tsrunc'], timeout: 300_000 }, async () => {
  for (const terminal of [false, true]) {
    const b = await shell('head -c 60000 /dev/zero | tr "\\0" x; echo end', terminal)
    for (let round = 0; round < 15; round++) {
      const twin = b.twin()
      const out = output(`out-${terminal}-${round}`)
      await monitored(twin, '--stdout', out)
      equal((await exitOf(twin)).lost, 0)
      const text = readFileSync(out, 'utf8')
      const expected = `${'x'.repeat(60_000)}end${terminal ? '\r' : ''}\n`
      const sum = (of: string) => createHash('sha256').update(of).digest('hex')
      equal(sum(text), sum(expected), `${text.length} bytes`)
      await twin.delete()
    }
  }
})

test('delete --force ends a monitor that is left, and takes everything away', OURS, async () => {
  const b = await shell('sleep 600')
  await monitored(b, '--stdout', fifo('nobody-reads'))
  const monitor = monitorPid(b)
  await b.delete({ flags: ['--force'] })
  await monitorEnds(monitor)
  deepEqual(await leftSoFar(), [])
})

test('a monitor that is killed takes nothing of the container with it; it can be deleted', OURS, async () => {
  const b = await shell('sleep 600')
  await monitored(b)
  process.kill(monitorPid(b), 'SIGKILL')
  await monitorEnds(monitorPid(b))
  equal((await b.state()).status, 'running')
  await b.delete({ flags: ['--force'] })
  deepEqual(await leftSoFar(), [])
})

test('what cannot be had is an error, and leaves nothing', OURS, async () => {
  const b = await shell('true')
  const refused = async (flags: readonly string[], words: RegExp) => {
    const outcome = await b.tryRun({ flags })
    equal(outcome.status, 1)
    match(outcome.stderr, words)
    deepEqual(await leftSoFar(), [])
  }
  await refused(['--monitor'], /--monitor needs --detach/)
  await refused(['--detach', '--stdout', '/x'], /--stdout needs --monitor/)
  await refused(['--detach', '--interactive'], /--interactive needs --monitor/)
  await refused(['--detach', '--monitor', '--console-socket', '/x'], /--console-socket/)
  await refused(['--detach', '--monitor', '--stdout', '/no/such/file'], /open \/no\/such\/file: no such file/)
  await refused(['--detach', '--monitor', '--stdin', '/no/such/file'], /open \/no\/such\/file: no such file/)
  b.config.process.args = ['/no/such/program']
  b.save()
  await refused(['--detach', '--monitor'], /no such file or directory/)
})
