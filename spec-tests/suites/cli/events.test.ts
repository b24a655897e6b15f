// `events`: the statistics of a container's cgroups, and what happens to it, as lines of JSON.
import { existsSync } from 'node:fs'
import {
  type Bundle,
  bundle,
  callRuntime,
  cgroupDirectory,
  deepEqual,
  equal,
  eventually,
  launchRuntime,
  match,
  ok,
  readCgroup,
  requires,
  requiresController,
  requiresThat,
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

/** The last line may be on its way. */
const parse = (text: string): Event[] =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
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

interface Stall {
  readonly avg10: number
  readonly avg60: number
  readonly avg300: number
  readonly total: number
}

/** Some of the programs waited, or all of them. */
type Pressure = Readonly<Record<'some' | 'full', Stall>>
type Pressures = Readonly<Record<'cpu' | 'memory' | 'blkio', { readonly psi: Pressure }>>

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

test('events --stats: how long programs waited for the processor, for memory and for disks, as the kernel has it', {
  only: ['tsrunc', 'runc'],
  peers: { runc: 'since 1.2' },
  sometimes: true,
}, async () => {
  requires('cgroup-v2')
  requiresController('cpu', 'memory', 'io')
  const b = await bundle(({ linux }) => {
    linux.resources.cpu = { quota: 2000, period: 100_000 }
  })
  // Many starts of a small program, where the processor is given for a fiftieth of the time.
  b.command(['fork', '20'], ['sleep', '60'])
  await b.create()
  requiresThat(existsSync(`${cgroupDirectory('cpu', b.id)}/cpu.pressure`), 'a kernel that measures pressure')
  await b.start()
  const kernelsTotal = (): number => {
    const [, total = ''] = /^some .*total=(\d+)$/m.exec(readCgroup('cpu', b.id, 'cpu.pressure')) ?? []
    return Number(total)
  }
  await eventually('it has waited', () => kernelsTotal() > 0)
  const least = kernelsTotal()
  const { cpu, memory, blkio } = (await statsOf(b)) as unknown as Pressures
  const { total } = cpu.psi.some
  ok(total >= least && total <= kernelsTotal(), `${least} <= ${total} <= ${kernelsTotal()}`)
  const kinds = ['some', 'full'] as const
  for (const { psi } of [memory, blkio]) {
    deepEqual(Object.keys(psi), kinds)
    for (const kind of kinds) deepEqual(Object.keys(psi[kind]), ['avg10', 'avg60', 'avg300', 'total'])
  }
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

test('events: the end of a container whose cgroup is gone at once is no event', { only: ['tsrunc'] }, async () => {
  const b = await sleeping()
  const events = launchRuntime(['events', '--interval', '100ms', b.id])
  await eventually('statistics', () => parse(events.stdout()).length > 0)
  // It hears of both at the same time: on v1 the kernel tells the removal as it tells of want of memory.
  await events.kill('SIGSTOP')
  await b.delete({ flags: ['--force'] })
  // The kernel tells it some moments after the directory is gone.
  await new Promise((resolve) => setTimeout(resolve, 300))
  await events.kill('SIGCONT')
  const { status, stderr } = await events.exited
  deepEqual([status, stderr], [0, ''])
  ok(parse(events.stdout()).every(({ type }) => type === 'stats'))
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
