// The options of crun(1) for symbolic links: copy-symlink, src-nofollow, dest-nofollow.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  type Config,
  deepEqual,
  equal,
  isMounted,
  type Mount,
  mountAt,
  ok,
  requires,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

/** crun has copy-symlink since 1.9 and the others since 1.20; runc has none of them. */
const HERE: TestOptions = { peers: { runc: 'has no such option', crun: 'not in 1.8' } }
/** A runtime that ignores the word does the same. */
const IGNORED: TestOptions = { ...HERE, sometimes: true }
const ONLY_HERE: TestOptions = { only: ['tsrunc'] }

const bind = (source: string, destination: string, ...options: string[]): Mount => ({
  destination,
  type: 'bind',
  source,
  options: ['bind', ...options],
})

/** A directory of the host with a file and links to it and to nothing. */
const host = (): string => {
  const top = scratch('host')
  mkdirSync(join(top, 'directory'), { recursive: true })
  writeFileSync(join(top, 'file'), 'of the host')
  symlinkSync('file', join(top, 'link'))
  symlinkSync('/no/such/place', join(top, 'dangling'))
  return top
}

const inUserNamespace = (c: Config, b: Bundle): void => {
  requires('userns')
  c.linux.namespaces.push({ type: 'user' })
  c.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
  c.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
  execFileSync('chown', ['-R', '100000:100000', b.rootfs])
}

for (const where of ['', ' in a user namespace']) {
  const prepare = (c: Config, b: Bundle): void => {
    if (where !== '') {
      inUserNamespace(c, b)
    }
  }

  test(
    `config.md#linux-mount-options [MNT-4j]: copy-symlink: a source that is a link is made anew${where}`,
    HERE,
    async () => {
      const b = await bundle((c, b) => {
        prepare(c, b)
        c.mounts.push(bind(join(host(), 'dangling'), '/sub/copy', 'copy-symlink'))
      })
      const [link, { mountinfo }] = await b.probe(['lstat', '/sub/copy'], ['mounts'])
      deepEqual([link.type, link.target], ['symlink', '/no/such/place'])
      equal(isMounted(mountinfo, '/sub/copy'), false)
    },
  )

  test(`config.md#linux-mount-options [MNT-4j]: src-nofollow: the link itself is mounted${where}`, HERE, async () => {
    const b = await bundle((c, b) => {
      prepare(c, b)
      c.mounts.push(bind(join(host(), 'dangling'), '/sub/link', 'src-nofollow'))
    })
    const [link, { mountinfo }] = await b.probe(['lstat', '/sub/link'], ['mounts'])
    deepEqual([link.type, link.target], ['symlink', '/no/such/place'])
    ok(mountAt(mountinfo, '/sub/link').root.endsWith('/host/dangling'))
  })

  test(`config.md#linux-mount-options [MNT-4j]: dest-nofollow: the link itself is covered${where}`, HERE, async () => {
    const b = await bundle((c, b) => {
      symlinkSync('/tmp/elsewhere', join(b.rootfs, 'link'))
      b.file('tmp/elsewhere', 'of the image')
      prepare(c, b)
      c.mounts.push(bind(join(host(), 'file'), '/link', 'dest-nofollow'))
    })
    const [over, behind] = await b.probe(['read', '/link'], ['read', '/tmp/elsewhere'])
    deepEqual([over.data, behind.data], ['of the host', 'of the image'])
    equal(readlinkSync(join(b.rootfs, 'link')), '/tmp/elsewhere')
  })
}

test('config.md#mounts [MNT-1b]: without an option both links are followed', async () => {
  const b = await bundle((c, b) => {
    symlinkSync('/tmp/elsewhere', join(b.rootfs, 'link'))
    b.file('tmp/elsewhere', 'of the image')
    c.mounts.push(bind(join(host(), 'link'), '/link'))
  })
  const [file, link] = await b.probe(['read', '/tmp/elsewhere'], ['lstat', '/link'])
  deepEqual([file.data, link.type], ['of the host', 'symlink'])
})

test('config.md#linux-mount-options [MNT-4j]: copy-symlink: a source that is no link is mounted', IGNORED, async () => {
  const b = await bundle((c) => c.mounts.push(bind(join(host(), 'file'), '/m', 'copy-symlink')))
  const [file, { mountinfo }] = await b.probe(['read', '/m'], ['mounts'])
  equal(file.data, 'of the host')
  ok(isMounted(mountinfo, '/m'))
})

test(
  'config.md#linux-mount-options [MNT-4j]: copy-symlink: the same link at the destination is taken',
  IGNORED,
  async () => {
    const b = await bundle((c, b) => {
      symlinkSync('file', join(b.rootfs, 'copy'))
      c.mounts.push(bind(join(host(), 'link'), '/copy', 'copy-symlink'))
    })
    const [link] = await b.probe(['lstat', '/copy'])
    equal(link.target, 'file')
  },
)

test(
  'config.md#linux-mount-options [MNT-4j]: copy-symlink: another link at the destination is an error',
  HERE,
  async () => {
    const b = await bundle((c, b) => {
      symlinkSync('other', join(b.rootfs, 'copy'))
      c.mounts.push(bind(join(host(), 'link'), '/copy', 'copy-symlink'))
    })
    await b.refused(/mount "\/copy".*link to "file".*EEXIST.*\/mounts\/6\/source/)
  },
)

test('config.md#linux-mount-options [MNT-4j]: copy-symlink: a file at the destination is an error', HERE, async () => {
  const b = await bundle((c, b) => {
    b.file('copy', 'of the image')
    c.mounts.push(bind(join(host(), 'link'), '/copy', 'copy-symlink'))
  })
  await b.refused(/mount "\/copy".*EEXIST/)
})

test(
  'config.md#linux-mount-options [MNT-4j]: copy-symlink: directories on the way stay inside of the root',
  ONLY_HERE,
  async () => {
    const outside = scratch('outside')
    mkdirSync(outside)
    const b = await bundle((c, b) => {
      symlinkSync(outside, join(b.rootfs, 'way'))
      c.mounts.push(bind(join(host(), 'link'), '/way/copy', 'copy-symlink'))
    })
    const [link] = await b.probe(['lstat', join(outside, 'copy')])
    equal(link.type, 'symlink')
    equal(execFileSync('ls', [outside], { encoding: 'utf8' }), '')
  },
)

test('config.md#linux-mount-options [MNT-4j]: src-nofollow: a source that is no link is as ever', IGNORED, async () => {
  const b = await bundle((c) => c.mounts.push(bind(join(host(), 'directory'), '/m', 'src-nofollow', 'ro')))
  const [{ mountinfo }] = await b.probe(['mounts'])
  ok(mountAt(mountinfo, '/m').root.endsWith('/host/directory'))
})

test(
  'config.md#linux-mount-options [MNT-4j]: dest-nofollow: directories on the way are followed inside of the root',
  ONLY_HERE,
  async () => {
    const outside = scratch('outside')
    mkdirSync(outside)
    const b = await bundle((c, b) => {
      symlinkSync(outside, join(b.rootfs, 'way'))
      c.mounts.push(bind(join(host(), 'file'), '/way/new', 'dest-nofollow'))
    })
    const [file] = await b.probe(['read', join(outside, 'new')])
    equal(file.data, 'of the host')
    equal(execFileSync('ls', [outside], { encoding: 'utf8' }), '')
  },
)

test(
  'config.md#linux-mount-options [MNT-4j]: dest-nofollow: a link cannot be covered with a directory',
  HERE,
  async () => {
    const b = await bundle((c, b) => {
      symlinkSync('/tmp', join(b.rootfs, 'link'))
      c.mounts.push(bind(join(host(), 'directory'), '/link', 'dest-nofollow'))
    })
    await b.refused(/mount "\/link".*source is a directory, the destination is not.*ENOTDIR/)
  },
)

test(
  'config.md#linux-mount-options [MNT-4j]: dest-nofollow: the links of procfs cannot be covered',
  ONLY_HERE,
  async () => {
    const source = join(host(), 'file')
    for (const path of ['/proc/self/exe', '/proc/self', '/proc/1/ns/net', '/proc/net']) {
      const b = await bundle((c) => c.mounts.push(bind(source, path, 'dest-nofollow')))
      await b.refused(/mount "\/proc\/.*EPERM/)
    }
  },
)

test(
  'config.md#linux-mount-options [MNT-4j]: dest-nofollow: neither can what sysfs and devpts hold',
  HERE,
  async () => {
    const b = await bundle((c) => c.mounts.push(bind(join(host(), 'file'), '/dev/pts/ptmx', 'dest-nofollow')))
    await b.refused(/mount "\/dev\/pts\/ptmx".*dest-nofollow.*EPERM/)
  },
)

test(
  'config.md#linux-mount-options [MNT-4j]: copy-symlink: src-nofollow and dest-nofollow do not go with it',
  HERE,
  async () => {
    for (const word of ['src-nofollow', 'dest-nofollow']) {
      const b = await bundle((c) => c.mounts.push(bind('/tmp', '/m', 'copy-symlink', word)))
      await b.refused(/mounts\/6\/options\/2.*copy-symlink/)
    }
  },
)
