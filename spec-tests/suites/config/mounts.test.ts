// config.md#mounts: sources, destinations, order, file systems.
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import {
  bad,
  bundle,
  deepEqual,
  equal,
  includes,
  isMounted,
  type Mount,
  mountAt,
  ok,
  parseMountinfo,
  requires,
  sandbox,
  scratch,
  test,
} from '../../lib'

const tmpfs = (destination: string, ...options: string[]): Mount => ({
  destination,
  type: 'tmpfs',
  source: 'tmpfs',
  options,
})

test('config.md#mounts [MNT-1a]: the runtime MUST mount entries in the listed order', async () => {
  const b = await bundle((c) => {
    c.mounts.push(tmpfs('/a'), tmpfs('/a/b', 'size=64k'), tmpfs('/a/b/c', 'size=128k'))
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  deepEqual(
    parseMountinfo(mountinfo)
      .map((mount) => mount.target)
      .filter((target) => target.startsWith('/a')),
    ['/a', '/a/b', '/a/b/c'],
  )
})

test('config.md#mounts [MNT-1a]: a later mount on the same destination hides the earlier one', async () => {
  const b = await bundle((c) => {
    c.mounts.push(tmpfs('/a', 'size=64k'), tmpfs('/a', 'size=128k'))
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  includes(mountAt(mountinfo, '/a').superOptions, 'size=128k')
})

test('config.md#mounts [MNT-1a]: a mount on a parent hides the child that was mounted before', async () => {
  const b = await bundle((c) => {
    c.mounts.push(tmpfs('/a/b'), tmpfs('/a'))
  })
  const [below] = await b.probe(['ls', '/a'])
  deepEqual(below.entries, [])
})

// A runtime may remember the directory in which it has just made a mount point.
for (const [what, second] of [
  ['its path', '/a'],
  ['a link to it', '/link'],
] as const) {
  test(`config.md#mounts [MNT-1a]: what is made beside a mount point lies on what was mounted meanwhile on ${what}`, async () => {
    const b = await bundle((c, b) => {
      symlinkSync('/a', join(b.rootfs, 'link'))
      c.mounts.push(tmpfs('/a/one'), tmpfs(second), tmpfs('/a/two', 'size=64k'))
    })
    const [{ entries }, { mountinfo }] = await b.probe(['ls', '/a'], ['mounts'])
    deepEqual(entries, ['two'])
    includes(mountAt(mountinfo, '/a/two').superOptions, 'size=64k')
  })
}

test('config.md#mounts [MNT-1e]: a destination that is missing is made, with its parents', {
  peers: { crun: 'sets the sticky bit' },
}, async () => {
  const b = await bundle((c) => {
    c.mounts.push(tmpfs('/not/there/yet'))
  })
  const [{ mountinfo }, parent] = await b.probe(['mounts'], ['lstat', '/not/there'])
  equal(mountAt(mountinfo, '/not/there/yet').type, 'tmpfs')
  deepEqual([parent.type, parent.mode, parent.uid], ['directory', 0o755, 0])
})

test('config.md#mounts [MNT-1e]: destinations of the base configuration are made in an empty root', async () => {
  const b = await bundle((_, b) => {
    execFileSync(
      'rmdir',
      ['proc', 'sys', 'dev'].map((name) => join(b.rootfs, name)),
    )
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  for (const path of ['/proc', '/sys', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue']) {
    ok(isMounted(mountinfo, path), path)
  }
})

test('config.md#mounts [MNT-1c]: destination is relative to the root when it is not absolute', async () => {
  const b = await bundle((c) => {
    c.mounts.push(tmpfs('relative/place'))
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  equal(mountAt(mountinfo, '/relative/place').type, 'tmpfs')
})

test('config.md#mounts [MNT-1d]: destination is REQUIRED', async () => {
  const b = await bundle((c) => c.mounts.push(bad({ type: 'tmpfs', source: 'tmpfs' })))
  await b.refused(/destination/)
})

test('config.md#mounts [MNT-1d]: an empty destination is refused', async () => {
  const b = await bundle((c) => c.mounts.push(tmpfs('')))
  await b.refused(/destination/)
})

test('config.md#mounts [MNT-1b]: a destination with .. stays inside of the root', async () => {
  const b = await bundle((c) => {
    c.mounts.push(tmpfs('/x/../../../../inside'))
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  equal(mountAt(mountinfo, '/inside').type, 'tmpfs')
})

test('config.md#mounts [MNT-1b]: a destination that is an absolute symbolic link of the image stays inside of the root', async () => {
  const b = await bundle((c, b) => {
    b.directory('real')
    symlinkSync('/real', join(b.rootfs, 'link'))
    c.mounts.push(tmpfs('/link'))
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  equal(mountAt(mountinfo, '/real').type, 'tmpfs')
})

test('config.md#mounts [MNT-1b]: a destination below a symbolic link that climbs stays inside of the root', async () => {
  const b = await bundle((c, b) => {
    symlinkSync('../../../../../..', join(b.rootfs, 'link'))
    c.mounts.push(tmpfs('/link/made'))
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  equal(mountAt(mountinfo, '/made').type, 'tmpfs')
})

test('config.md#mounts [MNT-2a]: a bind source is absolute', async () => {
  const source = scratch('source')
  mkdirSync(source)
  writeFileSync(join(source, 'file'), 'of the host')
  const b = await bundle((c) => {
    c.mounts.push({ destination: '/m', type: 'bind', source, options: ['bind'] })
  })
  const [file] = await b.probe(['read', '/m/file'])
  equal(file.data, 'of the host')
})

test('config.md#mounts [MNT-2a]: a bind source that is relative is relative to the bundle', async () => {
  const b = await bundle((c, b) => {
    mkdirSync(join(b.path, 'volume'))
    writeFileSync(join(b.path, 'volume/file'), 'of the bundle')
    c.mounts.push({ destination: '/m', type: 'bind', source: 'volume', options: ['bind'] })
  })
  b.command(['read', '/m/file'])
  const outcome = await b.run({ cwd: '/' })
  equal(b.answers(outcome.stdout, [['read']])[0].data, 'of the bundle')
})

test('config.md#mounts [MNT-1e]: a bind mount of a file makes the file that is missing', async () => {
  const source = scratch('hosts')
  writeFileSync(source, '127.0.0.1 localhost')
  const b = await bundle((c) => {
    c.mounts.push({ destination: '/etc/made/hosts', type: 'bind', source, options: ['bind', 'ro'] })
  })
  const [file, written] = await b.probe(['read', '/etc/made/hosts'], ['write', '/etc/made/hosts', 'x'])
  equal(file.data, '127.0.0.1 localhost')
  equal(written.error, 'EROFS')
})

test('config.md#mounts [MNT-2a]: a bind mount of a file over a file', async () => {
  const source = scratch('hosts')
  writeFileSync(source, 'new')
  const b = await bundle((c, b) => {
    b.file('etc/hosts', 'old')
    c.mounts.push({ destination: '/etc/hosts', type: 'bind', source, options: ['rbind'] })
  })
  const [file, written] = await b.probe(['read', '/etc/hosts'], ['write', '/etc/hosts', 'NEW'])
  deepEqual([file.data, written.error], ['new', ''])
})

test('config.md#mounts [MNT-2a]: a bind source that is a symbolic link is followed', async () => {
  const source = scratch('target')
  writeFileSync(source, 'behind the link')
  symlinkSync(source, scratch('link'))
  const b = await bundle((c) => {
    c.mounts.push({ destination: '/m', type: 'bind', source: scratch('link'), options: ['bind'] })
  })
  const [file] = await b.probe(['read', '/m'])
  equal(file.data, 'behind the link')
})

test('config.md#mounts [MNT-2a]: a bind mount of a socket, a fifo and a device', async () => {
  const socket = scratch('sock')
  const server = createServer().listen(socket)
  sandbox().undo.push(() => server.close())
  const fifo = scratch('fifo')
  execFileSync('mkfifo', [fifo])
  const b = await bundle((c) => {
    for (const [destination, source] of [
      ['/s', socket],
      ['/f', fifo],
      ['/d', '/dev/null'],
    ] as const) {
      c.mounts.push({ destination, type: 'bind', source, options: ['bind'] })
    }
  })
  const [s, f, d] = await b.probe(['lstat', '/s'], ['lstat', '/f'], ['lstat', '/d'])
  deepEqual([s.type, f.type, d.type, d.major, d.minor], ['socket', 'fifo', 'char', 1, 3])
})

test('config.md#mounts [MNT-2b]: a bind source that is missing is refused', async () => {
  const b = await bundle((c) => {
    c.mounts.push({ destination: '/m', type: 'bind', source: '/no/such/source', options: ['bind'] })
  })
  await b.refused(/\/no\/such\/source.*(no such file|does not exist|ENOENT)/i)
})

test('config.md#mounts [GEN-2]: a file bound on a directory is refused', async () => {
  const source = scratch('file')
  writeFileSync(source, '')
  const b = await bundle((c, b) => {
    b.directory('m')
    c.mounts.push({ destination: '/m', type: 'bind', source, options: ['bind'] })
  })
  await b.refused(/\/m.*(not a directory|ENOTDIR)|(not a directory|ENOTDIR).*\/m/i)
})

test('config.md#mounts [MNT-3c]: a file system that the kernel does not know is refused', async () => {
  const b = await bundle((c) => c.mounts.push({ destination: '/m', type: 'nosuchfs', source: 'x' }))
  await b.refused(/nosuchfs/)
})

test('config.md#mounts [MNT-4i]: an option that the file system refuses is an error', async () => {
  const b = await bundle((c) => c.mounts.push(tmpfs('/m', 'nosuchoption=1')))
  await b.refused(/\/m|nosuchoption/)
})

test('config.md#mounts [MNT-4h]: the mode of a tmpfs', async () => {
  const b = await bundle((c) => {
    c.mounts.push(tmpfs('/m', 'mode=0710', 'uid=7', 'gid=8'))
  })
  const [stat] = await b.probe(['lstat', '/m'])
  deepEqual([stat.mode, stat.uid, stat.gid], [0o710, 7, 8])
})

test('config.md#mounts [MNT-4h]: a tmpfs without a mode is open to all, with the sticky bit, on a directory that the runtime made', async () => {
  const b = await bundle((c) => {
    c.mounts.push(tmpfs('/made'))
  })
  const [stat] = await b.probe(['lstat', '/made'])
  ok(stat.mode === 0o1777 || stat.mode === 0o755, stat.mode.toString(8))
})

test('config.md#mounts [MNT-4h]: a tmpfs without a mode takes that of the directory it covers, as runc does', {
  peers: { crun: 'always 1777' },
}, async () => {
  const b = await bundle((c, b) => {
    b.directory('there', 0o701)
    c.mounts.push(tmpfs('/there'))
  })
  const [stat] = await b.probe(['lstat', '/there'])
  equal(stat.mode, 0o701)
})

test('config.md#mounts [MNT-4h]: the size of a tmpfs', async () => {
  const b = await bundle((c) => {
    c.mounts.push(tmpfs('/m', 'size=1048576', 'nr_inodes=10'))
  })
  const [fs] = await b.probe(['statfs', '/m'])
  deepEqual([fs.blocks * fs.blockSize, fs.files], [1048576, 10])
})

test('config-linux.md#default-filesystems [MNT-7]: /proc, /sys, /dev/pts and /dev/shm are what they should be', async () => {
  const b = await bundle()
  const [{ mountinfo }] = await b.probe(['mounts'])
  deepEqual(
    ['/proc', '/sys', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue'].map((path) => mountAt(mountinfo, path).type),
    ['proc', 'sysfs', 'tmpfs', 'devpts', 'tmpfs', 'mqueue'],
  )
  const sys = mountAt(mountinfo, '/sys').options
  for (const word of ['ro', 'nosuid', 'nodev', 'noexec']) {
    includes(sys, word)
  }
})

test("config-linux.md#default-filesystems [MNT-7]: /proc is that of the container's PID namespace", async () => {
  const b = await bundle()
  const [{ processes }] = await b.probe(['processes'])
  deepEqual(
    processes.map((process) => process.pid),
    [1],
  )
})

test('config.md#mounts [MNT-4h]: devpts takes its options', async () => {
  const b = await bundle()
  const [{ mountinfo }, ptmx] = await b.probe(['mounts'], ['stat', '/dev/ptmx'])
  const { superOptions } = mountAt(mountinfo, '/dev/pts')
  for (const word of ['gid=5', 'mode=620', 'ptmxmode=666']) {
    includes(superOptions, word)
  }
  deepEqual([ptmx.type, ptmx.major, ptmx.minor, ptmx.mode], ['char', 5, 2, 0o666])
})

test('config.md#mounts [MNT-3a]: an overlay of two directories', async () => {
  const [lower, upper, work] = ['lower', 'upper', 'work'].map(scratch)
  for (const path of [lower, upper, work]) {
    mkdirSync(path ?? '')
  }
  writeFileSync(join(lower ?? '', 'file'), 'from below')
  const b = await bundle((c) => {
    c.mounts.push({
      destination: '/m',
      type: 'overlay',
      source: 'overlay',
      options: [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`],
    })
  })
  const [file, made] = await b.probe(['read', '/m/file'], ['mkdir', '/m/new'])
  deepEqual([file.data, made.error], ['from below', ''])
})

test('config.md#mounts [MNT-8]: a mount of type cgroup shows the hierarchies of the host, read-only', async () => {
  requires('cgroup-v1')
  const b = await bundle((c) => {
    c.mounts.push({
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
    })
  })
  const [{ mountinfo }, list, made] = await b.probe(
    ['mounts'],
    ['ls', '/sys/fs/cgroup'],
    ['mkdir', '/sys/fs/cgroup/pids/new'],
  )
  ok(list.entries.includes('pids') && list.entries.includes('memory'))
  const pids = mountAt(mountinfo, '/sys/fs/cgroup/pids')
  equal(pids.type, 'cgroup')
  equal(pids.root, `/${b.id}`)
  equal(made.error, 'EROFS')
})

test('config.md#mounts [MNT-8]: a mount of type cgroup with a cgroup namespace shows its own root', async () => {
  requires('cgroup-v1', 'cgroupns')
  const b = await bundle((c) => {
    c.linux.namespaces.push({ type: 'cgroup' })
    c.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] })
  })
  const [{ mountinfo }, tasks] = await b.probe(['mounts'], ['read', '/sys/fs/cgroup/pids/cgroup.procs'])
  equal(mountAt(mountinfo, '/sys/fs/cgroup/pids').root, '/')
  equal(tasks.data.trim(), '1')
})

test('config.md#mounts [MNT-8]: a mount of type cgroup on a host with cgroup2 alone', async () => {
  requires('cgroup-v2', 'cgroupns')
  const b = await bundle((c) => {
    c.linux.namespaces.push({ type: 'cgroup' })
    c.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid'] })
  })
  const [{ mountinfo }, tasks] = await b.probe(['mounts'], ['read', '/sys/fs/cgroup/cgroup.procs'])
  equal(mountAt(mountinfo, '/sys/fs/cgroup').type, 'cgroup2')
  equal(tasks.data.trim(), '1')
})

test('config.md#mounts [MNT-1a]: forty mounts', async () => {
  const b = await bundle((c) => {
    for (let i = 0; i < 40; i++) {
      c.mounts.push(tmpfs(`/many/${i}`, 'size=4k'))
    }
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  ok(isMounted(mountinfo, '/many/39'))
})

test('config.md#mounts [MNT-1b]: paths with spaces and other odd characters', async () => {
  const odd = 'a b\tc"d\\e'
  const source = scratch('source dir')
  mkdirSync(source)
  writeFileSync(join(source, 'f'), 'odd')
  const b = await bundle((c) => {
    c.mounts.push({ destination: `/${odd}`, type: 'bind', source, options: ['bind'] })
  })
  const [file] = await b.probe(['read', `/${odd}/f`])
  equal(file.data, 'odd')
})

test('config.md#mounts [MNT-4d]: nothing of the mounts of a container is seen by the host', async () => {
  const b = await bundle((c) => c.mounts.push(tmpfs('/private-to-the-container')))
  b.command(['sleep', '30'])
  await b.create()
  const host = execFileSync('cat', ['/proc/self/mountinfo'], { encoding: 'utf8' })
  equal(host.includes(b.id), false)
})

test('config.md#mounts [MNT-4d]: a root on a shared mount of the host does not spread its mounts', async () => {
  const top = scratch('shared')
  mkdirSync(top)
  execFileSync('mount', ['-t', 'tmpfs', 'shared', top])
  execFileSync('mount', ['--make-shared', top])
  sandbox().undo.push(() => execFileSync('umount', ['-R', top]))
  const b = await bundle((c, b) => {
    execFileSync('cp', ['-a', b.rootfs, join(top, 'rootfs')])
    c.root.path = join(top, 'rootfs')
    c.mounts.push(tmpfs('/inside'))
  })
  b.command(['sleep', '30'])
  await b.create()
  const host = execFileSync('cat', ['/proc/self/mountinfo'], { encoding: 'utf8' })
  equal(parseMountinfo(host).filter((mount) => mount.target.startsWith(top)).length, 1, host)
})
