// `update --memory` below what the container uses, on a file system of a disk: what can be given up is, and nothing is killed.
import { chmodSync, copyFileSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  type Config,
  cgroupVersion,
  deepEqual,
  equal,
  eventually,
  match,
  type Outcome,
  ok,
  readCgroup,
  requires,
  requiresController,
  requiresThat,
  sandbox,
  type TestOptions,
  test,
} from '../../lib'

const MIB = 1 << 20
const OURS: TestOptions = { only: ['tsrunc'] }
const v2 = (): boolean => cgroupVersion() === 2

const TMPFS = 0x01021994

/** A container with a limit of 128 MiB, whose script has run as soon as it has made the file /ready. */
const using = async (script: string, change: (c: Config) => void = () => undefined): Promise<Bundle> => {
  requiresController('memory', 'pids')
  const b = await bundle((c, made) => {
    const shell = made.file('bin/busybox', '')
    copyFileSync('/bin/busybox', shell)
    chmodSync(shell, 0o755)
    c.root.readonly = false
    c.linux.resources.memory = { limit: 128 * MIB, swap: 128 * MIB }
    c.process.args = ['/bin/busybox', 'sh', '-c', `${script} && echo ready && exec /bin/busybox sleep 600`]
    change(c)
  })
  await b.create()
  await b.start()
  await b.line(/ready/)
  return b
}

const limit = (b: Bundle): number => Number(readCgroup('memory', b.id, v2() ? 'memory.max' : 'memory.limit_in_bytes'))
const used = (b: Bundle): number =>
  Number(readCgroup('memory', b.id, v2() ? 'memory.current' : 'memory.usage_in_bytes'))
const killed = (b: Bundle): string | undefined =>
  /^oom_kill (\d+)/m.exec(readCgroup('memory', b.id, v2() ? 'memory.events' : 'memory.oom_control'))?.[1]

const lowered = (b: Bundle, value: number, ...flags: readonly string[]): Promise<Outcome> =>
  b.tryCall('update', {
    flags: ['--memory', String(value), '--memory-swap', String(value), '--memory-mode', 'safe', ...flags],
  })

test('update --memory-mode safe: page cache above the new limit is given up', OURS, async () => {
  requiresThat(statfsSync(sandbox().directory).type !== TMPFS, 'a directory for temporary files that is on a disk')
  const b = await using('/bin/busybox dd if=/dev/zero of=/cached bs=1048576 count=64 2>/dev/null')
  ok(used(b) > 48 * MIB, `uses ${used(b)} bytes`)
  const { status, stderr } = await lowered(b, 24 * MIB)
  equal(status, 0, stderr)
  equal(limit(b), 24 * MIB)
  ok(used(b) <= 24 * MIB, `uses ${used(b)} bytes`)
  if (v2()) equal(readCgroup('memory', b.id, 'memory.high'), 'max')
  deepEqual([killed(b), (await b.state()).status], ['0', 'running'])
})

const SHARED = '/bin/busybox dd if=/dev/zero of=/dev/shm/kept bs=1048576 count=64 2>/dev/null'

/** Files of a tmpfs are memory that only swap could take, and there is none. */
const keeping = (): Promise<Bundle> =>
  using(SHARED, (c) => {
    c.mounts = c.mounts.filter(({ destination }) => destination !== '/dev/shm')
    c.mounts.push({
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'mode=1777', 'size=100m'],
    })
  })

test(
  'update --memory-mode safe: where memory cannot be given up, it ends in time with an error, and nothing has changed',
  OURS,
  async () => {
    const b = await keeping()
    const before = readCgroup('pids', b.id, 'pids.max')
    ok(used(b) > 64 * MIB, `uses ${used(b)} bytes`)
    const { status, stderr } = await lowered(b, 16 * MIB, '--pids-limit', '44')
    equal(status, 1)
    // The kernel's own answer on v1.
    const story =
      /limit memory to 16777216 bytes \(--memory\): .*(still uses \d+ bytes after 10000 ms of reclaim, more than 16777216: its old limit is in force|EBUSY)/
    match(stderr, story)
    deepEqual([limit(b), readCgroup('pids', b.id, 'pids.max')], [128 * MIB, before])
    if (v2())
      deepEqual(
        ['memory.high', 'memory.swap.max'].map((file) => readCgroup('memory', b.id, file)),
        ['max', '0'],
      )
    deepEqual([killed(b), (await b.state()).status], ['0', 'running'])
    // It still can be lowered to what is used.
    equal((await lowered(b, 120 * MIB)).status, 0)
    equal(limit(b), 120 * MIB)
  },
)

test('update: one that comes while another is at work waits for its end', OURS, async () => {
  requires('cgroup-v2')
  const b = await keeping()
  const first = lowered(b, 16 * MIB)
  await eventually('reclaim', () => readCgroup('memory', b.id, 'memory.high') === String(16 * MIB))
  const second = await b.tryCall('update', { flags: ['--memory', String(160 * MIB)] })
  equal(second.status, 0, second.stderr)
  equal((await first).status, 1)
  // What the first puts back is not put in the place of what the second has written.
  equal(limit(b), 160 * MIB)
})

test('update: with checkBeforeUpdate a limit below what is used is an error at once', OURS, async () => {
  const b = await keeping()
  const file = join(sandbox().directory, 'resources.json')
  writeFileSync(file, JSON.stringify({ memory: { limit: 16 * MIB, checkBeforeUpdate: true } }))
  const { status, stderr } = await b.tryCall('update', { flags: ['-r', file] })
  equal(status, 1)
  match(stderr, v2() ? /memory\/limit.*(used|uses)/ : /EBUSY/)
  deepEqual([limit(b), killed(b), (await b.state()).status], [128 * MIB, '0', 'running'])
})
