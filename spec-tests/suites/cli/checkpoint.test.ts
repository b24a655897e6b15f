// `checkpoint`: a running container into files, by CRIU.
import { existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bundle,
  deepEqual,
  equal,
  eventually,
  expectStatus,
  match,
  type Outcome,
  ok,
  requires,
  requiresThat,
  sandbox,
  type TestOptions,
  test,
} from '../../lib'

const hasCriu = (): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, 'criu')))

const COUNTER = 'i=0; while true; do i=$((i + 1)); echo $i > /tmp/new; mv /tmp/new /tmp/count; sleep 0.05; done'

const count = (b: Bundle): number => {
  const file = join(b.rootfs, 'tmp/count')
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
}

const countsBeyond = (b: Bundle, least: number): Promise<number | undefined> =>
  eventually(`a count beyond ${least}`, () => (count(b) > least ? count(b) : undefined))

/** A container that counts in a file of its own. */
const counting = async (flags: readonly string[] = [], fds: readonly number[] = []): Promise<Bundle> => {
  requires('root', 'busybox')
  requiresThat(hasCriu(), 'criu')
  const b = await bundle()
  addBusybox(b.rootfs)
  b.config.process.args = ['/bin/sh', '-c', COUNTER]
  b.config.root.readonly = false
  b.save()
  await b.create({ flags, fds })
  await b.start()
  return b
}

const images = (): string => join(sandbox().directory, 'images')

// The kernels of test machines do not all have what iptables needs.
const checkpoint = (b: Bundle, ...flags: readonly string[]): Promise<Outcome> =>
  b.tryCall('checkpoint', { flags: ['--image-path', images(), '--network-lock', 'skip', ...flags], timeout: 60_000 })

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

test('checkpoint: what CRIU refuses is told, leaves no image, and the container goes on', OURS, async () => {
  // A file that is open and on no mount of the container: CRIU cannot find it again.
  const fd = openSync(join(sandbox().directory, 'outside'), 'w+')
  const b = await counting(['--preserve-fds', '1'], [fd])
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
