// `checkpoint`: a running container into files, by CRIU.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  checkpoint,
  count,
  counting,
  countsBeyond,
  deepEqual,
  doesNotMatch,
  equal,
  eventually,
  expectStatus,
  images,
  launch,
  match,
  ok,
  sandbox,
  saveAndRestore,
  scratch,
  type TestOptions,
  test,
  tryRestore,
} from '../../lib'

const hex = (port: string): string => Number(port).toString(16).toUpperCase().padStart(4, '0')

// runc has no --network-lock, and crun is not built with CRIU everywhere.
const OURS: TestOptions = { only: ['tsrunc'] }

test('checkpoint: the images are there, for their owner only, and the container is gone', OURS, async () => {
  const b = await counting()
  await countsBeyond(b, 0)
  const { pid } = await b.state()
  const { status, stderr } = await checkpoint(b)
  equal(status, 0, stderr)
  const names = readdirSync(images())
  ok(names.includes('inventory.img') && names.includes('descriptors.json') && names.includes('dump.log'))
  equal(statSync(images()).mode & 0o777, 0o700)
  equal((await b.tryCall('state')).status, 1)
  equal(existsSync(`/proc/${pid}`), false)
})

test('checkpoint: with --leave-running the container goes on, and its log is in --work-path', OURS, async () => {
  const b = await counting()
  await countsBeyond(b, 0)
  const work = join(sandbox().directory, 'work')
  const { status, stderr } = await checkpoint(b, '--leave-running', '--work-path', work)
  equal(status, 0, stderr)
  ok(existsSync(join(images(), 'inventory.img')) && existsSync(join(work, 'dump.log')))
  equal((await b.state()).status, 'running')
  await countsBeyond(b, count(b))
})

test('checkpoint: a paused container, which engines make of it before, stays paused or is gone', OURS, async () => {
  const b = await counting()
  await countsBeyond(b, 0)
  expectStatus(await b.tryCall('pause'))
  expectStatus(await checkpoint(b, '--leave-running'))
  equal((await b.state()).status, 'paused')
  expectStatus(await b.tryCall('resume'))
  await countsBeyond(b, count(b))
  expectStatus(await b.tryCall('pause'))
  expectStatus(await checkpoint(b))
  equal((await b.tryCall('state')).status, 1)
})

test('checkpoint: a shell that redirects its own commands has its streams elsewhere meanwhile', OURS, async () => {
  const b = await counting({ first: 'i=0; while true; do i=$((i + 1)); echo $i >/tmp/count; done; ' })
  for (let round = 0; round < 4; round++) {
    expectStatus(await checkpoint(b, '--leave-running'))
    const descriptors: unknown = JSON.parse(readFileSync(join(images(), 'descriptors.json'), 'utf8'))
    doesNotMatch(String(descriptors), /count/)
    rmSync(images(), { recursive: true })
  }
  await saveAndRestore(b)
})

test('checkpoint: what CRIU refuses is told, leaves no image, and the container goes on', OURS, async () => {
  // A file that is open and on no mount of the container: CRIU cannot find it again.
  const fd = openSync(join(sandbox().directory, 'outside'), 'w+')
  const b = await counting({ flags: ['--preserve-fds', '1'], fds: [fd] })
  await countsBeyond(b, 0)
  const { status, stderr } = await checkpoint(b)
  equal(status, 1)
  match(stderr, /save the container: CRIU could not do it: .*Error.*its log is \S*images\/dump\.log/)
  deepEqual(readdirSync(images()), ['dump.log'])
  equal((await b.state()).status, 'running')
  await countsBeyond(b, count(b))
})

test('checkpoint: a container that does not run is refused, and no directory is made', OURS, async () => {
  const b = await counting()
  await b.kill('KILL')
  await b.reaches('stopped')
  const stopped = await checkpoint(b)
  equal(stopped.status, 1)
  match(stopped.stderr, /is not running|is stopped/)
  equal(existsSync(images()), false)
})

test('checkpoint: without CRIU the error says what is missing', OURS, async () => {
  const b = await counting()
  const { status, stderr } = await checkpoint(b, '--criu', '/nowhere/criu')
  equal(status, 1)
  match(stderr, /need CRIU: "\/nowhere\/criu" was not found/)
  equal(existsSync(images()), false)
  equal((await b.state()).status, 'running')
})

test('checkpoint: a file lock is saved where the caller allows it, and held again', OURS, async () => {
  const b = await counting({ first: '/bin/probe lock /tmp/lock , sleep 600 & ' })
  await eventually('the lock', () => existsSync(join(b.rootfs, 'tmp/lock')) || undefined)
  const refused = await checkpoint(b)
  equal(refused.status, 1)
  match(refused.stderr, /Error.*lock/i)
  expectStatus(await checkpoint(b, '--file-locks'))
  expectStatus(await tryRestore(b, '--file-locks'))
  const [lock] = await b.exec({}, ['lock', '/tmp/lock'])
  equal(lock.error, 'EAGAIN')
})

/** A container with a connection of its own. */
const connected = async (): Promise<Bundle> => {
  const b = await counting({
    first: 'sleep 600 | busybox nc -l -p 4099 > /dev/null & sleep 0.5; sleep 600 | busybox nc 127.0.0.1 4099 & ',
  })
  const { pid } = await b.state()
  // proc_net(5), "/proc/net/tcp": port 4099, TCP_ESTABLISHED.
  await eventually('a connection', () =>
    ['tcp', 'tcp6'].some((name) =>
      /:1003 [0-9A-F]+:[0-9A-F]+ 01 /.test(readFileSync(`/proc/${pid}/net/${name}`, 'utf8')),
    ),
  )
  return b
}

test('checkpoint: a TCP connection is told of where the caller does not allow it', OURS, async () => {
  const { status, stderr } = await checkpoint(await connected())
  equal(status, 1)
  match(stderr, /Error.*Connected TCP socket/i)
})

test('checkpoint --tcp-established: it is saved, and restored where the caller allows it', OURS, async () => {
  const b = await connected()
  expectStatus(await checkpoint(b, '--tcp-established'))
  const saved = count(b)
  match((await tryRestore(b)).stderr, /Error.*TCP/i)
  expectStatus(await tryRestore(b, '--tcp-established'))
  await countsBeyond(b, saved)
})

test('checkpoint: values that make no sense are refused before anything is done', OURS, async () => {
  const b = await counting()
  const wrong: readonly (readonly [RegExp, ...string[]])[] = [
    [/--page-server: ADDRESS:PORT/, '--page-server', '127.0.0.1:70000'],
    [/--lazy-pages needs --page-server/, '--lazy-pages'],
    [/--status-fd: a descriptor that is open/, '--status-fd', '77'],
    [/--empty-ns/, '--empty-ns', 'pid'],
  ]
  for (const [story, ...flags] of wrong) {
    const { status, stderr } = await checkpoint(b, ...flags)
    equal(status, 1, stderr)
    match(stderr, story)
  }
  equal(existsSync(images()), false)
})

test('checkpoint: options of CRIU come from the file that the annotation org.criu.config names', OURS, async () => {
  const file = scratch('criu.conf')
  writeFileSync(file, 'leave-running\n')
  const b = await counting({
    change: (config) => {
      config.annotations = { ...config.annotations, 'org.criu.config': file }
    },
  })
  await checkpoint(b, '--leave-running')
  match(readFileSync(join(images(), 'dump.log'), 'utf8'), new RegExp(`config.* ${file}|${file}`))
})

test('checkpoint --page-server: the memory goes to the page server of CRIU', OURS, async () => {
  const b = await counting()
  const pages = scratch('pages')
  mkdirSync(pages)
  const port = String(20000 + (process.pid % 20000))
  const server = launch(['criu', 'page-server', '--images-dir', pages, '--address', '127.0.0.1', '--port', port])
  await eventually(
    'the page server',
    () => readFileSync('/proc/net/tcp', 'utf8').includes(` 0100007F:${hex(port)} `) || undefined,
  )
  expectStatus(await checkpoint(b, '--page-server', `127.0.0.1:${port}`))
  expectStatus(await server.exited)
  const sent = readdirSync(pages).filter((name) => name.startsWith('pages-') || name.startsWith('pagemap-'))
  ok(sent.length >= 2, sent.join(' '))
  for (const name of sent) copyFileSync(join(pages, name), join(images(), name))
  const saved = count(b)
  expectStatus(await tryRestore(b))
  await countsBeyond(b, saved)
})
