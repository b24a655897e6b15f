// config-linux.md: masked and read-only paths, rootfs propagation.
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bad,
  bundle,
  deepEqual,
  equal,
  includes,
  mountAt,
  ok,
  sandbox,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

test('config-linux.md#masked-paths [LNX-2a]: a masked file reads empty', async () => {
  const b = await bundle((c, b) => {
    b.file('secret', 'what nobody may read')
    c.linux.maskedPaths = ['/secret']
  })
  const [file, stat] = await b.probe(['read', '/secret'], ['stat', '/secret'])
  deepEqual([file.data, file.error], ['', ''])
  deepEqual([stat.type === 'file' || (stat.major === 1 && stat.minor === 3)], [true])
})

test('config-linux.md#masked-paths [LNX-2a]: a masked file cannot be given new content', async () => {
  const b = await bundle((c, b) => {
    b.file('secret', 'kept', 0o666)
    c.linux.maskedPaths = ['/secret']
    c.root.readonly = false
  })
  const [, after] = await b.probe(['write', '/secret', 'changed'], ['read', '/secret'])
  equal(after.data, '')
  equal(execFileSync('cat', [join(b.rootfs, 'secret')], { encoding: 'utf8' }), 'kept')
})

test('config-linux.md#masked-paths [LNX-2a]: a masked directory is empty and read-only', async () => {
  const b = await bundle((c, b) => {
    b.file('private/key', 'secret')
    c.linux.maskedPaths = ['/private']
    c.root.readonly = false
  })
  const [list, made] = await b.probe(['ls', '/private'], ['mkdir', '/private/new'])
  deepEqual([list.entries, list.error], [[], ''])
  equal(made.error, 'EROFS')
})

test('config-linux.md#masked-paths [LNX-2c]: a path that does not exist is no error', async () => {
  const b = await bundle((c) => {
    c.linux.maskedPaths = ['/no/such/path']
  })
  await b.report()
})

test('config-linux.md#masked-paths [LNX-2a]: several directories', async () => {
  const b = await bundle((c, b) => {
    c.linux.maskedPaths = ['/one', '/two', '/three', '/four']
    for (const path of c.linux.maskedPaths) {
      b.file(`${path}/file`, 'x')
    }
  })
  const lists = await b.probe(['ls', '/one'], ['ls', '/two'], ['ls', '/three'], ['ls', '/four'])
  deepEqual(
    lists.flatMap((list) => list.entries),
    [],
  )
})

test('config-linux.md#masked-paths [LNX-2a]: a path inside of a mount', async () => {
  const b = await bundle((c, b) => {
    mkdirSync(join(b.path, 'volume'))
    writeFileSync(join(b.path, 'volume/secret'), 'secret')
    c.mounts.push({ destination: '/m', type: 'bind', source: 'volume', options: ['bind'] })
    c.linux.maskedPaths = ['/m/secret']
  })
  const [file] = await b.probe(['read', '/m/secret'])
  equal(file.data, '')
})

test('config-linux.md#masked-paths [LNX-2a]: a path through a symbolic link of the image stays inside of the root', async () => {
  const b = await bundle((c, b) => {
    b.file('real/secret', 'secret')
    symlinkSync('/real', join(b.rootfs, 'link'))
    c.linux.maskedPaths = ['/link/secret']
  })
  const [file] = await b.probe(['read', '/real/secret'])
  equal(file.data, '')
})

test('config-linux.md#masked-paths [LNX-2a]: what is masked in /proc by default', async () => {
  const b = await bundle()
  const [keys, kcore, firmware] = await b.probe(
    ['read', '/proc/keys'],
    ['read', '/proc/kcore'],
    ['ls', '/sys/firmware'],
  )
  deepEqual([keys.data, kcore.data, firmware.entries], ['', '', []])
})

test('config-linux.md#masked-paths [LNX-2b]: a relative path is refused', {
  peers: { runc: 'takes it', crun: 'takes it' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.maskedPaths = ['secret']
  })
  await b.refused(/maskedPaths|absolute/)
})

test('config-linux.md#readonly-paths [LNX-3a]: a file cannot be written', async () => {
  const b = await bundle((c, b) => {
    c.root.readonly = false
    b.file('settings', 'kept')
    c.linux.readonlyPaths = ['/settings']
  })
  const [write, read] = await b.probe(['write', '/settings', 'x'], ['read', '/settings'])
  deepEqual([write.error, read.data], ['EROFS', 'kept'])
})

test('config-linux.md#readonly-paths [LNX-3a]: a directory cannot be written, its neighbours can', async () => {
  const b = await bundle((c, b) => {
    c.root.readonly = false
    b.directory('fixed/deep')
    b.directory('free')
    c.linux.readonlyPaths = ['/fixed']
  })
  const [fixed, deep, free] = await b.probe(['mkdir', '/fixed/x'], ['mkdir', '/fixed/deep/x'], ['mkdir', '/free/x'])
  deepEqual([fixed.error, deep.error, free.error], ['EROFS', 'EROFS', ''])
})

test('config-linux.md#readonly-paths [LNX-3c]: a path that does not exist is no error', async () => {
  const b = await bundle((c) => {
    c.linux.readonlyPaths = ['/no/such/path']
  })
  await b.report()
})

test('config-linux.md#readonly-paths [LNX-3a]: the flags of the mount are kept', {
  peers: { crun: 'drops them' },
}, async () => {
  const b = await bundle((c, b) => {
    mkdirSync(join(b.path, 'volume/sub'), { recursive: true })
    c.mounts.push({
      destination: '/m',
      type: 'bind',
      source: 'volume',
      options: ['bind', 'nosuid', 'nodev', 'noexec'],
    })
    c.linux.readonlyPaths = ['/m/sub']
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  const { options } = mountAt(mountinfo, '/m/sub')
  for (const word of ['ro', 'nosuid', 'nodev', 'noexec']) {
    includes(options, word)
  }
})

test('config-linux.md#readonly-paths [LNX-3a]: /proc/sys is read-only by default', async () => {
  const b = await bundle()
  const [{ mountinfo }, write] = await b.probe(['mounts'], ['write', '/proc/sys/kernel/domainname', 'x'])
  includes(mountAt(mountinfo, '/proc/sys').options, 'ro')
  equal(['EROFS', 'EACCES'].includes(write.error), true)
})

test('config-linux.md#readonly-paths [LNX-3b]: a relative path is refused', {
  peers: { runc: 'takes it', crun: 'takes it' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.readonlyPaths = ['settings']
  })
  await b.refused(/readonlyPaths|absolute/)
})

test('config-linux.md#masked-paths [LNX-6]: masked and read-only paths without a mount namespace are refused', {
  peers: { crun: 'does it' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.namespaces = c.linux.namespaces.filter((namespace) => namespace.type !== 'mount')
  })
  await b.refused(/maskedPaths|mount namespace/i)
})

// Rootfs propagation.

const PROPAGATION: readonly (readonly [string, RegExp])[] = [
  ['private', /^$/],
  ['slave', /^(master:\d+)?$/],
  ['shared', /shared:\d+/],
  ['unbindable', /^unbindable$/],
]

for (const [word, shown] of PROPAGATION) {
  const peers: TestOptions['peers'] = { runc: 'depends on the propagation of the host' }
  test(
    `config-linux.md#rootfs-mount-propagation [LNX-1a]: ${word}`,
    word === 'shared' || word === 'unbindable' ? { peers, sometimes: true } : {},
    async () => {
      const b = await bundle((c) => {
        c.linux.rootfsPropagation = word
      })
      const [{ mountinfo }] = await b.probe(['mounts'])
      const found = mountAt(mountinfo, '/').propagation.join(' ')
      ok(shown.test(found), `${word}: ${found}`)
    },
  )
}

test('config-linux.md#rootfs-mount-propagation [LNX-1a]: without it nothing of the container is shared with the host', async () => {
  const top = scratch('shared')
  mkdirSync(top)
  execFileSync('mount', ['-t', 'tmpfs', 'shared', top])
  execFileSync('mount', ['--make-shared', top])
  sandbox().undo.push(() => execFileSync('umount', ['-R', top]))
  const b = await bundle((c, b) => {
    execFileSync('cp', ['-a', b.rootfs, join(top, 'rootfs')])
    c.root.path = join(top, 'rootfs')
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  ok(!mountAt(mountinfo, '/').propagation.some((word) => word.startsWith('shared')), mountinfo)
})

test('config-linux.md#rootfs-mount-propagation [LNX-1b]: any other value is an error', {
  peers: { crun: 'ignores it' },
}, async () => {
  const b = await bundle((c) => {
    c.linux.rootfsPropagation = bad('sideways')
  })
  await b.refused(/sideways|rootfsPropagation/)
})

test('runtime-linux.md [ROOT-4]: --no-pivot gives the same root by MS_MOVE and chroot', async () => {
  const b = await bundle((_, b) => b.file('here', 'yes'))
  b.command(['read', '/here'], ['mkdir', '/new'], ['ls', '/../..'], ['mounts'])
  const outcome = await b.run({ flags: ['--no-pivot'] })
  const [here, made, up] = b.answers(outcome.stdout, [['read'], ['mkdir'], ['ls'], ['mounts']])
  deepEqual([here.data, made.error], ['yes', 'EROFS'])
  includes(up.entries, 'here')
})

test('runtime-linux.md [ROOT-4]: after pivot_root nothing of the old root is mounted', async () => {
  const b = await bundle()
  const [{ mountinfo }] = await b.probe(['mounts'])
  const targets = mountinfo.split('\n').map((line) => line.split(' ')[4] ?? '')
  deepEqual(
    targets.filter((target) => target.includes('rootfs') || target.includes(b.id) || target.startsWith('/..')),
    [],
  )
})
