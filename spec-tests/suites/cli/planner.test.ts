import { execFileSync } from 'node:child_process'
import { existsSync, openSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  addBusybox,
  type Bundle,
  bundle,
  callRuntime,
  copyOfRuntime,
  deepEqual,
  equal,
  eventually,
  launch,
  match,
  notEqual,
  requires,
  runtime,
  sandbox,
  scratch,
  startPlanner,
  coldTest as test,
  throws,
} from '../../lib'
import { mode, ONLY, socketPath, trueBundle } from './planner-talk'

/** What a process is, in a container with busybox. */
const LOOK =
  'grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)" /proc/self/status; sort /proc/self/environ | tr "\\0" " "; pwd; ' +
  'cat /proc/self/limits /proc/self/cgroup; exit 3'

/** The bytes of the plan that `create` saved. */
const savedPlan = async (b: Bundle, planner: string, within: readonly string[] = []): Promise<Buffer> => {
  const { stderr } = await b.create({ ...mode(planner), within })
  equal(stderr, '')
  const plan = readFileSync(join(sandbox().marks.root, b.id, 'plan'))
  await b.delete({ flags: ['--force'] })
  return plan
}

test('tsrunc planner: a plan that a planner made is the plan that node makes, byte for byte', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await bundle((c) => {
    const others = c.linux.namespaces?.filter(({ type }) => type !== 'ipc') ?? []
    c.linux.namespaces = [...others, { type: 'ipc', path: '/proc/self/ns/ipc' }]
    c.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] }
  })
  deepEqual(await savedPlan(b, 'on'), await savedPlan(b, 'off'))
  const relative = await trueBundle()
  deepEqual(await savedPlan(relative, 'auto'), await savedPlan(relative, 'off'))
})

test('tsrunc planner: what it remembers of the host is forgotten when the mounts change', ONLY, async () => {
  requires('root', 'cgroup-v1')
  const holder = launch(['unshare', '--mount', 'sh', '-c', 'echo $$; exec sleep 1000'])
  await eventually('the mount namespace', () => holder.stdout().endsWith('\n'))
  const inside = ['nsenter', `--mount=/proc/${holder.stdout().trim()}/ns/mnt`]
  launch([...inside, runtime().path, '--root', sandbox().marks.root, 'planner'])
  await eventually('the planner', () => existsSync(socketPath()))
  const b = await trueBundle()
  const first = await savedPlan(b, 'on', inside)
  // Until it is given again without being planned.
  for (let i = 0; i < 3; i++) deepEqual(await savedPlan(b, 'on', inside), first)
  deepEqual(await savedPlan(b, 'off', inside), first)
  execFileSync('nsenter', [...inside.slice(1), 'umount', '/sys/fs/cgroup/pids'])
  const second = await savedPlan(b, 'on', inside)
  notEqual(second.compare(first), 0)
  deepEqual(await savedPlan(b, 'off', inside), second)
})

test('tsrunc planner: with one, no node is started', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await trueBundle()
  // V8 reserves more address space than that before it does anything.
  const within = ['prlimit', '--as=67108864']
  notEqual((await b.tryRun({ ...mode('off'), within })).status, 0)
  await b.run({ ...mode('on'), within })
})

test('tsrunc planner: its callers become its copy of the executable, which nobody can write to', ONLY, async () => {
  requires('root')
  startPlanner()
  // proc(5) exe, of an init that waits for start: an overlay of its own has a device number of its own.
  const exeOf = async (planner: string): Promise<{ readonly path: string; readonly device: number }> => {
    const b = await trueBundle()
    await b.create(mode(planner))
    const path = `/proc/${(await b.state()).pid}/exe`
    return { path, device: statSync(path).dev }
  }
  const cold = await exeOf('off')
  const warm = [await exeOf('on')]
  // A planner that is too busy to greet within 5 ms lets its caller make a copy of its own.
  const isShared = () => new Set(warm.map(({ device }) => device)).size < warm.length
  while (!isShared() && warm.length < 20) warm.push(await exeOf('on'))
  equal(isShared(), true)
  for (const { path, device } of warm) {
    notEqual(device, cold.device)
    throws(() => openSync(path, 'r+'), /EROFS/)
  }
  throws(() => openSync(cold.path, 'r+'), /EROFS/)
})

test('tsrunc planner: exec is planned by it too, and needs no node', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await bundle((c, { rootfs }) => {
    addBusybox(rootfs)
    c.process.args = ['/bin/sleep', '1000']
    c.process.capabilities = Object.fromEntries(
      ['bounding', 'effective', 'permitted'].map((set) => [set, ['CAP_KILL', 'CAP_CHOWN']]),
    )
    c.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] }
  })
  await b.create(mode('on'))
  await b.start()
  const file = scratch('process.json')
  writeFileSync(file, JSON.stringify({ args: ['/bin/sh', '-c', LOOK], cwd: '/proc', env: ['A=of-the-file'] }))
  const within = ['prlimit', '--as=67108864']
  for (const flags of [
    ['--env', 'A=b', '--user=5:6', '--cwd', '/bin', '-c', 'CAP_NET_RAW'],
    ['-p', file, '--no-new-privs', '--additional-gids', '7'],
  ]) {
    const command = flags.includes(file) ? [] : ['/bin/sh', '-c', LOOK]
    const call = (planner: string, within: readonly string[] = []) =>
      callRuntime(['--planner', planner, 'exec', ...flags, b.id, ...command], { within })
    notEqual((await call('off', within)).status, 3)
    equal((await call('on', within)).status, 3)
    const warm = await call('on')
    const cold = await call('off')
    equal(warm.stderr, '')
    deepEqual([warm.status, warm.stdout], [3, cold.stdout])
    match(warm.stdout, /Seccomp:\t2/)
  }
})

test('tsrunc planner: an error of exec is told in the same words, with its status', ONLY, async () => {
  requires('root')
  const b = await trueBundle()
  await b.create(mode('off'))
  const without = await callRuntime(['--planner', 'on', 'exec', b.id, '/bin/true'])
  equal(without.status, 255)
  match(without.stderr, /planner of .*no such file or directory/)
  startPlanner()
  for (const words of [
    ['nobody', '/bin/true'],
    ['--user', 'root', b.id, '/bin/true'],
    ['../..', '/bin/true'],
    [b.id],
  ]) {
    const warm = await callRuntime(['--planner', 'on', 'exec', ...words])
    const cold = await callRuntime(['--planner', 'off', 'exec', ...words])
    equal(warm.stderr, cold.stderr)
    deepEqual([warm.status, cold.status], [255, 255])
  }
})

test('tsrunc planner: an error is told in the same words', ONLY, async () => {
  requires('root')
  startPlanner()
  const b = await bundle((c) => {
    c.process.cwd = 'relative'
  })
  const warm = await b.tryRun(mode('on'))
  const cold = await b.tryRun(mode('off'))
  equal(warm.stderr, cold.stderr)
  equal(warm.status, cold.status)
  notEqual(warm.status, 0)
})

test('tsrunc planner: its socket is for its user alone, and its place for one planner', ONLY, async () => {
  requires('root')
  startPlanner()
  equal(statSync(socketPath()).mode & 0o777, 0o600)
  const second = startPlanner()
  const text = await new Promise<string>((resolve) => {
    let all = ''
    second.stderr?.on('data', (data: Buffer) => {
      all += data
    })
    second.on('close', () => resolve(all))
  })
  match(text, /a planner serves .* already/)
})

test('tsrunc planner: without one, --planner on is an error', ONLY, async () => {
  requires('root')
  const b = await trueBundle()
  const on = await b.tryRun(mode('on'))
  equal(on.status, 1)
  match(on.stderr, /planner of .*no such file or directory/)
})

test('tsrunc planner: a dead socket is taken over by the next one', ONLY, async () => {
  requires('root')
  const planner = startPlanner()
  planner.kill('SIGKILL')
  await eventually('the end of the planner', () => planner.signalCode !== null)
  equal(existsSync(socketPath()), true)
  const b = await trueBundle()
  match((await b.tryRun(mode('on'))).stderr, /connection refused/)
  // The next planner takes its place.
  const dead = statSync(socketPath()).ino
  startPlanner()
  await eventually('a living planner', () => statSync(socketPath()).ino !== dead)
  await b.run(mode('on'))
})

test('tsrunc planner: --planner may stand before verbs that plan nothing, as engines write it', ONLY, async () => {
  requires('root')
  const b = await trueBundle()
  await b.create(mode('off'))
  const call = (...words: readonly string[]) => callRuntime(['--planner', 'auto', ...words])
  for (const verb of [['list'], ['state', b.id], ['start', b.id], ['delete', '--force', b.id]]) {
    const { status, stderr } = await call(...verb)
    deepEqual([status, stderr], [0, ''])
  }
})

test('tsrunc planner: ends when it was idle, and leaves no socket', ONLY, async () => {
  requires('root')
  const planner = startPlanner(['--idle', '1'])
  await eventually('the end of the planner', () => planner.exitCode !== null, 10_000)
  equal(planner.exitCode, 0)
  equal(existsSync(socketPath()), false)
})

test('tsrunc planner: makes no plans of another installation, and ends when its own was replaced', ONLY, async () => {
  requires('root')
  const copy = copyOfRuntime()
  const planner = startPlanner([], copy.path)
  const b = await trueBundle()
  // Not its caller: node plans, as without a planner.
  await b.run(mode('on'))
  utimesSync(copy.bundle, 1, 1)
  match((await b.tryRun(mode('on'))).stderr, /installation that has changed/)
  await eventually('the end of the planner', () => planner.exitCode !== null, 10_000)
  equal(existsSync(socketPath()), false)
})
