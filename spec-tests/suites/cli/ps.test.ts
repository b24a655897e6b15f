// `ps`: the processes of a container, as pids of the host.
import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, callRuntime, deepEqual, equal, match, ok, type TestOptions, test } from '../../lib'

const HERE: TestOptions = { only: ['tsrunc'] }

test('ps --format json: a list of pids, in one line', async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const { pid } = await b.state()
  const { status, stdout } = await callRuntime(['ps', '--format', 'json', b.id])
  equal(status, 0)
  deepEqual(JSON.parse(stdout), [pid])
})

test('ps: a created and a running container have processes, a stopped one has none', HERE, async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const { pid } = await b.state()
  await b.start()
  const list = async (): Promise<string> => (await callRuntime(['ps', '--format=json', b.id])).stdout
  equal(await list(), `[${pid}]\n`)
  await b.kill('KILL')
  await b.reaches('stopped')
  equal(await list(), '[]\n')
})

test('ps: the table of the host, with the lines of the container', {
  peers: { crun: 'prints pids alone' },
}, async () => {
  const b = await bundle()
  b.command(['sleep', '30'])
  await b.create()
  const { pid } = await b.state()
  const { status, stdout } = await callRuntime(['ps', b.id])
  equal(status, 0)
  const lines = stdout.trimEnd().split('\n')
  match(lines[0] ?? '', /^UID +PID +PPID/)
  deepEqual(
    lines.slice(1).map((line) => Number(line.trim().split(/\s+/)[1])),
    [pid],
  )
})

test('ps: options behind the ID are for ps of the host, whatever blanks are in names', {
  peers: { runc: '1.1 is put out by them', crun: 'prints pids alone' },
}, async () => {
  const b = await bundle()
  copyFileSync(join(b.rootfs, 'bin/probe'), join(b.rootfs, 'bin/two words'))
  chmodSync(join(b.rootfs, 'bin/two words'), 0o755)
  b.command(['sleep', '30'])
  b.config.process.args = ['/bin/two words', ...(b.config.process.args ?? []).slice(1)]
  b.save()
  await b.create()
  await b.start()
  const { stdout } = await callRuntime(['ps', b.id, '-e', '-o', 'comm,pid'])
  match(stdout, /^COMMAND +PID\ntwo words +\d+\n$/)
})

test('ps: options without pids, and options that ps refuses, are errors', HERE, async () => {
  const b = await bundle()
  await b.create()
  const none = await callRuntime(['ps', b.id, '-e', '-o', 'comm'])
  equal(none.status, 1)
  match(none.stderr, /no column PID/)
  const unknown = await callRuntime(['ps', b.id, '--no-such-option'])
  equal(unknown.status, 1)
  match(unknown.stderr, /tsrunc ps: list the processes: .*the host's ps has failed/)
})

test('ps: of a container that does not exist is an error', { peers: { crun: 'it is a list of none' } }, async () => {
  const { status, stderr } = await callRuntime(['ps', 'no-such-container'])
  equal(status, 1)
  ok(/does not exist|no such/i.test(stderr), stderr)
})
