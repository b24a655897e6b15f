// Calls of `update` that meet each other and other verbs: each sees what the one before it has written.
import {
  type Bundle,
  bundle,
  cgroupVersion,
  deepEqual,
  equal,
  ok,
  readCgroup,
  requiresController,
  test,
} from '../../lib'

const MIB = 1 << 20
const ROUNDS = 8

const v2 = (): boolean => cgroupVersion() === 2

const idle = async (): Promise<Bundle> => {
  requiresController('memory', 'pids', 'cpu')
  const b = await bundle()
  b.command(['sleep', '600'])
  await b.create()
  await b.start()
  return b
}

/** All at the same time; each must succeed. */
const updated = async (b: Bundle, ...calls: readonly (readonly string[])[]): Promise<void> => {
  const outcomes = await Promise.all(calls.map((flags) => b.tryCall('update', { flags })))
  for (const { status, stderr } of outcomes) equal(status, 0, stderr)
}

const cpu = (b: Bundle): string => {
  const of = (file: string): string => readCgroup('cpu', b.id, file)
  return v2() ? of('cpu.max') : `${of('cpu.cfs_quota_us')} ${of('cpu.cfs_period_us')}`
}

test('update: of the quota and of the period at the same time: neither is lost', {
  peers: { runc: 'writes cpu.max of what it read before', crun: 'writes cpu.max with a period of its own' },
  sometimes: true,
}, async () => {
  const b = await idle()
  for (let round = 1; round <= ROUNDS; round++) {
    const [quota, period] = [String(20_000 + 1000 * round), String(100_000 + 1000 * round)]
    await updated(b, ['--cpu-quota', quota], ['--cpu-period', period])
    equal(cpu(b), `${quota} ${period}`, `round ${round}`)
  }
})

test('update: of memory and swap, twice at the same time: both are taken, in either order', {
  peers: { runc: 'orders its writes by what it read before', crun: 'writes them in one order on v1' },
  sometimes: true,
}, async () => {
  const b = await idle()
  const both = (limit: number, swap: number): readonly string[] => [
    ...['--memory', String(limit * MIB), '--memory-swap', String(swap * MIB)],
  ]
  const name = v2() ? 'memory.max' : 'memory.limit_in_bytes'
  for (let round = 1; round <= ROUNDS; round++) {
    await updated(b, both(256, 512))
    // Lower for both; what the one leaves is below what the other asks for.
    await updated(b, both(32, 64), both(128, 256))
    const limit = Number(readCgroup('memory', b.id, name)) / MIB
    ok(limit === 32 || limit === 128, `round ${round}: ${limit} MiB`)
  }
})

test('update: beside pause, resume, kill and delete: each is done or refused, and nothing is left', {
  peers: { runc: 'has no lock', crun: 'has no lock' },
  sometimes: true,
}, async () => {
  const b = await idle()
  const flags = ['--pids-limit', '30']
  for (let round = 1; round <= 3; round++) {
    const [update, pause] = await Promise.all([b.tryCall('update', { flags }), b.tryCall('pause')])
    deepEqual([update.status, pause.status], [0, 0], update.stderr + pause.stderr)
    const [again, resume] = await Promise.all([b.tryCall('update', { flags }), b.tryCall('resume')])
    deepEqual([again.status, resume.status], [0, 0], again.stderr + resume.stderr)
    equal(readCgroup('pids', b.id, 'pids.max'), '30')
  }
  const [update, remove] = await Promise.all([
    b.tryCall('update', { flags }),
    b.tryCall('delete', { flags: ['--force'] }),
  ])
  equal(remove.status, 0, remove.stderr)
  ok(
    update.status === 0 ||
      /container not running|container ".*" does not exist|not created completely/.test(update.stderr),
    update.stderr,
  )
  equal((await b.tryCall('state')).status, 1)
})
