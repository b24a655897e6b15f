import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, bad, bundle, type Config, deepEqual, equal, match, requires, scratch, test } from '../../lib'

const allowAll = (c: Config): void => {
  c.linux.resources.devices = [{ allow: true, access: 'rwm' }]
}

const DEFAULTS: readonly (readonly [string, number, number])[] = [
  ['/dev/null', 1, 3],
  ['/dev/zero', 1, 5],
  ['/dev/full', 1, 7],
  ['/dev/random', 1, 8],
  ['/dev/urandom', 1, 9],
  ['/dev/tty', 5, 0],
]

for (const [path, major, minor] of DEFAULTS) {
  test(`config-linux.md#default-devices [DEV-2a]: the runtime MUST also supply ${path}`, async () => {
    const b = await bundle()
    const [stat] = await b.probe(['lstat', path])
    deepEqual([stat.type, stat.major, stat.minor, stat.mode, stat.uid], ['char', major, minor, 0o666, 0])
  })
}

test('config-linux.md#default-devices [DEV-2c]: /dev/ptmx is that of the container', async () => {
  const b = await bundle()
  const [link, stat] = await b.probe(['lstat', '/dev/ptmx'], ['stat', '/dev/ptmx'])
  equal(link.type === 'symlink' ? link.target.replace(/^\/dev\//, '') : 'pts/ptmx', 'pts/ptmx')
  deepEqual([stat.major, stat.minor], [5, 2])
})

test('config-linux.md#default-devices [DEV-2b]: /dev/console only when terminal is set', async () => {
  const b = await bundle()
  const [stat] = await b.probe(['lstat', '/dev/console'])
  equal(stat.error, 'ENOENT')
})

test('config-linux.md#default-devices [DEV-2a]: the default devices can be used under the default cgroup rules', async () => {
  const b = await bundle()
  const [nothing, zero, full, random] = await b.probe(
    ['write', '/dev/null', 'x'],
    ['open', '/dev/zero', 'rw'],
    ['write', '/dev/full', 'x'],
    ['open', '/dev/urandom', 'rw'],
  )
  deepEqual([nothing.error, zero.error, full.error, random.error], ['', '', 'ENOSPC', ''])
})

test('config-linux.md#dev-symbolic-links [DEV-3]: the links of /dev', async () => {
  const b = await bundle()
  const links = await b.probe(
    ['lstat', '/dev/fd'],
    ['lstat', '/dev/stdin'],
    ['lstat', '/dev/stdout'],
    ['lstat', '/dev/stderr'],
  )
  deepEqual(
    links.map((link) => link.target),
    ['/proc/self/fd', '/proc/self/fd/0', '/proc/self/fd/1', '/proc/self/fd/2'],
  )
})

test('config-linux.md#devices [DEV-1a]: a character device with mode, uid and gid', async () => {
  const b = await bundle((c) => {
    allowAll(c)
    c.linux.devices = [{ type: 'c', path: '/dev/test', major: 1, minor: 3, fileMode: 0o640, uid: 7, gid: 8 }]
  })
  const [stat] = await b.probe(['lstat', '/dev/test'])
  deepEqual([stat.type, stat.major, stat.minor, stat.mode, stat.uid, stat.gid], ['char', 1, 3, 0o640, 7, 8])
})

test('config-linux.md#devices [DEV-1a]: the mode does not depend on the umask', async () => {
  const b = await bundle((c) => {
    c.linux.devices = [{ type: 'c', path: '/dev/test', major: 1, minor: 3, fileMode: 0o777 }]
  })
  const before = process.umask(0o77)
  try {
    const [stat, nothing] = await b.probe(['lstat', '/dev/test'], ['lstat', '/dev/null'])
    deepEqual([stat.mode, nothing.mode], [0o777, 0o666])
  } finally {
    process.umask(before)
  }
})

test('config-linux.md#devices [DEV-1a]: type u is a character device too', async () => {
  const b = await bundle((c) => {
    c.linux.devices = [{ type: 'u', path: '/dev/unbuffered', major: 10, minor: 229, fileMode: 0o600 }]
  })
  const [stat] = await b.probe(['lstat', '/dev/unbuffered'])
  deepEqual([stat.type, stat.major, stat.minor], ['char', 10, 229])
})

test('config-linux.md#devices [DEV-1a]: a block device', async () => {
  const b = await bundle((c) => {
    c.linux.devices = [{ type: 'b', path: '/dev/disk', major: 7, minor: 250, fileMode: 0o660, gid: 6 }]
  })
  const [stat] = await b.probe(['lstat', '/dev/disk'])
  deepEqual([stat.type, stat.major, stat.minor, stat.mode, stat.gid], ['block', 7, 250, 0o660, 6])
})

test('config-linux.md#devices [DEV-1a]: a fifo, whose major and minor are not needed', async () => {
  const b = await bundle((c) => {
    c.linux.devices = [{ type: 'p', path: '/dev/pipe', fileMode: 0o622 }]
  })
  const [stat] = await b.probe(['lstat', '/dev/pipe'])
  deepEqual([stat.type, stat.mode], ['fifo', 0o622])
})

test('config-linux.md#devices [DEV-1b]: path is the full path inside of the container, anywhere', async () => {
  const b = await bundle((c) => {
    c.linux.devices = [
      { type: 'c', path: '/opt/odd place/null', major: 1, minor: 3, fileMode: 0o666 },
      { type: 'c', path: '/dev/sub/directory/zero', major: 1, minor: 5, fileMode: 0o666 },
    ]
  })
  const [one, two] = await b.probe(['lstat', '/opt/odd place/null'], ['lstat', '/dev/sub/directory/zero'])
  deepEqual([one.minor, two.minor], [3, 5])
})

test('config-linux.md#devices [DEV-1b]: a device outside of /dev on the bundle is not left on the disk of the host', async () => {
  const b = await bundle((c) => {
    c.linux.devices = [{ type: 'c', path: '/dev/inside', major: 1, minor: 3, fileMode: 0o666 }]
  })
  await b.report()
  equal(execFileSync('ls', [join(b.rootfs, 'dev')], { encoding: 'utf8' }), '')
})

test('config-linux.md#devices [DEV-1a]: a default device that is listed gets the mode that is listed', async () => {
  const b = await bundle((c) => {
    c.linux.devices = [{ type: 'c', path: '/dev/full', major: 1, minor: 7, fileMode: 0o600, uid: 3, gid: 4 }]
  })
  const [stat] = await b.probe(['lstat', '/dev/full'])
  deepEqual([stat.mode, stat.uid, stat.gid], [0o600, 3, 4])
})

test('config-linux.md#devices [DEV-1a]: a device node that is already there and matches', async () => {
  const b = await bundle((c, b) => {
    execFileSync('mknod', [join(b.rootfs, 'node'), 'c', '1', '3'])
    c.linux.devices = [{ type: 'c', path: '/node', major: 1, minor: 3, fileMode: 0o666 }]
  })
  const [stat] = await b.probe(['lstat', '/node'])
  equal(stat.minor, 3)
})

test('config-linux.md#devices [DEV-1c]: if a file already exists at path that does not match the requested device the runtime MUST generate an error', {
  peers: { runc: 'says nothing', crun: 'says nothing' },
}, async () => {
  const b = await bundle((c, b) => {
    b.file('node', 'a file')
    c.linux.devices = [{ type: 'c', path: '/node', major: 1, minor: 3, fileMode: 0o666 }]
  })
  await b.refused(/\/node/)
})

test('config-linux.md#devices [DEV-1c]: a device of another number at path is an error', {
  peers: { runc: 'says nothing', crun: 'says nothing' },
}, async () => {
  const b = await bundle((c, b) => {
    execFileSync('mknod', [join(b.rootfs, 'node'), 'c', '1', '5'])
    c.linux.devices = [{ type: 'c', path: '/node', major: 1, minor: 3, fileMode: 0o666 }]
  })
  await b.refused(/\/node/)
})

test('config-linux.md#devices [DEV-1b]: a symbolic link at path is never followed to the host', {
  peers: { runc: 'since 1.1 the link is followed inside of the root', crun: 'the same' },
}, async () => {
  const b = await bundle((c, b) => {
    symlinkSync('/tmp/elsewhere', join(b.rootfs, 'node'))
    c.linux.devices = [{ type: 'c', path: '/node', major: 1, minor: 3, fileMode: 0o666 }]
  })
  await b.refused(/\/node/)
})

test('config-linux.md#devices [DEV-1a]: a device that is already there gets the mode and the owner that are asked for', {
  peers: { runc: 'leaves it as it is', crun: 'leaves it as it is' },
}, async () => {
  const b = await bundle((c, b) => {
    execFileSync('mknod', ['-m', '600', join(b.rootfs, 'node'), 'c', '1', '3'])
    execFileSync('mknod', ['-m', '600', join(b.rootfs, 'left'), 'c', '1', '5'])
    c.linux.devices = [
      { type: 'c', path: '/node', major: 1, minor: 3, fileMode: 0o640, uid: 7, gid: 8 },
      { type: 'c', path: '/left', major: 1, minor: 5 },
    ]
  })
  const [node, left] = await b.probe(['lstat', '/node'], ['lstat', '/left'])
  deepEqual([node.mode, node.uid, node.gid], [0o640, 7, 8])
  deepEqual([left.mode, left.uid, left.gid], [0o600, 0, 0])
})

test('config-linux.md#devices [DEV-1a]: a fifo that is already there', async () => {
  const b = await bundle((c, b) => {
    execFileSync('mkfifo', ['-m', '622', join(b.rootfs, 'pipe')])
    c.linux.devices = [{ type: 'p', path: '/pipe', fileMode: 0o622 }]
  })
  const [stat] = await b.probe(['lstat', '/pipe'])
  deepEqual([stat.type, stat.mode], ['fifo', 0o622])
})

/** /dev of somebody else: a directory of the host with these nodes. */
const foreignDev = async (devices: NonNullable<Config['linux']['devices']>): Promise<Bundle> => {
  const dev = scratch('dev')
  mkdirSync(dev)
  execFileSync('mknod', ['-m', '666', join(dev, 'null'), 'c', '1', '3'])
  return await bundle((c) => {
    c.mounts = c.mounts.filter(({ destination }) => !destination.startsWith('/dev'))
    c.mounts.push({ destination: '/dev', type: 'bind', source: dev, options: ['bind'] })
    c.linux.devices = devices
  })
}

test('config-linux.md#devices [DEV-1a DEV-1b]: in a /dev that is bound nothing is made, and what is asked for has to be there', async () => {
  const b = await foreignDev([{ type: 'c', path: '/dev/null', major: 1, minor: 3, fileMode: 0o600 }])
  const [list, stat] = await b.probe(['ls', '/dev'], ['lstat', '/dev/null'])
  deepEqual([list.entries, stat.mode], [['null'], 0o666])
})

test('config-linux.md#devices [DEV-1c]: a device that a bound /dev lacks is an error', {
  peers: { runc: 'says nothing', crun: 'says nothing' },
}, async () => {
  const b = await foreignDev([{ type: 'c', path: '/dev/zero', major: 1, minor: 5 }])
  await b.refused(/device "\/dev\/zero".*ENOENT.*\/linux\/devices\/0/)
})

test('config-linux.md#devices [DEV-1c]: another device in a bound /dev is an error', {
  peers: { runc: 'says nothing', crun: 'says nothing' },
}, async () => {
  const b = await foreignDev([{ type: 'c', path: '/dev/null', major: 1, minor: 5 }])
  await b.refused(/device "\/dev\/null".*character device 1:3.*\/linux\/devices\/0/)
})

/** Root is an ordinary user of the host: devices are bound. */
const inUserNamespace = (change: (c: Config, b: Bundle) => void): Promise<Bundle> => {
  requires('userns')
  return bundle((c, b) => {
    c.linux.namespaces.push({ type: 'user' })
    c.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
    c.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
    change(c, b)
    execFileSync('chown', ['-R', '100000:100000', b.rootfs])
  })
}

test('config-linux.md#devices [DEV-1a]: in a user namespace, a device over the empty file that an earlier container left', async () => {
  const b = await inUserNamespace((c, b) => {
    b.file('dev/full', '')
    c.mounts = c.mounts.filter(({ destination }) => !destination.startsWith('/dev'))
  })
  const [stat] = await b.probe(['lstat', '/dev/full'])
  deepEqual([stat.type, stat.major, stat.minor], ['char', 1, 7])
})

for (const [what, make] of [
  ['a file with content', (b: Bundle) => b.file('dev/full', 'content')],
  ['a symbolic link', (b: Bundle) => symlinkSync('/tmp/elsewhere', join(b.rootfs, 'dev/full'))],
  ['another device', (b: Bundle) => execFileSync('mknod', [join(b.rootfs, 'dev/full'), 'c', '1', '3'])],
] as const) {
  test(`config-linux.md#devices [DEV-1c]: in a user namespace, ${what} at path is an error`, {
    peers: { runc: 'covers it', crun: 'covers it' },
  }, async () => {
    const b = await inUserNamespace((c, b) => {
      make(b)
      c.mounts = c.mounts.filter(({ destination }) => !destination.startsWith('/dev'))
      c.linux.devices = [{ type: 'c', path: '/dev/full', major: 1, minor: 7 }]
    })
    await b.refused(/device "\/dev\/full".*is there already.*EEXIST.*\/linux\/devices\/0/)
  })
}

test("config-linux.md#devices [DEV-1d]: in a user namespace, a device that is not the host's is an error", {
  peers: { runc: 'binds what is there', crun: 'binds what is there' },
}, async () => {
  const b = await inUserNamespace((c) => {
    c.linux.devices = [{ type: 'c', path: '/dev/zero', major: 1, minor: 3 }]
  })
  await b.refused(/device "\/dev\/zero".*another device.*ENODEV.*\/linux\/devices\/0/)
})

test('config-linux.md#devices [DEV-1d]: an unknown type is an error', {
  peers: { crun: 'makes something' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.devices = [{ type: 'x', path: '/dev/x', major: 1, minor: 1 }]
  })
  await b.refused(/type|devices/)
})

test('config-linux.md#devices [DEV-1d]: path is REQUIRED', {
  peers: { runc: 'makes nothing' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.devices = [bad({ type: 'c', major: 1, minor: 3 })]
  })
  await b.refused(/path|devices/)
})

test('config-linux.md#devices [DEV-1d]: major and minor are REQUIRED unless type is p', {
  peers: { runc: 'takes 0', crun: 'takes 0' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.devices = [{ type: 'c', path: '/dev/nothing' }]
  })
  match(await b.refused(/major|minor|devices/), /./)
})
