import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bundle,
  callRuntime,
  copyOfRuntime,
  deepEqual,
  delay,
  doesNotMatch,
  equal,
  eventually,
  expectStatus,
  launch,
  match,
  notEqual,
  requires,
  runtime,
  runtimeEnvironment,
  sandbox,
  startPlanner,
  coldTest as test,
} from '../../lib'
import { ONLY, socketPath } from './planner-talk'

const OWN_CGROUP = '/tsrunc-planner'

const root = (): string => sandbox().marks.root
const PAUSE = new Int32Array(new SharedArrayBuffer(4))

/** A call that leaves a planner behind. */
const auto = (): { readonly env: Readonly<Record<string, string>> } => {
  sandbox().undo.push(() => {
    for (const pid of planners()) process.kill(pid, 'SIGKILL')
    for (let round = 0; planners().length > 0 && round < 100; round++) Atomics.wait(PAUSE, 0, 0, 20)
  })
  // By default.
  return { env: { ...runtimeEnvironment(), TSRUNC_PLANNER: '' } }
}

const read = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** Planners of this test's root. */
const planners = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => read(pid, 'cmdline').includes(`\0${root()}\0planner\0`))

const left = async (): Promise<number> => {
  await eventually('a planner', () => existsSync(socketPath()), 10_000)
  const [pid = 0, ...others] = planners()
  equal(others.length, 0)
  return pid
}

const end = async (pid: number): Promise<void> => {
  process.kill(pid, 'SIGTERM')
  await eventually('the end of the planner', () => planners().length === 0)
}

/** Nobody begins one in the time in which one would have begun. */
const noneLeft = async (): Promise<void> => {
  await delay(300)
  deepEqual(planners(), [])
}

const sleeper = (): Promise<Bundle> =>
  bundle((c, b) => {
    addBusybox(b.rootfs)
    c.process.args = ['/bin/sleep', '1000']
  })

test('tsrunc planner: a cold call leaves one behind, which has nothing of the caller', ONLY, async () => {
  requires('root')
  const b = await sleeper()
  const { stderr } = await b.create({ ...auto(), within: ['prlimit', '--core=0', 'nice', '-n', '5'] })
  equal(stderr, '')
  const pid = await left()
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
  // "/tsrunc": the copy of the executable that callers become, a file of an overlay that is mounted nowhere.
  for (const target of targets)
    match(target, /^(\/dev\/null|anon_inode:|pipe:|socket:|\/memfd:tsrunc-|\/tsrunc$|\/proc\/\d+\/mountinfo$)/)
  for (const fd of [0, 1, 2]) equal(readlinkSync(`/proc/${pid}/fd/${fd}`), '/dev/null')
  equal(readlinkSync(`/proc/${pid}/cwd`), '/')
  doesNotMatch(read(pid, 'environ'), new RegExp(`HOME|TMPDIR|SPEC|${sandbox().tag}`))
  // proc_pid_stat(5): session, and the terminal behind it.
  const [, , , session, terminal] = (/\) (.*)/.exec(read(pid, 'stat'))?.[1] ?? '').split(' ')
  equal(terminal, '0')
  notEqual(session, /\) (.*)/.exec(read(process.pid, 'stat'))?.[1]?.split(' ')[3])
  match(read(pid, 'status'), /^Umask:\t0022$/m)
  equal(statSync(socketPath()).mode & 0o777, 0o600)
  // The next call needs no node.
  const within = ['prlimit', '--as=67108864']
  await b.start()
  equal((await callRuntime(['--planner', 'on', 'exec', b.id, '/bin/true'], { within })).status, 0)
  await end(pid)
  equal(existsSync(socketPath()), false)
})

test('tsrunc planner: a caller of wait leaves none behind', ONLY, async () => {
  requires('root')
  const b = await sleeper()
  await b.create({ global: ['--planner', 'wait'] })
  await noneLeft()
})

test("tsrunc planner: the one that is left is in none of the caller's cgroups", ONLY, async () => {
  requires('root')
  const hierarchies = ['freezer', 'pids', 'systemd', 'unified', '']
    .map((name) => join('/sys/fs/cgroup', name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')))
  const service = hierarchies.map((path) => join(path, `${sandbox().tag}.service`))
  for (const path of service) mkdirSync(path, { recursive: true })
  sandbox().undo.push(() => {
    for (const path of service.filter((one) => existsSync(one))) rmdirSync(path)
  })
  const enter = service.map((path) => `echo $$ > ${path}/cgroup.procs`).join('; ')
  const b = await sleeper()
  await b.create({ ...auto(), within: ['sh', '-c', `${enter}; exec "$@"`, 'in'] })
  const pid = await left()
  const own = read(pid, 'cgroup')
  doesNotMatch(own, new RegExp(sandbox().tag))
  for (const line of own.trim().split('\n')) match(line, line.startsWith('0::') ? /^0::\/tsrunc-planner$/ : /:\/$/)
  await b.delete({ flags: ['--force'] })
  // Nothing of it is left: the service's cgroups can be removed.
  for (const path of service) rmdirSync(path)
  await end(pid)
  for (const path of hierarchies) equal(existsSync(`${path}${OWN_CGROUP}`), false)
})

test('tsrunc planner: a caller that waits for the end of its pipes does not wait for it', ONLY, async () => {
  requires('root')
  const b = await sleeper()
  // cat ends when nobody holds the pipe any more; the container's own streams are elsewhere.
  const create = `${runtime().path} --root ${root()} create --bundle ${b.path} ${b.id} </dev/null >/dev/null 2>&1`
  sandbox().containers.add(b.id)
  const pipe = `(exec 9>&1; ${create}) | cat; echo over`
  const { stdout } = await launch(['sh', '-c', pipe], auto()).exited
  equal(stdout, 'over\n')
  await end(await left())
})

test('tsrunc planner: callers at the same time leave one behind', ONLY, async () => {
  requires('root')
  const all = await Promise.all(Array.from({ length: 4 }, sleeper))
  // To the end of each, also where one fails.
  for (const outcome of await Promise.all(all.map((b) => b.tryCreate(auto())))) expectStatus(outcome)
  const pid = await left()
  await delay(300)
  deepEqual(planners(), [pid])
  await end(pid)
})

test('tsrunc planner: in the place of a dead one', ONLY, async () => {
  requires('root')
  const dead = startPlanner()
  dead.kill('SIGKILL')
  await eventually('the end of the planner', () => dead.signalCode !== null)
  const inode = statSync(socketPath()).ino
  const b = await sleeper()
  await b.create(auto())
  await eventually('a planner', () => statSync(socketPath()).ino !== inode, 10_000)
  await end(await left())
})

test('tsrunc planner: in the place of one whose installation was replaced', ONLY, async () => {
  requires('root')
  const copy = copyOfRuntime()
  const create = async (): Promise<void> => {
    const b = await sleeper()
    sandbox().containers.add(b.id)
    const words = ['--root', root(), 'create', '--bundle', b.path, b.id]
    equal((await launch([copy.path, ...words], auto()).exited).status, 0)
  }
  await create()
  const old = await left()
  utimesSync(copy.bundle, 1, 1)
  await create()
  await eventually('another planner', () => planners().some((pid) => pid !== old) && !planners().includes(old), 10_000)
  await end(await left())
})

test('tsrunc planner: ends when its directory is gone', ONLY, async () => {
  requires('root')
  const b = await sleeper()
  await b.create(auto())
  await left()
  await b.delete({ flags: ['--force'] })
  rmSync(root(), { recursive: true })
  await eventually('the end of the planner', () => planners().length === 0, 10_000)
})

const NONE: Readonly<Record<string, (b: Bundle) => Promise<unknown>>> = {
  '--planner off': (b) => b.create({ ...auto(), global: ['--planner', 'off'] }),
  'a mount namespace of its own': (b) => b.run({ ...auto(), within: ['unshare', '--mount'] }),
  'a pid namespace of its own': (b) => b.run({ ...auto(), within: ['unshare', '--pid', '--fork', '--mount-proc'] }),
  'a directory that others can write to': (b) => {
    mkdirSync(root(), { recursive: true })
    chmodSync(root(), 0o777)
    return b.run(auto())
  },
  '--dry-run': (b) => b.tryRun({ ...auto(), flags: ['--dry-run'] }),
}

for (const [what, call] of Object.entries(NONE)) {
  test(`tsrunc planner: ${what}: none is left behind`, ONLY, async () => {
    requires('root')
    const b = await bundle((c, { rootfs }) => {
      addBusybox(rootfs)
      c.process.args = ['/bin/true']
    })
    await call(b)
    await noneLeft()
  })
}
