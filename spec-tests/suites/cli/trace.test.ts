// --trace FILE: where the time of a call goes, as Chrome trace events.
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bundle,
  callRuntime,
  deepEqual,
  equal,
  eventually,
  givesDescriptors,
  match,
  ok,
  plansCold,
  requires,
  sandbox,
  scratch,
  startPlanner,
  test,
} from '../../lib'

const ONLY = { only: ['tsrunc'] } as const

interface Span {
  readonly ph: string
  readonly cat: string
  readonly name: string
  readonly pid: number
  readonly ts: number
  readonly dur: number
  readonly args?: { readonly what?: string; readonly pointer?: string; readonly state?: string }
}

/** The spans of a whole trace. */
const spansOf = (file: string): readonly Span[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as Span[]).filter(({ ph }) => ph === 'X')

const file = (): string => scratch('trace.json')

const to = (path: string) => ({ global: ['--trace', path] })

const endOf = ({ ts, dur }: Span): number => ts + dur

/** Times are written with three decimals of a microsecond, the clocks are compared by two looks: one of them may be late. */
const TOLERANCE = 20

/** The one span of the whole call, in which all others must lie; those of one process must not overlap by halves. */
const checkNesting = (spans: readonly Span[], verb: string): Span => {
  const [whole, ...others] = spans.filter(({ cat }) => cat === 'verb')
  ok(whole !== undefined && others.length === 0, `${spans.length} spans, of ${1 + others.length} calls`)
  equal(whole.name, verb)
  for (const span of spans) {
    const text = `${JSON.stringify(span)} in ${JSON.stringify(whole)}`
    ok(span.dur >= 0, text)
    ok(span.ts >= whole.ts - TOLERANCE && endOf(span) <= endOf(whole) + TOLERANCE, text)
  }
  for (const pid of new Set(spans.map((span) => span.pid))) checkProcess(spans.filter((span) => span.pid === pid))
  return whole
}

const checkProcess = (spans: readonly Span[]): void => {
  const open: Span[] = []
  for (const span of [...spans].sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    while (open.length > 0 && endOf(open.at(-1) ?? span) <= span.ts + TOLERANCE) open.pop()
    const around = open.at(-1)
    const nested = around === undefined || endOf(span) <= endOf(around) + TOLERANCE
    ok(nested, `${JSON.stringify(span)} outlasts ${JSON.stringify(around)}`)
    open.push(span)
  }
}

const has = (spans: readonly Span[], category: string, name: string): void =>
  ok(
    spans.some((span) => span.cat === category && span.name === name),
    `no ${name} of ${category} among ${spans.map((span) => `${span.cat}:${span.name}`).join(' ')}`,
  )

/** With something of everything. */
const rich = (): Promise<Bundle> =>
  bundle((c, b) => {
    addBusybox(b.rootfs)
    c.root.readonly = false
    c.process.args = ['/bin/true']
    c.hooks = {
      createRuntime: [b.hook('createRuntime', 'createRuntime')],
      createContainer: [b.hook('createContainer', 'createContainer')],
      startContainer: [b.hook('startContainer', 'startContainer')],
      poststart: [b.hook('poststart', 'poststart')],
      poststop: [b.hook('poststop', 'poststop')],
    }
    c.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] }
  })

test('tsrunc --trace: run has spans of mounts, cgroup, hooks, seccomp, exec and node, which nest', ONLY, async () => {
  requires('root')
  plansCold()
  const b = await rich()
  const path = file()
  const { stderr } = await b.run(to(path))
  equal(stderr, '')
  const spans = spansOf(path)
  const whole = checkNesting(spans, 'run')
  has(spans, 'mounts', 'mountFs')
  has(spans, 'mounts', 'pivotRoot')
  has(spans, 'cgroup', 'makeCgroup')
  has(spans, 'namespaces', 'cloneInit')
  has(spans, 'seccomp', 'setSeccomp')
  has(spans, 'exec', 'exec')
  has(spans, 'node', 'node')
  has(spans, 'node', 'parse and validate')
  has(spans, 'node', 'plan')
  has(spans, 'node', 'become tsrunc again')
  equal(spans.filter(({ cat, name }) => cat === 'hooks' && name === 'runHook').length, 5)
  // Init speaks for itself, by the pid that it has on the host.
  const exec = spans.find(({ name }) => name === 'exec')
  ok(exec !== undefined && exec.pid !== whole.pid && exec.pid > 1)
  equal(exec.args?.pointer, '/process/args')
  const proc = spans.find(({ name, args }) => name === 'mountFs' && args?.what === 'mount "/proc"')
  match(proc?.args?.pointer ?? '', /^\/mounts\/\d+$/)
})

test('tsrunc --trace: with clocks of their own the container and the host still agree', ONLY, async () => {
  requires('root')
  requires('timens')
  const b = await bundle((c) => {
    c.linux.namespaces = [...(c.linux.namespaces ?? []), { type: 'time' }]
    c.linux.timeOffsets = { monotonic: { secs: 1_000_000 } }
  })
  const path = file()
  await b.run(to(path))
  checkNesting(spansOf(path), 'run')
  has(spansOf(path), 'mounts', 'mountFs')
})

test('tsrunc --trace: neither the container nor a hook has a descriptor of the file', ONLY, async () => {
  requires('root')
  const path = file()
  // Not the host's ls, which does nothing without statx(2).
  const list = (at: string) =>
    `/bin/busybox ls -l /proc/self/fd > ${at}; readlink -f /proc/self/fd/* >> ${at}; env >> ${at}`
  const b = await bundle((c, made) => {
    addBusybox(made.rootfs)
    mkdirSync(join(made.rootfs, 'out'))
    const hook = (name: string) => ({ path: '/bin/sh', args: ['sh', '-c', list(join(made.rootfs, 'out', name))] })
    const inside = { path: '/bin/sh', args: ['sh', '-c', list('/out/startContainer')] }
    c.root.readonly = false
    c.process.args = ['/bin/sh', '-c', list('/out/program')]
    c.hooks = {
      prestart: [hook('prestart')],
      createRuntime: [hook('createRuntime')],
      createContainer: [hook('createContainer')],
      startContainer: [inside],
      poststart: [hook('poststart')],
      poststop: [hook('poststop')],
    }
  })
  await b.run(to(path))
  const names = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'program', 'poststart', 'poststop']
  for (const name of names) {
    const text = readFileSync(join(b.rootfs, 'out', name), 'utf8')
    match(text, /0 ->/, name)
    ok(!text.includes('trace.json') && !text.includes('_TSRUNC'), `${name}: ${text}`)
  }
})

test('tsrunc --trace: a descriptor that is to be preserved is not taken for one of the trace', ONLY, async () => {
  requires('root')
  const b = await bundle()
  b.command(['report'])
  const path = file()
  const outcome = await b.tryRun({ ...to(path), flags: ['--preserve-fds', '1'] })
  equal(outcome.status, 1)
  match(outcome.stderr, /--preserve-fds 1: file descriptor 3 is not open/)
  checkNesting(spansOf(path), 'run')
})

test('tsrunc --trace: a file that cannot be opened is an error before anything is made', ONLY, async () => {
  requires('root')
  const b = await bundle()
  const missing = scratch('no/such/trace.json')
  const story = /open the file of --trace: open .*no\/such\/trace\.json: no such file or directory/
  match(await b.refused(story, to(missing)), story)
  match((await b.tryRun(to(missing))).stderr, story)
  match((await b.tryRun(to(sandbox().directory))).stderr, /open the file of --trace.*illegal operation on a directory/)
  const state = await callRuntime(['--trace', missing, 'state', b.id])
  equal(state.status, 1)
  match(state.stderr, story)
  ok(!existsSync(join(sandbox().marks.root, b.id)))
})

test('tsrunc --trace: a fifo that nobody reads is an error, not a wait', ONLY, async () => {
  const path = scratch('fifo')
  execFileSync('mkfifo', [path])
  for (const verb of ['list', 'features']) {
    const { status, stderr } = await callRuntime(['--trace', path, verb])
    equal(status, 1)
    match(stderr, /open the file of --trace: open .*fifo: no such device or address/)
  }
})

test('tsrunc --trace: a file that is full costs the trace, with a warning, not the container', ONLY, async () => {
  requires('root')
  const b = await bundle()
  const { stderr } = await b.run(to('/dev/full'))
  match(stderr, /warning: write the trace: .*no space left on device/)
  const list = await callRuntime(['--trace', '/dev/full', 'list'])
  equal(list.status, 0)
  match(list.stderr, /warning: write the trace: .*no space left on device/)
})

test('tsrunc --trace: what failed is in the trace of a call that failed', ONLY, async () => {
  requires('root')
  const path = file()
  const b = await bundle((c) =>
    c.mounts.push({ destination: '/m', type: 'tmpfs', source: 'none', options: ['size=x'] }),
  )
  await b.refused(/\/m/, to(path))
  const spans = spansOf(path)
  checkNesting(spans, 'create')
  ok(spans.some(({ name, args }) => name === 'mountFs' && args?.what === 'mount "/m"'))
  has(spans, 'undo', 'undoJournal')
  b.config.process.cwd = 'relative'
  b.save()
  await b.refused(/cwd/, to(path))
  const planned = spansOf(path)
  checkNesting(planned, 'create')
  has(planned, 'node', 'parse and validate')
})

test('tsrunc --trace: what an init that was killed had done is in the trace', ONLY, async () => {
  requires('root')
  const path = file()
  const script = 'kill -9 $(grep -o \'"pid": *[0-9]*\' | grep -o "[0-9]*")'
  const b = await bundle((c) => {
    c.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script] }] }
  })
  const outcome = await b.tryCreate(to(path))
  equal(outcome.status, 1)
  match(outcome.stderr, /signal 9/)
  const spans = spansOf(path)
  checkNesting(spans, 'create')
  has(spans, 'mounts', 'mountFs')
  equal(spans.find(({ name, args }) => name === 'awaitHost' && args?.state === 'not ended') !== undefined, true)
})

test('tsrunc --trace: a call that a signal ends', ONLY, async () => {
  requires('root')
  const path = file()
  const b = await bundle((c) => {
    c.hooks = { createRuntime: [{ path: '/bin/sleep', args: ['sleep', '1'] }] }
  })
  const running = b.launchRun(to(path))
  await eventually('the hook', () => existsSync(join(sandbox().marks.root, b.id, 'journal')) || undefined)
  await running.kill('SIGTERM')
  await running.exited
  checkNesting(spansOf(path), 'run')
})

test('tsrunc --trace: every verb', ONLY, async () => {
  requires('root')
  const b = await bundle((c, made) => {
    addBusybox(made.rootfs)
    c.process.args = ['/bin/sleep', '1000']
  })
  const path = file()
  const traced = async (verb: string, flags: readonly string[] = [], ...args: readonly string[]) => {
    writeFileSync(path, 'what was there before is gone')
    const outcome = await b.tryCall(verb, { ...to(path), flags }, ...args)
    equal(outcome.status, 0, `${verb}: ${outcome.stderr}`)
    const spans = spansOf(path)
    checkNesting(spans, verb)
    return spans
  }
  await b.create(to(path))
  checkNesting(spansOf(path), 'create')
  const start = await traced('start')
  has(start, 'hooks', 'startContainer hooks')
  has(start, 'exec', 'seccomp filter and execve')
  has(await traced('state'), 'state', 'open the container')
  has(await traced('kill', [], 'CONT'), 'signal', 'send the signal')
  has(await traced('pause'), 'cgroup', 'freeze the processes')
  has(await traced('resume'), 'cgroup', 'thaw the processes')
  has(await traced('ps'), 'cgroup', 'find the processes')
  has(await traced('events', ['--stats']), 'cgroup', 'read the statistics')
  has(await traced('update', ['--pids-limit', '77']), 'cgroup', 'setCgroupLimit')
  const exec = await traced('exec', [], '/bin/true')
  has(exec, 'namespaces', 'becomeMember')
  has(exec, 'exec', 'exec')
  const seen = await b.tryCall('exec', to(path), '/bin/busybox', 'ls', '-l', '/proc/self/fd')
  match(seen.stdout, /0 ->/)
  ok(!seen.stdout.includes('trace.json'), seen.stdout)
  has(await traced('delete', ['--force']), 'undo', 'end init')
  for (const args of [
    ['list'],
    ['features'],
    ['version'],
    ['validate', '--bundle', b.path],
    ['run', '--bundle', b.path, '--dry-run', 'x'],
  ]) {
    const outcome = await callRuntime(['--trace', path, ...args])
    equal(outcome.status, 0, outcome.stderr)
    checkNesting(spansOf(path), args[0] ?? '')
  }
})

test('tsrunc --trace: a verb that node gives back to the launcher', ONLY, async () => {
  const path = file()
  // Written in a way that only node reads.
  const outcome = await callRuntime([`--trace=${path}`, '--debug=true', 'list'])
  equal(outcome.status, 0, outcome.stderr)
  const spans = spansOf(path)
  checkNesting(spans, 'list')
  has(spans, 'node', 'node')
  has(spans, 'state', 'look at the containers')
})

test('tsrunc --trace: a planner in the place of node', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await bundle((c, made) => {
    addBusybox(made.rootfs)
    c.process.args = ['/bin/true']
  })
  const path = file()
  await b.run({ global: ['--planner', 'on', '--trace', path] })
  const spans = spansOf(path)
  checkNesting(spans, 'run')
  has(spans, 'planner', 'ask the planner')
  deepEqual(
    spans.filter(({ cat, name }) => cat === 'node' && name === 'node'),
    [],
  )
})

test(
  'tsrunc --trace: with a planner too the container gets the descriptors that it was promised, no other',
  ONLY,
  async () => {
    requires('root')
    startPlanner()
    const b = await bundle()
    givesDescriptors(b)
    b.command(['report'])
    const global = ['--planner', 'on', '--trace', file()]
    const kept = scratch('kept')
    writeFileSync(kept, '')
    const fd = openSync(kept, 'r')
    const run = await b.run({ global, flags: ['--preserve-fds', '1'], fds: [fd] })
    closeSync(fd)
    const [report] = b.answers(run.stdout, [['report']])
    deepEqual(
      report.fds.map((each) => each.fd),
      [0, 1, 2, 3],
    )
    equal(report.fds[3]?.target, kept)
    const none = await b.tryRun({ global, flags: ['--preserve-fds', '1'] })
    equal(none.status, 1)
    match(none.stderr, /--preserve-fds 1: file descriptor 3 is not open/)
  },
)

test("tsrunc --trace: a program's own option of that name is its own", ONLY, async () => {
  requires('root')
  const b = await bundle((c, made) => {
    addBusybox(made.rootfs)
    c.process.args = ['/bin/sleep', '1000']
  })
  await b.create()
  await b.start()
  const path = file()
  const outcome = await b.tryCall('exec', {}, '/bin/busybox', 'echo', '--trace', path)
  equal(outcome.status, 0, outcome.stderr)
  equal(outcome.stdout, `--trace ${path}\n`)
  ok(!existsSync(path))
})
