// `restore`: a container goes on from where `checkpoint` has saved it.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  checkpoint,
  consoleSocket,
  count,
  counting,
  countsBeyond,
  criuTracksMemory,
  deepEqual,
  equal,
  eventually,
  expectStatus,
  hasCapability,
  images,
  isAlive,
  launch,
  launchRestore,
  leftSoFar,
  match,
  networkNamespace,
  notEqual,
  ok,
  readCgroup,
  requires,
  requiresCriu,
  requiresThat,
  saveAndRestore,
  scratch,
  type TestOptions,
  TICKER,
  test,
  tryRestore,
} from '../../lib'
import { exitOf, MonitorClient } from '../monitor/client'

// runc has no --network-lock, and crun is not built with CRIU everywhere.
const OURS: TestOptions = { only: ['tsrunc'] }

/** Lines of proc_pid_status(5) that say what a process may do. */
const RIGHTS = /^(?:Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp|Seccomp_filters):.*$/gm
const rightsOf = (pid: number): readonly string[] => readFileSync(`/proc/${pid}/status`, 'utf8').match(RIGHTS) ?? []

/** Mount points of a process, each with its flags. */
const mountsOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .map((line) => line.split(' ').slice(4, 6).join(' '))
    .sort()

test('restore: the container goes on counting, as a running one with its rights and its mounts', OURS, async () => {
  const b = await counting({
    change: (config, { path }) => {
      config.process.noNewPrivileges = true
      // prlimit(2): CRIU asks for the limits of another user's process.
      if (hasCapability('CAP_SYS_RESOURCE')) config.process.user = { uid: 1000, gid: 1000, additionalGids: [7] }
      config.process.env = [...(config.process.env ?? []), 'HOME=/tmp']
      config.linux.maskedPaths = ['/proc/kcore', '/proc/acpi']
      config.linux.readonlyPaths = ['/proc/sys', '/etc']
      config.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }],
      }
      config.mounts.push({ destination: '/mnt', type: 'bind', source: path, options: ['rbind', 'ro', 'nosuid'] })
    },
  })
  const { pid } = await b.state()
  const [rights, mounts] = [rightsOf(pid), mountsOf(pid)]
  await saveAndRestore(b)
  const state = await b.state()
  equal(state.status, 'running')
  deepEqual(rightsOf(state.pid), rights)
  deepEqual(mountsOf(state.pid), mounts)
  match((await b.tryExec({}, '/bin/sh', '-c', '/bin/busybox touch /mnt/new')).stderr, /Read-only file system/)
})

test('restore: another name, its cgroup and its limits; exec, pause, kill and delete work', OURS, async () => {
  const b = await counting({ change: ({ linux }) => (linux.resources = { ...linux.resources, pids: { limit: 50 } }) })
  expectStatus(await checkpoint(b, '--leave-running'))
  expectStatus(await b.tryCall('kill', {}, 'KILL'))
  await b.reaches('stopped')
  await b.delete()
  const other = b.twin()
  const saved = count(b)
  const pidFile = scratch('pid')
  expectStatus(await tryRestore(other, '--pid-file', pidFile))
  await countsBeyond(b, saved)
  const { pid } = await other.state()
  equal(Number(readFileSync(pidFile, 'utf8')), pid)
  match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), new RegExp(`/${other.id}$`, 'm'))
  equal(readCgroup('pids', other.id, 'pids.max'), '50')
  match((await other.tryExec({}, '/bin/cat', '/proc/1/comm')).stdout, /^sh$/m)
  expectStatus(await other.tryCall('pause'))
  equal((await other.state()).status, 'paused')
  expectStatus(await other.tryCall('resume'))
  await other.kill('KILL')
  await other.reaches('stopped')
  await other.delete()
})

test(
  'restore in the foreground: waits, ends with the status of the program, and the container is gone',
  OURS,
  async () => {
    const b = await counting({ first: 'trap "exit 9" TERM; ' })
    expectStatus(await checkpoint(b))
    const running = launchRestore(b)
    await countsBeyond(b, count(b))
    // Before, the signal ends the restore.
    await b.reaches('running')
    process.kill(await running.pid, 'SIGTERM')
    equal((await running.exited).status, 9)
    equal((await b.tryCall('state')).status, 1)
  },
)

test('restore: what was a pipe is what the caller gives', OURS, async () => {
  const b = await counting({ first: `(${TICKER}) & ` })
  expectStatus(await checkpoint(b))
  expectStatus(await tryRestore(b))
  await b.line(/tick\ntick/)
})

test('restore --monitor: it has the streams, and notes the exit code', OURS, async () => {
  const first = `trap "exit 7" TERM; (${TICKER}) & `
  const b = await counting({ first, flags: ['--monitor', '--stdout', scratch('before')] })
  await eventually('its output', () => existsSync(scratch('before')) && readFileSync(scratch('before'), 'utf8') !== '')
  const out = scratch('after')
  await saveAndRestore(b, '--monitor', '--stdout', out)
  await eventually('its output again', () => existsSync(out) && readFileSync(out, 'utf8').includes('tick\ntick'))
  equal((await b.state()).status, 'running')
  await b.kill('TERM')
  equal((await exitOf(b)).code, 7)
  equal((await b.tryCall('wait')).stdout, '7\n')
  await b.delete({ flags: ['--force'] })
})

test("restore --monitor: the terminal is the monitor's", OURS, async () => {
  const console = await consoleSocket()
  const b = await counting({
    change: ({ process }) => {
      process.terminal = true
      process.args = ['/bin/sh', '-c', 'echo 1 > /tmp/count; while read line; do echo "read $line"; done; exit 5']
    },
    flags: ['--console-socket', console.socket],
  })
  expectStatus(await checkpoint(b))
  await console.closed()
  const out = scratch('out')
  expectStatus(await tryRestore(b, '--monitor', '--interactive', '--stdout', out))
  const client = await new MonitorClient(b).attach()
  client.send('I', 'again\n')
  await eventually('its answer', () => existsSync(out) && /read again/.test(readFileSync(out, 'utf8')))
  await b.kill('KILL')
  equal((await exitOf(b)).signal, 9)
})

test('restore --monitor: what fails leaves neither monitor nor container', OURS, async () => {
  const b = await counting()
  expectStatus(await checkpoint(b))
  expectStatus(await b.tryCall('delete', { flags: ['--force'] }))
  truncateSync(join(images(), 'pstree.img'), 3)
  const { status, stderr } = await tryRestore(b, '--monitor')
  equal(status, 1)
  match(stderr, /tsrunc restore: .*CRIU/)
  deepEqual(await leftSoFar(), [])
})

test('restore: a paused container goes on running', OURS, async () => {
  const b = await counting()
  expectStatus(await b.tryCall('pause'))
  await saveAndRestore(b)
  equal((await b.state()).status, 'running')
})

test('restore: the terminal is sent to the console socket', OURS, async () => {
  const first = await consoleSocket()
  const b = await counting({
    change: ({ process }) => {
      process.terminal = true
      process.args = ['/bin/sh', '-c', 'echo 1 > /tmp/count; while read line; do echo "read $line"; done']
    },
    flags: ['--console-socket', first.socket],
  })
  first.type('one\n')
  await first.sees(/read one/)
  expectStatus(await checkpoint(b))
  await first.closed()
  const second = await consoleSocket()
  expectStatus(await tryRestore(b, '--console-socket', second.socket))
  second.type('two\n')
  await second.sees(/read two/)
})

test('restore: hooks of the namespaces run, those of the program do not', OURS, async () => {
  const names = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const
  const hooked = (config: Bundle['config'], b: Bundle): void => {
    config.hooks = Object.fromEntries(names.map((name) => [name, [b.hook(name, name)]]))
  }
  const b = await counting({ change: hooked })
  expectStatus(await checkpoint(b))
  hooked(b.config, b)
  const saved = count(b)
  expectStatus(await tryRestore(b))
  await countsBeyond(b, saved)
  const { pid } = await b.state()
  const lines = b.hookLines()
  deepEqual(
    lines.map(({ hook }) => hook),
    ['prestart', 'createRuntime'],
  )
  for (const { state } of lines) equal((JSON.parse(state) as { pid: number }).pid, pid)
  expectStatus(await b.tryCall('delete', { flags: ['--force'] }))
  equal(b.hookLines().at(-1)?.hook, 'poststop')
})

test('restore: a hook that fails ends it, and nothing is left', OURS, async () => {
  const b = await counting()
  expectStatus(await checkpoint(b))
  b.config.hooks = { createRuntime: [b.hook('createRuntime', 'one', 'exit=3', 'stderr=the-hook-says-why')] }
  b.save()
  const { status, stderr } = await tryRestore(b)
  equal(status, 1)
  match(stderr, /createRuntime(.|\n)*the-hook-says-why/)
  equal((await b.tryCall('state')).status, 1)
})

test('restore: SIGTERM meanwhile leaves nothing', OURS, async () => {
  const b = await counting()
  expectStatus(await checkpoint(b))
  b.config.hooks = { createRuntime: [b.hook('createRuntime', 'one', 'sleep=2')] }
  b.save()
  const running = launchRestore(b, '--detach')
  await eventually('the hook', () => b.hookLines().length > 0 || undefined)
  process.kill(await running.pid, 'SIGTERM')
  notEqual((await running.exited).status, 0)
  equal((await b.tryCall('state')).status, 1)
})

test('restore: a network namespace of others is the one that is given now', OURS, async () => {
  const [before, after] = [await networkNamespace(), await networkNamespace()]
  const into = (config: Bundle['config'], path: string): void => {
    config.linux.namespaces = [
      ...(config.linux.namespaces ?? []).filter(({ type }) => type !== 'network'),
      { type: 'network', path },
    ]
  }
  const b = await counting({ change: (config) => into(config, before.path) })
  expectStatus(await checkpoint(b))
  into(b.config, after.path)
  b.save()
  const saved = count(b)
  expectStatus(await tryRestore(b))
  await countsBeyond(b, saved)
  equal(readlinkSync(`/proc/${(await b.state()).pid}/ns/net`), readlinkSync(after.path))
})

test('restore: what is not a checkpoint, or a damaged one, is told and leaves nothing', OURS, async () => {
  const b = await counting()
  const missing = await tryRestore(b.twin())
  equal(missing.status, 1)
  match(missing.stderr, /--image-path: ".*images" is not a directory/)
  expectStatus(await checkpoint(b))
  const core = readdirSync(images()).find((name) => name.startsWith('core-')) ?? ''
  truncateSync(join(images(), core), 30)
  const damaged = await tryRestore(b)
  equal(damaged.status, 1)
  match(damaged.stderr, /restore the container: CRIU could not do it: .*Error.*its log is \S*restore\.log/)
  equal((await b.tryCall('state')).status, 1)
  writeFileSync(join(images(), 'descriptors.json'), '{')
  const unread = await tryRestore(b)
  equal(unread.status, 1)
  match(unread.stderr, /read ".*descriptors\.json" of the checkpoint/)
  rmSync(join(images(), 'inventory.img'))
  match((await tryRestore(b)).stderr, /is not a checkpoint: it has no inventory\.img/)
})

test('restore: a name that is in use is refused, and its container goes on', OURS, async () => {
  const b = await counting()
  expectStatus(await checkpoint(b, '--leave-running'))
  const { pid } = await b.state()
  const { status, stderr } = await tryRestore(b)
  equal(status, 1)
  match(stderr, /already exists/)
  ok(isAlive(pid))
  await countsBeyond(b, count(b))
})

test(
  'checkpoint --pre-dump: the container goes on, and a checkpoint with --parent-path is restored',
  OURS,
  async () => {
    requiresCriu()
    requiresThat(criuTracksMemory(), 'memory tracking')
    const b = await counting()
    const parent = `${images()}-parent`
    expectStatus(await checkpoint(b, '--pre-dump'))
    equal((await b.state()).status, 'running')
    await countsBeyond(b, count(b))
    renameSync(images(), parent)
    const pagesOf = (directory: string): number =>
      readdirSync(directory).filter((name) => name.startsWith('pages-')).length
    ok(pagesOf(parent) > 0)
    match((await checkpoint(b, '--parent-path', parent)).stderr, /--parent-path: relative to --image-path/)
    match(
      (await checkpoint(b, '--parent-path', '../nothing')).stderr,
      /--parent-path: "\.\.\/nothing".*not a directory/,
    )
    expectStatus(await checkpoint(b, '--parent-path', '../images-parent'))
    ok(existsSync(join(images(), 'parent')))
    const saved = count(b)
    expectStatus(await tryRestore(b))
    await countsBeyond(b, saved)
  },
)

test(
  'checkpoint --pre-dump: a host whose kernel does not track memory is told so, and nothing is done',
  OURS,
  async () => {
    const b = await counting()
    requiresThat(!criuTracksMemory(), 'a kernel that does not track memory')
    const { status, stderr } = await checkpoint(b, '--pre-dump')
    equal(status, 1)
    match(stderr, /--pre-dump needs that the kernel tells which pages were written.*mem_dirty_track/)
    equal(existsSync(images()), false)
  },
)

test('restore: a container with a user namespace of its own', OURS, async () => {
  requiresCriu()
  requires('userns', 'CAP_SYS_RESOURCE')
  const b = await counting({
    // Streams from outside are opened anew, which its root need not be allowed to.
    first: 'exec < /dev/null > /dev/null 2>&1; ',
    change: (config, { rootfs }) => {
      const map = [{ containerID: 0, hostID: 100000, size: 65536 }]
      config.linux.namespaces = [...(config.linux.namespaces ?? []), { type: 'user' }]
      config.linux.uidMappings = map
      config.linux.gidMappings = map
      chownSync(join(rootfs, 'tmp'), 100000, 100000)
    },
  })
  const { pid } = await b.state()
  const mounts = mountsOf(pid)
  expectStatus(await checkpoint(b))
  // The root of the container reads them, who is nobody to the directory.
  const refused = await tryRestore(b)
  equal(refused.status, 1)
  match(refused.stderr, /Error.*img: Permission denied/)
  chmodSync(images(), 0o755)
  for (const name of readdirSync(images())) chmodSync(join(images(), name), 0o644)
  const saved = count(b)
  expectStatus(await tryRestore(b))
  await countsBeyond(b, saved)
  const after = (await b.state()).pid
  match(readFileSync(`/proc/${after}/uid_map`, 'utf8'), /^\s*0\s+100000\s+65536$/m)
  deepEqual(mountsOf(after), mounts)
})

test(
  'restore --manage-cgroups-mode: whoever cares for cgroups, the processes are in those of the container',
  OURS,
  async () => {
    const b = await counting()
    for (const mode of ['ignore', 'full']) {
      expectStatus(await checkpoint(b, '--manage-cgroups-mode', mode))
      const saved = count(b)
      expectStatus(await tryRestore(b, '--manage-cgroups-mode', mode))
      await countsBeyond(b, saved)
      const { pid } = await b.state()
      match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), new RegExp(`/${b.id}$`, 'm'), mode)
      rmSync(images(), { recursive: true })
    }
  },
)

test('checkpoint --lazy-pages: the memory follows when the restored container needs it', OURS, async () => {
  const b = await counting()
  const work = scratch('lazy')
  mkdirSync(work)
  const port = String(20000 + (process.pid % 20000))
  const status = openSync(scratch('status'), 'w')
  const flags = ['--lazy-pages', '--page-server', `127.0.0.1:${port}`, '--status-fd', '3', '--image-path', images()]
  const saving = b.launchCall('checkpoint', {
    flags: [...flags, '--network-lock', 'skip'],
    fds: [status],
    timeout: 60_000,
  })
  await eventually('the page server', () => statSync(scratch('status')).size > 0 || undefined)
  const where = ['--images-dir', images(), '--work-dir', work]
  launch(['criu', 'lazy-pages', '--page-server', '--address', '127.0.0.1', '--port', port, ...where])
  await eventually('its socket', () => existsSync(join(work, 'lazy-pages.socket')) || undefined)
  const other = b.twin()
  const saved = count(b)
  expectStatus(await tryRestore(other, '--lazy-pages', '--work-path', work))
  await countsBeyond(b, saved)
  expectStatus(await saving.exited)
  equal((await b.tryCall('state')).status, 1)
})

test('restore: the SELinux label is that of before, or it is an error: CRIU may be built without', OURS, async () => {
  requiresCriu()
  requires('root', 'selinux')
  const label = 'system_u:system_r:container_t:s0:c1,c2'
  const b = await counting({
    change: ({ process }) => {
      process.selinuxLabel = label
    },
  })
  expectStatus(await checkpoint(b))
  const { status, stderr } = await tryRestore(b)
  if (status === 0) {
    const { pid } = await b.state()
    equal(readFileSync(`/proc/${pid}/attr/current`, 'utf8').replace(/[\0\n]+$/, ''), label)
    return
  }
  match(stderr, new RegExp(`the restored process has \\S+, not ${label}: CRIU was built without SELinux`))
  equal((await b.tryCall('state')).status, 1)
})

test('restore --lsm-profile: what is no type and name is refused', OURS, async () => {
  const b = await counting()
  expectStatus(await checkpoint(b))
  match((await tryRestore(b, '--lsm-profile', 'label')).stderr, /--lsm-profile: apparmor:NAME or selinux:LABEL/)
})
