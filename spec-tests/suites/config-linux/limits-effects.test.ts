// Limits by what they do: to the processes inside, and to those that are to be ended. On cgroup v1 and v2.
import { chmodSync, closeSync, copyFileSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import {
  type Bundle,
  bundle,
  type Config,
  cgroupDirectory,
  cgroupVersion,
  equal,
  eventually,
  match,
  ok,
  readCgroup,
  requiresController,
  requiresThat,
  test,
} from '../../lib'

const MIB = 1 << 20
const v2 = (): boolean => cgroupVersion() === 2

/** A container whose program is a script of busybox. */
const script = async (text: string, change: (c: Config) => void = () => undefined): Promise<Bundle> => {
  const b = await bundle((c, made) => {
    const shell = made.file('bin/busybox', '')
    copyFileSync('/bin/busybox', shell)
    chmodSync(shell, 0o755)
    c.process.args = ['/bin/busybox', 'sh', '-c', text]
    change(c)
  })
  return b
}

test('config-linux.md#pids [CG-7a]: fork fails at the limit', async () => {
  requiresController('pids')
  const b = await bundle((c) => {
    c.linux.resources.pids = { limit: 5 }
  })
  const [fork] = await b.probe(['fork', '20'])
  equal(fork.error, 'EAGAIN')
  ok(fork.forked > 0 && fork.forked < 5, String(fork.forked))
})

test('config-linux.md#pids [CG-7a]: a limit of 1 lets the program run, and fork nothing', async () => {
  requiresController('pids')
  const b = await bundle((c) => {
    c.linux.resources.pids = { limit: 1 }
  })
  const [fork] = await b.probe(['fork', '1'])
  equal(fork.forked, 0)
  equal(fork.error, 'EAGAIN')
})

test('config-linux.md#memory [CG-5a]: a program above its limit is killed, and the kernel counts it', async () => {
  requiresController('memory')
  const b = await bundle((c) => {
    c.linux.resources.memory = { limit: 32 * MIB, swap: 32 * MIB }
  })
  b.command(['memory', String(96 * MIB)], ['sleep', '60'])
  await b.create()
  await b.start()
  match(await b.line(/"signal":\d+/), /"signal":9\b/)
  const events = readCgroup('memory', b.id, v2() ? 'memory.events' : 'memory.oom_control')
  match(events, /^oom_kill [1-9]/m)
})

test('config-linux.md#cpu [CG-6b]: a busy program is throttled, and the kernel counts it', async () => {
  requiresController('cpu')
  const b = await script('while :; do :; done', (c) => {
    c.linux.resources.cpu = { quota: 5000, period: 100_000 }
  })
  await b.create()
  await b.start()
  await eventually('it is throttled', () => /^nr_throttled [1-9]/m.test(readCgroup('cpu', b.id, 'cpu.stat')))
  await b.delete({ flags: ['--force'] })
})

const opens = (path: string): boolean => {
  try {
    closeSync(openSync(path, 'r'))
    return true
  } catch {
    return false
  }
}

/** "MAJOR:MINOR" of a disk of this machine that may be read. */
const disk = (): string => {
  const disks = readdirSync('/sys/block').filter((name) => existsSync(`/sys/block/${name}/device`))
  const named = disks.find((name) => opens(`/dev/${name}`))
  requiresThat(named !== undefined, 'a disk')
  return readFileSync(`/sys/block/${named}/dev`, 'utf8').trim()
}

test('config-linux.md#block-io [CG-8b]: reads of a disk take the time that the limit says, and the kernel counts them', async () => {
  const controller = v2() ? 'io' : 'blkio'
  requiresController(controller)
  const device = disk()
  const [major = 0, minor = 0] = device.split(':').map(Number)
  // Past the page cache: three megabytes, each a second.
  const read = 'dd if=/dev/disk of=/dev/null bs=65536 count=48 iflag=direct'
  const b = await script(`/bin/busybox ${read} && echo read && exec /bin/busybox sleep 600`, (c) => {
    c.linux.devices = [{ path: '/dev/disk', type: 'b', major, minor, fileMode: 0o400 }]
    c.linux.resources.devices = [
      ...(c.linux.resources.devices ?? []),
      { allow: true, type: 'b', major, minor, access: 'r' },
    ]
    c.linux.resources.blockIO = { throttleReadBpsDevice: [{ major, minor, rate: MIB }] }
  })
  await b.create()
  requiresThat(
    v2() || existsSync(`${cgroupDirectory(controller, b.id)}/blkio.throttle.read_bps_device`),
    'blkio throttling',
  )
  const begin = Date.now()
  await b.start()
  await b.line(/^read$/m)
  // Never less, however slow the host is: the first second's bytes may go at once.
  ok(Date.now() - begin > 1500, `${Date.now() - begin} ms`)
  const counted = readCgroup(controller, b.id, v2() ? 'io.stat' : 'blkio.throttle.io_service_bytes')
  const [, bytes = '0'] =
    new RegExp(v2() ? `^${device} .*rbytes=(\\d+)` : `^${device} Read (\\d+)`, 'm').exec(counted) ?? []
  ok(Number(bytes) >= 3 * MIB, counted)
})

/**
 * Shells that fork as fast as they can, and others that end as soon as they have a child that does the same: who is in a list of
 * pids is not there any more. A shell ends where fork fails: so they stay below the limit.
 */
const BOMB = [
  'bomb() { while :; do (:) & (:) & wait; done; }',
  'hop() { (hop) & exit; }',
  'i=0; while [ $i -lt 30 ]; do bomb & i=$((i+1)); done; (hop) & (hop) & (hop) & (hop) &',
  'while :; do (:); done',
].join('\n')

const exploded = async (change: (c: Config) => void = () => undefined): Promise<Bundle> => {
  requiresController('pids')
  const b = await script(BOMB, (c) => {
    c.linux.resources.pids = { limit: 2000 }
    change(c)
  })
  await b.create()
  await b.start()
  const full = (): boolean => Number(readCgroup('pids', b.id, 'pids.current')) > 30
  await eventually('the bomb has gone off', full)
  return b
}

const isEmpty = (b: Bundle): boolean => {
  try {
    return readFileSync(`${cgroupDirectory('pids', b.id)}/cgroup.procs`, 'utf8') === ''
  } catch {
    return true
  }
}

const withoutPidNamespace = (c: Config): void => {
  c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== 'pid')
}

test('delete --force [OP-5e]: leaves nothing of a fork bomb', async () => {
  const b = await exploded()
  await b.delete({ flags: ['--force'] })
  ok(isEmpty(b))
})

test('delete --force [OP-5e]: leaves nothing of a fork bomb without a PID namespace', async () => {
  const b = await exploded(withoutPidNamespace)
  await b.delete({ flags: ['--force'] })
  ok(isEmpty(b))
})

test('delete --force [OP-5e]: leaves nothing of a fork bomb that is paused', async () => {
  const b = await exploded(withoutPidNamespace)
  const paused = await b.tryCall('pause')
  equal(paused.status, 0, paused.stderr)
  await b.delete({ flags: ['--force'] })
  ok(isEmpty(b))
})

test('kill --all [OP-4a]: ends a fork bomb', { only: ['tsrunc'] }, async () => {
  const b = await exploded(withoutPidNamespace)
  equal((await b.tryCall('kill', { flags: ['--all'] }, 'KILL')).status, 0)
  await eventually('nobody is left', () => isEmpty(b))
})
