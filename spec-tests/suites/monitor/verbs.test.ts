// exec --monitor, wait, attach and resize.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  addBusybox,
  type Bundle,
  bundle,
  callRuntime,
  deepEqual,
  equal,
  eventually,
  leftSoFar,
  match,
  notEqual,
  onTerminal,
  runtime,
  sandbox,
  scratch,
  type TestOptions,
  test,
} from '../../lib'
import { exitOf, MonitorClient, monitorEnds, monitorPid, readExit } from './client'

const OURS: TestOptions = { only: ['tsrunc'], timeout: 120_000 }

const shell = async (script: string, terminal = false): Promise<Bundle> => {
  const b = await bundle((c) => {
    c.process.args = ['/bin/sh', '-c', script]
    c.process.terminal = terminal
  })
  addBusybox(b.rootfs)
  return b
}

const typed = (text: string): string => {
  const path = scratch('typed')
  writeFileSync(path, text)
  return path
}

const monitored = (b: Bundle, ...flags: readonly string[]) => b.run({ flags: ['--detach', '--monitor', ...flags] })

const execed = (b: Bundle, flags: readonly string[], script: string) =>
  b.tryExec({ flags: ['--detach', '--monitor', ...flags] }, '/bin/sh', '-c', script)

test('exec --monitor: streams, exit code, and names that are given again', OURS, async () => {
  const b = await shell('sleep 600')
  await b.create()
  await b.start()
  const out = scratch('out')
  equal((await execed(b, ['--exec-id', 'one', '--stdout', out], 'echo hello; exit 5')).status, 0)
  equal((await b.tryCall('wait', { flags: ['--exec-id', 'one'] })).stdout, '5\n')
  equal(readFileSync(out, 'utf8'), 'hello\n')
  equal((await execed(b, ['--exec-id', 'one', '--interactive'], 'cat; exit 6')).status, 0)
  const again = await execed(b, ['--exec-id', 'one'], 'true')
  equal(again.status, 255)
  match(again.stderr, /there is a process of that name already/)
  const client = await new MonitorClient(b, 'exec-one').attach()
  client.send('I', 'typed').send('C')
  equal((await client.exit()).code, 6)
  equal(client.of('O').toString(), 'typed')
  // The monitor is still there for this client.
  equal((await execed(b, ['--exec-id', 'one'], 'exit 7')).status, 0)
  equal((await b.tryCall('wait', { flags: ['--exec-id', 'one'] })).stdout, '7\n')
  equal((await execed(b, [], 'exit 1')).status, 0)
  equal((await execed(b, [], 'exit 2')).status, 0)
  deepEqual([(await exitOf(b, 'exec-1')).code, (await exitOf(b, 'exec-2')).code], [1, 2])
})

test('exec --monitor of what cannot be executed is an error and leaves no monitor', OURS, async () => {
  const b = await shell('sleep 600')
  await b.create()
  await b.start()
  const outcome = await b.tryExec({ flags: ['--detach', '--monitor', '--exec-id', 'x'] }, '/no/such/program')
  equal(outcome.status, 255)
  match(outcome.stderr, /no such file or directory/)
  equal(existsSync(join(sandbox().marks.root, b.id, 'monitor', 'exec-x')), false)
  const refused = async (flags: readonly string[], words: RegExp) => {
    const { status, stderr } = await b.tryExec({ flags }, '/bin/true')
    equal(status, 255)
    match(stderr, words)
  }
  await refused(['--monitor'], /--monitor needs --detach/)
  await refused(['--detach', '--exec-id', 'x'], /--exec-id needs --monitor/)
  await refused(['--detach', '--monitor', '--exec-id', 'a/b'], /invalid value "a\/b" of --exec-id/)
})

test('exec --monitor --tty: attach and resize by its name', OURS, async () => {
  const b = await shell('sleep 600')
  await b.create()
  await b.start()
  equal((await execed(b, ['--exec-id', 't', '--tty'], 'read x; stty size; echo "got $x"; exit 8')).status, 0)
  const resized = await callRuntime(['resize', '--exec-id', 't', b.id, '31', '71'])
  equal(resized.status, 0, resized.stderr)
  const attached = await b.launchCall('attach', { flags: ['--exec-id', 't'], stdin: typed('word\n') }).exited
  match(attached.stdout, /31 71\r\ngot word\r\n/)
  equal(attached.status, 8)
})

test('wait: before and long after the end, for everybody, as text and as JSON', OURS, async () => {
  const b = await shell('read x; exit 12')
  await monitored(b, '--interactive')
  const waiters = [b.launchCall('wait'), b.launchCall('wait', { flags: ['--format', 'json'] })]
  const client = await new MonitorClient(b).attach()
  client.send('I', '\n')
  await client.exit()
  client.close()
  const [text, json] = await Promise.all(waiters.map((waiter) => waiter.exited))
  deepEqual([text?.status, text?.stdout], [0, '12\n'])
  equal(JSON.parse(json?.stdout ?? '').code, 12)
  await monitorEnds(monitorPid(b))
  equal((await b.tryCall('wait')).stdout, '12\n')
  equal((await b.tryCall('wait', { flags: ['--format', 'json'] })).stdout, json?.stdout)
})

test('wait: a signal is 128 and its number', OURS, async () => {
  const b = await shell('sleep 600')
  await monitored(b)
  await b.kill('KILL')
  equal((await b.tryCall('wait')).stdout, '137\n')
})

test(
  'wait: without a monitor, and where it was killed, an exit code that nobody knows is no exit code',
  OURS,
  async () => {
    const unmonitored = await shell('exit 3')
    await unmonitored.run({ flags: ['--detach'] })
    await unmonitored.reaches('stopped')
    const outcome = await unmonitored.tryCall('wait')
    deepEqual([outcome.status, outcome.stdout], [1, ''])
    match(outcome.stderr, /its exit code is not known: it had no monitor/)
    const b = await shell('sleep 600')
    await monitored(b)
    const monitor = monitorPid(b)
    const waiter = b.launchCall('wait')
    process.kill(monitor, 'SIGKILL')
    await monitorEnds(monitor)
    await b.kill('KILL')
    await b.reaches('stopped')
    await waiter.exited
    const late = await b.tryCall('wait')
    deepEqual([late.status, late.stdout], [1, ''])
    match(late.stderr, /its exit code is not known: its monitor was killed/)
    const flipped = await shell('exit 1')
    await monitored(flipped)
    await exitOf(flipped)
    notEqual((await flipped.tryCall('wait', { flags: ['--exec-id', 'none'] })).status, 0)
  },
)

test('attach: streams apart, input to its end, and the exit code', OURS, async () => {
  const b = await shell('while read x; do echo "got $x"; echo "err $x" >&2; done; exit 9')
  await monitored(b, '--interactive')
  const { status, stdout, stderr } = await b.launchCall('attach', { stdin: typed('one\ntwo\n') }).exited
  deepEqual([status, stdout, stderr], [9, 'got one\ngot two\n', 'err one\nerr two\n'])
  equal(readExit(b).code, 9)
  const late = await b.tryCall('attach')
  equal(late.status, 1)
  match(late.stderr, /the process has ended/)
})

test('attach: --no-stdin only watches', OURS, async () => {
  const b = await shell('while read x; do echo "got $x"; done; exit 3')
  await monitored(b, '--interactive')
  const watcher = b.launchCall('attach', { flags: ['--no-stdin'], stdin: typed('of the watcher\n') })
  const client = await new MonitorClient(b).attach()
  // It is attached once it sees something.
  await eventually('the watcher', () => {
    client.send('I', 'mine\n')
    return watcher.stdout().includes('got mine')
  })
  client.send('C')
  const { status, stdout } = await watcher.exited
  equal(status, 3)
  match(stdout, /^(got mine\n)+$/)
})

test('attach: a client that stands still while the process ends gets the rest', OURS, async () => {
  const script = 'while read x n; do [ $x = go ] && break; echo $x; done; head -c $n /dev/zero | tr "\\0" x; echo end'
  const b = await shell(script)
  // Somewhere between these a socket is full and what is left has room in the pipe, so that the process can end.
  const lengths: [number, number][] = []
  for (let size = 300_000; size <= 600_000; size += 30_000) {
    const twin = b.twin()
    await monitored(twin, '--interactive')
    const client = new MonitorClient(twin)
    const watcher = twin.launchCall('attach', { flags: ['--no-stdin'] })
    await eventually('the watcher', () => {
      client.send('I', 'hello\n')
      return watcher.stdout().includes('hello')
    })
    await watcher.kill('SIGSTOP')
    client.send('I', `go ${size}\n`)
    await sleep(300)
    await watcher.kill('SIGCONT')
    const { status, stdout } = await watcher.exited
    // On a busy host it may have stood still for so long that it was dropped.
    if (status === 0) lengths.push([stdout.replace(/^(hello\n)+/, '').length, size + 4])
    equal((await exitOf(twin)).lost, 0)
    client.close()
    await twin.delete()
  }
  notEqual(lengths.length, 0)
  for (const [seen, written] of lengths) equal(seen, written)
})

test('attach: on a terminal, with its size; ctrl-p ctrl-q leaves the container alone', OURS, async () => {
  const b = await shell('read x; stty size; echo "got $x"; read y; exit 4', true)
  await monitored(b)
  const attach = [runtime().path, '--root', sandbox().marks.root, 'attach', b.id]
  const person = onTerminal(attach, 27, 67)
  person.type('hi\r')
  await person.sees(/27 67\r+\ngot hi/)
  person.type('\x10\x11')
  equal(await person.exited(), 0)
  equal((await b.state()).status, 'running')
  await b.delete({ flags: ['--force'] })
  deepEqual(await leftSoFar(), [])
})
