// --log-driver and logs; what cannot be written anywhere.
import { existsSync, readFileSync } from 'node:fs'
import {
  addBusybox,
  type Bundle,
  bundle,
  deepEqual,
  equal,
  eventually,
  leftSoFar,
  match,
  ok,
  scratch,
  type TestOptions,
  test,
} from '../../lib'
import { exitOf, MonitorClient, monitorPid, readExit } from './client'

const OURS: TestOptions = { only: ['tsrunc'], timeout: 180_000 }

const shell = async (script: string): Promise<Bundle> => {
  const b = await bundle((c) => {
    c.process.args = ['/bin/sh', '-c', script]
  })
  addBusybox(b.rootfs)
  return b
}

const logged = (b: Bundle, driver: string, path: string, ...flags: readonly string[]) =>
  b.run({ flags: ['--detach', '--monitor', '--log-driver', driver, '--log-path', path, ...flags] })

const TIME = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z'

const waited = async (b: Bundle): Promise<void> => {
  equal((await b.tryCall('wait')).status, 0)
}

test('--log-driver k8s-file: records of the CRI, which logs makes one text of again', OURS, async () => {
  const b = await shell('echo one; echo two >&2; printf "no end"; exit 0')
  const path = scratch('log')
  await logged(b, 'k8s-file', path)
  await waited(b)
  const text = readFileSync(path, 'utf8')
  for (const line of ['stdout F one', 'stderr F two', 'stdout P no end'])
    match(text, new RegExp(`^${TIME} ${line}$`, 'm'))
  const { stdout, stderr } = await b.tryCall('logs')
  deepEqual([stdout, stderr], ['one\nno end', 'two\n'])
  match((await b.tryCall('logs', { flags: ['--timestamps'] })).stdout, new RegExp(`^${TIME} one\n${TIME} no end$`))
  equal((await b.tryCall('logs', { flags: ['--tail', '0'] })).stderr, '')
})

test('--log-driver json-file: whatever bytes come, each record is JSON', OURS, async () => {
  const b = await shell(
    'printf "\\303\\244 \\"q\\" \\\\\\\\ \\001\\t\\n\\377x\\303"; sleep 0; printf "\\244\\n"; head -c 9000 /dev/zero | tr "\\0" y',
  )
  const path = scratch('log')
  await logged(b, 'json-file', path)
  await waited(b)
  const records = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { log: string; stream: string; time: string })
  const expected = `ä "q" \\ \u0001\t\n\ufffdxä\n${'y'.repeat(9000)}`
  equal(records.map(({ log }) => log).join(''), expected)
  for (const { stream, time } of records) {
    equal(stream, 'stdout')
    match(time, new RegExp(`^${TIME}$`))
  }
  equal((await b.tryCall('logs')).stdout, expected)
})

test('a log that is full begins anew, and logs reads all that is kept', OURS, async () => {
  for (const driver of ['k8s-file', 'json-file', 'raw']) {
    const b = await shell('seq 1 3000')
    const path = scratch(`log-${driver}`)
    await logged(b, driver, path, '--log-size-max', '50000', '--log-files-max', '3')
    await waited(b)
    const sizes = [path, `${path}.1`, `${path}.2`, `${path}.3`].map((file) =>
      existsSync(file) ? readFileSync(file).length : 0,
    )
    ok(sizes.every((size) => size <= 50_000) && sizes[3] === 0, `${driver}: ${sizes}`)
    const { stdout } = await b.tryCall('logs')
    ok(stdout.endsWith('2999\n3000\n'), stdout.slice(-40))
    const lines = stdout.trimEnd().split('\n')
    if (driver !== 'raw') {
      const first = Number(lines[0])
      deepEqual(
        lines,
        Array.from({ length: 3001 - first }, (_, i) => String(first + i)),
      )
    }
    equal((await b.tryCall('logs', { flags: ['--tail', '2'] })).stdout, '2999\n3000\n')
  }
})

test('logs --follow sees what comes, and ends with the process', OURS, async () => {
  const b = await shell('echo first; while read x; do echo "got $x"; done; echo last')
  const path = scratch('log')
  await logged(b, 'k8s-file', path, '--interactive', '--log-size-max', '200', '--log-files-max', '100')
  const follower = b.launchCall('logs', { flags: ['--follow'] })
  const client = await new MonitorClient(b).attach()
  for (let i = 1; i <= 20; i++) {
    client.send('I', `${i}\n`)
    await eventually(`line ${i}`, () => follower.stdout().includes(`got ${i}\n`), 30_000)
  }
  client.send('C')
  await client.exit()
  client.close()
  const { status, stdout } = await follower.exited
  equal(status, 0)
  const got = Array.from({ length: 20 }, (_, i) => `got ${i + 1}\n`).join('')
  equal(stdout, `first\n${got}last\n`)
})

test('without a log, with wrong values: errors', OURS, async () => {
  const b = await shell('true')
  const refused = async (flags: readonly string[], words: RegExp) => {
    const { status, stderr } = await b.tryRun({ flags: ['--detach', ...flags] })
    equal(status, 1)
    match(stderr, words)
    deepEqual(await leftSoFar(), [])
  }
  await refused(['--monitor', '--log-driver', 'raw'], /--log-driver raw needs --log-path/)
  await refused(['--monitor', '--log-path', '/x'], /--log-path needs --log-driver/)
  await refused(['--log-driver', 'raw', '--log-path', '/x'], /--log-driver needs --monitor/)
  await refused(['--monitor', '--log-driver', 'raw', '--log-path', '/dev/null'], /a log is a regular file/)
  await refused(
    ['--monitor', '--log-driver', 'raw', '--log-path', scratch('l'), '--log-size-max', '-1'],
    /--log-size-max/,
  )
  await b.run({ flags: ['--detach', '--monitor'] })
  const { status, stderr } = await b.tryCall('logs')
  equal(status, 1)
  match(stderr, /there is no log/)
})

test('what cannot be written stops nobody, and is counted', OURS, async () => {
  const b = await shell('head -c 300000 /dev/zero; echo done >&2')
  const err = scratch('err')
  await b.run({ flags: ['--detach', '--monitor', '--stdout', '/dev/full', '--stderr', err] })
  const record = await exitOf(b)
  deepEqual([record.code, record.lost], [0, 300_000])
  equal(readFileSync(err, 'utf8'), 'done\n')
})

test('a client that never reads is dropped, and the container goes on', OURS, async () => {
  const b = await shell('read x; head -c 3000000 /dev/zero; exit 2')
  await b.run({ flags: ['--detach', '--monitor', '--interactive'] })
  const [lazy, good] = [await new MonitorClient(b).attach(), await new MonitorClient(b).attach()]
  lazy.pause()
  good.send('I', '\n')
  equal((await good.exit()).code, 2)
  equal(good.of('O').length, 3_000_000)
  lazy.resume()
  await lazy.closed()
  equal(lazy.count('X'), 0)
})

test('many that end at once: no exit code is lost, none is wrong', { only: ['tsrunc'], timeout: 600_000 }, async () => {
  const b = await shell('sleep 600')
  const twins: Bundle[] = []
  for (let i = 0; i < 40; i++) {
    const twin = b.twin()
    await twin.run({ flags: ['--detach', '--monitor'] })
    twins.push(twin)
  }
  const pids = await Promise.all(twins.map(async (twin) => (await twin.state()).pid))
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  for (const [i, twin] of twins.entries()) {
    const { pid, signal } = await exitOf(twin)
    deepEqual([pid, signal], [pids[i], 9])
    equal(readExit(twin).lost, 0)
    ok(monitorPid(twin) > 0)
  }
})
