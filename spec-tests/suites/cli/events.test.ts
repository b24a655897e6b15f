// `events`: the statistics of a container's cgroups, and what happens to it, as lines of JSON.
import {
  type Bundle,
  bundle,
  callRuntime,
  deepEqual,
  equal,
  eventually,
  launchRuntime,
  match,
  ok,
  type TestOptions,
  test,
} from '../../lib'

/** crun has no such verb. */
const NO_CRUN: TestOptions = { only: ['tsrunc', 'runc'] }

interface Event {
  readonly type: string
  readonly id: string
  readonly data?: Readonly<Record<string, unknown>>
}

const parse = (text: string): Event[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event)

const sleeping = async (change: (b: Bundle) => void = () => undefined): Promise<Bundle> => {
  const b = await bundle((_, made) => change(made))
  b.command(['sleep', '60'])
  await b.create()
  await b.start()
  return b
}

const statsOf = async (b: Bundle): Promise<Readonly<Record<string, unknown>>> => {
  const [event] = parse((await b.tryCall('events', { flags: ['--stats'] })).stdout)
  ok(event)
  deepEqual([event.type, event.id], ['stats', b.id])
  ok(event.data)
  return event.data
}

interface Numbers {
  readonly pids: { readonly current: number; readonly limit: number }
  readonly memory: { readonly usage: { readonly limit: number; readonly usage: number }; readonly raw: object }
  readonly cpu: { readonly usage: { readonly total: number } }
}

test('events --stats: limits and use of the container, by the names that callers of runc read', NO_CRUN, async () => {
  const b = await sleeping(({ config }) => {
    config.linux.resources = { ...config.linux.resources, pids: { limit: 77 }, memory: { limit: 64 << 20 } }
  })
  const stats = await statsOf(b)
  const { pids, memory, cpu } = stats as unknown as Numbers
  equal(pids.limit, 77)
  ok(pids.current >= 1, String(pids.current))
  equal(memory.usage.limit, 64 << 20)
  ok(memory.usage.usage > 4096, String(memory.usage.usage))
  ok(cpu.usage.total > 100_000, String(cpu.usage.total))
  const keys = ['cpu', 'cpuset', 'memory', 'pids', 'blkio', 'hugetlb', 'intel_rdt', 'network_interfaces']
  deepEqual(Object.keys(stats), keys)
  const raw = Object.keys(memory.raw)
  deepEqual(raw, [...raw].sort())
  equal(stats['network_interfaces'], null)
})

test('events: statistics in each interval, until the container ends', NO_CRUN, async () => {
  const b = await sleeping()
  const events = launchRuntime(['events', '--interval', '100ms', b.id])
  await eventually('two events', () => parse(events.stdout()).length >= 2)
  await b.kill('KILL')
  await b.reaches('stopped')
  // runc goes on until the cgroup is gone.
  await b.delete()
  equal((await events.exited).status, 0)
  ok(parse(events.stdout()).every(({ type, id }) => type === 'stats' && id === b.id))
})

test('events: a process that the kernel kills for want of memory is an event of type oom', NO_CRUN, async () => {
  const b = await bundle((config) => {
    config.linux.resources = { ...config.linux.resources, memory: { limit: 32 << 20, swap: 32 << 20 } }
  })
  b.command(['await', '/go'], ['memory', String(256 << 20)], ['sleep', '60'])
  await b.create()
  await b.start()
  const events = launchRuntime(['events', '--interval', '200ms', b.id])
  // By then it watches.
  await eventually('statistics', () => parse(events.stdout()).length > 0)
  b.file('go', '')
  await eventually('an event', () => parse(events.stdout()).some(({ type }) => type === 'oom'))
  deepEqual(
    parse(events.stdout()).filter(({ id }) => id !== b.id),
    [],
  )
  await b.kill('KILL')
  await b.reaches('stopped')
  await b.delete()
  equal((await events.exited).status, 0)
})

test('events: of a container that has ended is an error', NO_CRUN, async () => {
  const b = await sleeping()
  await b.kill('KILL')
  await b.reaches('stopped')
  for (const flags of [['--stats'], []]) {
    const { status, stdout, stderr } = await b.tryCall('events', { flags })
    deepEqual([status, stdout], [1, ''])
    match(stderr, /container with id .* is not running/)
  }
})

test('events: an interval that is none is an error', { only: ['tsrunc'] }, async () => {
  const b = await sleeping()
  for (const interval of ['0s', '-1s', '5', '', 's', '1x']) {
    const { status, stdout, stderr } = await b.tryCall('events', { flags: [`--interval=${interval}`] })
    equal(status, 1, interval)
    match(stderr, /invalid value ".*" of --interval: a duration above zero/)
    doesNotHold(stdout)
  }
  const missing = await callRuntime(['events', 'no-such-container'])
  equal(missing.status, 1)
  match(missing.stderr, /container "no-such-container" does not exist/)
})

/** Help may be printed, an event must not. */
const doesNotHold = (stdout: string): void => ok(!stdout.includes('"type"'), stdout)
