// What `checkpoint` and `restore` leave to CRIU only where the caller allows it, and how.
import { existsSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  checkpoint,
  count,
  counting,
  countsBeyond,
  equal,
  eventually,
  expectStatus,
  images,
  match,
  onTerminal,
  runtime,
  sandbox,
  type TestOptions,
  test,
  tryRestore,
} from '../../lib'

// runc has no --network-lock, and crun is not built with CRIU everywhere.
const OURS: TestOptions = { only: ['tsrunc'] }

/** Connections to port 4099 in the network of a process: proc_net(5), "/proc/net/tcp". */
const connections = (pid: number): number =>
  ['tcp', 'tcp6']
    .map((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8'))
    .join('')
    .match(/:1003 [0-9A-F]+:[0-9A-F]+ 01 /g)?.length ?? 0

test('restore --tcp-close: the container goes on without its connections', OURS, async () => {
  const b = await counting({
    first: 'sleep 600 | busybox nc -l -p 4099 > /dev/null & sleep 0.5; sleep 600 | busybox nc 127.0.0.1 4099 & ',
  })
  const { pid } = await b.state()
  await eventually('a connection', () => connections(pid) > 0)
  expectStatus(await checkpoint(b, '--tcp-established'))
  const saved = count(b)
  expectStatus(await tryRestore(b, '--tcp-close'))
  await countsBeyond(b, saved)
  equal(connections((await b.state()).pid), 0)
})

test('checkpoint --empty-ns network: what is in the network is left to others', OURS, async () => {
  const b = await counting()
  expectStatus(await checkpoint(b, '--empty-ns', 'network'))
  const saved = count(b)
  expectStatus(await tryRestore(b, '--empty-ns', 'network'))
  await countsBeyond(b, saved)
  const { stdout } = await b.tryExec({}, '/bin/busybox', 'ip', 'address', 'show', 'lo')
  // The namespace is a new one: its loopback device is down, as the kernel makes it.
  match(stdout, /lo: <LOOPBACK>/)
})

test('checkpoint: a terminal of the caller is the one that the restore is called on', OURS, async () => {
  const b: Bundle = await counting()
  await b.kill('KILL')
  await b.reaches('stopped')
  await b.delete()
  rmSync(join(b.rootfs, 'tmp/count'))
  b.config.process.args = ['/bin/sh', '-c', 'echo 1 > /tmp/count; while read line; do echo "read $line"; done']
  b.save()
  const call = [runtime().path, '--root', sandbox().marks.root]
  const first = onTerminal([...call, 'run', '--bundle', b.path, b.id])
  await countsBeyond(b, 0)
  first.type('one\n')
  await first.sees(/read one/)
  expectStatus(await checkpoint(b))
  await first.exited()
  const flags = ['--image-path', images(), '--network-lock', 'skip', '--bundle', b.path]
  const second = onTerminal([...call, 'restore', ...flags, b.id])
  await eventually('a running container', () => existsSync(join(sandbox().marks.root, b.id, 'state')))
  second.type('two\n')
  await second.sees(/read two/)
})

test('checkpoint --link-remap: a file that is open, was deleted, and has another name', OURS, async () => {
  const b = await counting({ first: 'exec 8> /tmp/a; busybox ln /tmp/a /tmp/b; busybox rm /tmp/a; ' })
  const refused = await checkpoint(b)
  equal(refused.status, 1)
  match(refused.stderr, /Error.*(link|remap)/i)
  expectStatus(await checkpoint(b, '--link-remap'))
  const saved = count(b)
  expectStatus(await tryRestore(b))
  await countsBeyond(b, saved)
  match(readlinkSync(`/proc/${(await b.state()).pid}/fd/8`), /\/tmp\//)
})
