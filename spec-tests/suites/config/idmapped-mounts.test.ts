// config.md#mounts: uidMappings and gidMappings, and the options idmap and ridmap.
import { execFileSync } from 'node:child_process'
import { chownSync, lstatSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  type Config,
  deepEqual,
  equal,
  type IdMapping,
  includes,
  launch,
  leftSoFar,
  type Mount,
  match,
  mountAt,
  requires,
  runtime,
  runtimeEnvironment,
  sandbox,
  scratch,
  type TestOptions,
  test,
} from '../../lib'

const BASE = 100_000

const NEW: TestOptions = { peers: { runc: 'since 1.2' } }
const TREES: TestOptions = { peers: { runc: 'since 1.2', crun: '1.8 takes one mount of a tree' } }
const ONLY_HERE: TestOptions = { only: ['tsrunc'] }

const range = (containerID: number, hostID: number, size: number): IdMapping[] => [{ containerID, hostID, size }]

const mappings = (uids: IdMapping[], gids: IdMapping[] = uids): Pick<Mount, 'uidMappings' | 'gidMappings'> => ({
  uidMappings: uids,
  gidMappings: gids,
})

/** A directory of the host on a file system that can be mapped, with a file of user 5 and group 6. */
const volume = (name = 'volume'): string => {
  requires('root', 'mount_setattr')
  const path = scratch(name)
  mkdirSync(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=777', name, path])
  sandbox().undo.push(() => execFileSync('umount', ['-R', path]))
  owned(path)
  return path
}

const owned = (directory: string): void => {
  writeFileSync(join(directory, 'file'), 'content')
  chownSync(join(directory, 'file'), 5, 6)
}

/** Root of the container is BASE of the host. */
const inUserNamespace = (c: Config, b: Bundle): void => {
  requires('userns')
  c.linux.namespaces.push({ type: 'user' })
  c.linux.uidMappings = range(0, BASE, 65_536)
  c.linux.gidMappings = range(0, BASE, 65_536)
  execFileSync('chown', ['-R', `${BASE}:${BASE}`, b.rootfs])
}

const bind = (source: string, options: string[], more: Partial<Mount> = {}): Mount => ({
  destination: '/m',
  type: 'bind',
  source,
  options: ['bind', ...options],
  ...more,
})

/** Owner of /m/file as the container sees it. */
const ownerInside = async (b: Bundle, path = '/m/file'): Promise<[number, number]> => {
  const [stat] = await b.probe(['stat', path])
  equal(stat.error, '')
  return [stat.uid, stat.gid]
}

const NOBODY = 65_534

test(
  "config.md#mounts-uid-gid-mappings [MNT-6c]: idmap without mappings takes those of the container's user namespace",
  NEW,
  async () => {
    const b = await bundle((c, b) => {
      inUserNamespace(c, b)
      c.mounts.push(bind(volume(), ['idmap']))
    })
    deepEqual(await ownerInside(b), [5, 6])
  },
)

test('config.md#mounts-uid-gid-mappings [MNT-5a]: without idmap the ids of the file system are not those of the container', async () => {
  const b = await bundle((c, b) => {
    inUserNamespace(c, b)
    c.mounts.push(bind(volume(), []))
  })
  deepEqual(await ownerInside(b), [NOBODY, NOBODY])
})

test('config.md#mounts-uid-gid-mappings [MNT-6a]: the mount is shown as id-mapped', NEW, async () => {
  const b = await bundle((c, b) => {
    inUserNamespace(c, b)
    c.mounts.push(bind(volume(), ['idmap']))
  })
  const [{ mountinfo }] = await b.probe(['mounts'])
  includes(mountAt(mountinfo, '/m').options, 'idmapped')
})

test(
  'config.md#mounts-uid-gid-mappings [MNT-6c]: what root of the container makes in an id-mapped mount belongs to root of the file system',
  NEW,
  async () => {
    const source = volume()
    const b = await bundle((c, b) => {
      inUserNamespace(c, b)
      c.mounts.push(bind(source, ['idmap']))
    })
    const [made] = await b.probe(['mkdir', '/m/made'])
    equal(made.error, '')
    deepEqual([statSync(join(source, 'made')).uid, statSync(join(source, 'made')).gid], [0, 0])
  },
)

test(
  'config.md#mounts-uid-gid-mappings [MNT-5a MNT-6a]: uidMappings and gidMappings of the mount, the same as those of the container',
  NEW,
  async () => {
    const b = await bundle((c, b) => {
      inUserNamespace(c, b)
      c.mounts.push(bind(volume(), ['idmap'], mappings(range(0, BASE, 65_536))))
    })
    deepEqual(await ownerInside(b), [5, 6])
  },
)

test(
  'config.md#mounts-uid-gid-mappings [MNT-5a]: mappings without the option idmap, as engines write them for a volume',
  NEW,
  async () => {
    const b = await bundle((c, b) => {
      inUserNamespace(c, b)
      c.mounts.push(bind(volume(), ['rprivate'], mappings(range(0, BASE, 65_536))))
    })
    deepEqual(await ownerInside(b), [5, 6])
  },
)

test(
  'config.md#mounts-uid-gid-mappings [MNT-5a MNT-6a]: mappings of the mount that differ from those of the container',
  NEW,
  async () => {
    const b = await bundle((c, b) => {
      inUserNamespace(c, b)
      c.mounts.push(bind(volume(), ['idmap'], mappings(range(0, BASE + 10, 100), range(0, BASE + 20, 100))))
    })
    deepEqual(await ownerInside(b), [15, 26])
  },
)

test('config.md#mounts-uid-gid-mappings [MNT-5a]: several ranges, and an id that is in none of them', NEW, async () => {
  const source = volume()
  writeFileSync(join(source, 'other'), '')
  chownSync(join(source, 'other'), 900, 5)
  const b = await bundle((c, b) => {
    inUserNamespace(c, b)
    const uids = [...range(0, BASE, 3), ...range(5, BASE + 100, 2)]
    c.mounts.push(bind(source, ['idmap'], mappings(uids, range(0, BASE, 6))))
  })
  const [file, other] = await b.probe(['stat', '/m/file'], ['stat', '/m/other'])
  deepEqual([file.uid, file.gid], [100, NOBODY])
  deepEqual([other.uid, other.gid], [NOBODY, 5])
})

test(
  'config.md#mounts-uid-gid-mappings [MNT-5a MNT-6a]: mappings of a mount without any user namespace',
  NEW,
  async () => {
    const source = volume()
    const b = await bundle((c) => {
      c.mounts.push(bind(source, ['idmap'], mappings(range(0, 1000, 10))))
    })
    deepEqual(await ownerInside(b), [1005, 1006])
  },
)

test(
  'config.md#mounts-uid-gid-mappings [MNT-5a]: without a user namespace, what the mapped user makes is stored under the id of the file system',
  NEW,
  async () => {
    const source = volume()
    const b = await bundle((c) => {
      c.process.user = { uid: 1005, gid: 1006 }
      c.mounts.push(bind(source, ['idmap'], mappings(range(0, 1000, 10))))
    })
    const [made] = await b.probe(['mkdir', '/m/made'])
    equal(made.error, '')
    deepEqual([lstatSync(join(source, 'made')).uid, lstatSync(join(source, 'made')).gid], [5, 6])
  },
)

test(
  'config.md#mounts-uid-gid-mappings [MNT-5a]: two mounts of one source with mappings of their own',
  NEW,
  async () => {
    const source = volume()
    const b = await bundle((c) => {
      c.mounts.push(
        bind(source, ['idmap'], mappings(range(0, 1000, 10))),
        bind(source, ['idmap'], { destination: '/n', ...mappings(range(0, 2000, 10)) }),
        bind(source, [], { destination: '/plain' }),
      )
    })
    const [one, two, plain] = await b.probe(['stat', '/m/file'], ['stat', '/n/file'], ['stat', '/plain/file'])
    deepEqual([one.uid, two.uid, plain.uid], [1005, 2005, 5])
  },
)

test('config.md#mounts-uid-gid-mappings [MNT-6a]: other options of an id-mapped mount', NEW, async () => {
  const b = await bundle((c) => {
    c.mounts.push(bind(volume(), ['idmap', 'ro', 'nosuid', 'noexec'], mappings(range(0, 1000, 10))))
  })
  const [{ mountinfo }, stat] = await b.probe(['mounts'], ['stat', '/m/file'])
  for (const word of ['ro', 'nosuid', 'noexec', 'idmapped']) {
    includes(mountAt(mountinfo, '/m').options, word)
  }
  equal(stat.uid, 1005)
})

test('config.md#mounts-uid-gid-mappings [MNT-6a]: an id-mapped file', NEW, async () => {
  const source = join(volume(), 'file')
  const b = await bundle((c) => {
    c.mounts.push(bind(source, ['idmap'], { destination: '/f', ...mappings(range(0, 1000, 10)) }))
  })
  deepEqual(await ownerInside(b, '/f'), [1005, 1006])
})

/** A volume with another file system below it. */
const tree = (inner: string[] = ['-t', 'tmpfs', '-o', 'mode=777']): string => {
  const top = volume('tree')
  mkdirSync(join(top, 'sub'))
  execFileSync('mount', [...inner, 'below', join(top, 'sub')])
  return top
}

test(
  'config.md#mounts-uid-gid-mappings [MNT-6a]: idmap maps the mount alone, not what is mounted below it',
  TREES,
  async () => {
    const source = tree()
    owned(join(source, 'sub'))
    const b = await bundle((c) => {
      c.mounts.push(bind(source, ['rbind', 'idmap'], mappings(range(0, 1000, 10))))
    })
    const [top, below] = await b.probe(['stat', '/m/file'], ['stat', '/m/sub/file'])
    deepEqual([top.uid, below.uid], [1005, 5])
  },
)

test('config.md#mounts-uid-gid-mappings [MNT-6b]: ridmap maps the whole tree', TREES, async () => {
  const source = tree()
  owned(join(source, 'sub'))
  const b = await bundle((c) => {
    c.mounts.push(bind(source, ['rbind', 'ridmap'], mappings(range(0, 1000, 10))))
  })
  const [top, below] = await b.probe(['stat', '/m/file'], ['stat', '/m/sub/file'])
  deepEqual([top.uid, below.uid], [1005, 1005])
})

test(
  "config.md#mounts-uid-gid-mappings [MNT-6b MNT-6c]: ridmap with the container's user namespace",
  TREES,
  async () => {
    const source = tree()
    owned(join(source, 'sub'))
    const b = await bundle((c, b) => {
      inUserNamespace(c, b)
      c.mounts.push(bind(source, ['rbind', 'ridmap']))
    })
    const [top, below] = await b.probe(['stat', '/m/file'], ['stat', '/m/sub/file'])
    deepEqual([top.uid, top.gid, below.uid, below.gid], [5, 6, 5, 6])
  },
)

test('config.md#mounts-uid-gid-mappings [MNT-6c]: idmap with a user namespace that is joined', NEW, async () => {
  const first = await bundle(inUserNamespace)
  first.command(['sleep', '60'])
  await first.create()
  const { pid } = await first.state()
  const b = await bundle((c, b) => {
    inUserNamespace(c, b)
    delete c.linux.uidMappings
    delete c.linux.gidMappings
    c.linux.namespaces.pop()
    c.linux.namespaces.push({ type: 'user', path: `/proc/${pid}/ns/user` })
    c.mounts.push(bind(volume(), ['idmap']))
  })
  deepEqual(await ownerInside(b), [5, 6])
})

test('config.md#mounts-uid-gid-mappings [MNT-5a]: a hundred id-mapped mounts', NEW, async () => {
  const source = volume()
  const b = await bundle((c) => {
    for (let i = 0; i < 100; i++) {
      c.mounts.push(
        bind(source, ['idmap'], { destination: `/m/${i}`, ...mappings(range(5, 1000 + (i % 3), 1), range(6, 6, 1)) }),
      )
    }
    c.mounts.unshift({ destination: '/m', type: 'tmpfs', source: 'tmpfs' })
  })
  const [one, last] = await b.probe(['stat', '/m/1/file'], ['stat', '/m/99/file'])
  deepEqual([one.uid, last.uid], [1001, 1000])
})

// crun(1), "idmap mount options".

test('config.md#mounts-uid-gid-mappings [MNT-6g]: crun(1), idmap=uids=…;gids=… in ids of the host', NEW, async () => {
  const b = await bundle((c, b) => {
    inUserNamespace(c, b)
    c.mounts.push(bind(volume(), [`idmap=uids=0-${BASE + 10}-100;gids=0-${BASE + 20}-100`]))
  })
  deepEqual(await ownerInside(b), [15, 26])
})

test('config.md#mounts-uid-gid-mappings [MNT-6g]: crun(1), several ranges, separated by #', NEW, async () => {
  const b = await bundle((c, b) => {
    inUserNamespace(c, b)
    c.mounts.push(bind(volume(), [`idmap=uids=0-${BASE}-1#5-${BASE + 70}-1;gids=0-${BASE}-10`]))
  })
  deepEqual(await ownerInside(b), [70, 6])
})

test(
  'config.md#mounts-uid-gid-mappings [MNT-6g]: crun(1), @ is relative to the user namespace of the container',
  NEW,
  async () => {
    const b = await bundle((c, b) => {
      inUserNamespace(c, b)
      c.mounts.push(bind(volume(), ['idmap=uids=@5-77-1;gids=@0-100-10']))
    })
    deepEqual(await ownerInside(b), [77, 106])
  },
)

test('config.md#mounts-uid-gid-mappings [MNT-6g]: crun(1), a relative range that two ranges of the container make up', {
  peers: { runc: 'since 1.2', crun: 'takes the first one' },
}, async () => {
  const source = volume()
  writeFileSync(join(source, 'later'), '')
  chownSync(join(source, 'later'), 12, 6)
  const b = await bundle((c, b) => {
    inUserNamespace(c, b)
    c.linux.uidMappings = [...range(0, BASE, 10), ...range(10, 300_000, 10)]
    c.mounts.push(bind(source, ['idmap=uids=@0-0-20;gids=@0-0-20']))
  })
  const [file, later] = await b.probe(['stat', '/m/file'], ['stat', '/m/later'])
  deepEqual([file.uid, later.uid], [5, 12])
})

test('config.md#mounts-uid-gid-mappings [MNT-6g]: crun(1), without a user namespace', NEW, async () => {
  const b = await bundle((c) => c.mounts.push(bind(volume(), ['idmap=uids=5-1005-1;gids=6-1006-1'])))
  deepEqual(await ownerInside(b), [1005, 1006])
})

// What must be an error.

test(
  'config.md#mounts-uid-gid-mappings [MNT-6d]: if there are no mappings and no user namespace, an error MUST be returned',
  NEW,
  async () => {
    const b = await bundle((c) => c.mounts.push(bind(volume(), ['idmap'])))
    await b.refused(/mounts\/6\/options\/1.*needs .*uidMappings/)
  },
)

test('config.md#mounts-uid-gid-mappings [MNT-6e]: a file system that cannot be id-mapped is named', NEW, async () => {
  requires('root', 'mount_setattr')
  const b = await bundle((c) => {
    c.mounts.push(bind('/proc/sys', ['idmap'], mappings(range(0, BASE, 10))))
  })
  await b.refused(/mount "\/m".*type "proc" cannot be id-mapped.*\(EINVAL\) \(config\.json \/mounts\/6\/uidMappings\)/)
})

test(
  'config.md#mounts-uid-gid-mappings [MNT-6e]: of a tree, the file system that cannot be id-mapped is named with its place',
  TREES,
  async () => {
    const source = tree(['-t', 'ramfs'])
    const b = await bundle((c) => {
      c.mounts.push(bind(source, ['rbind', 'ridmap'], mappings(range(0, BASE, 10))))
    })
    await b.refused(/type "ramfs" at .*\/tree\/sub cannot be id-mapped/)
  },
)

test(
  'config.md#mounts-uid-gid-mappings [MNT-6e]: a source that is an id-mapped mount already is told apart',
  ONLY_HERE,
  async () => {
    const source = volume()
    const first = await bundle((c) => {
      c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== 'mount')
      delete c.linux.maskedPaths
      delete c.linux.readonlyPaths
      c.root.readonly = false
      c.mounts = [bind(source, ['idmap'], mappings(range(0, 1000, 10)))]
    })
    first.command(['sleep', '60'])
    await first.create()
    const again = join(first.rootfs, 'm')
    const b = await bundle((c) => c.mounts.push(bind(again, ['idmap'], mappings(range(0, BASE, 10)))))
    await b.refused(/is an id-mapped mount already/)
  },
)

const REFUSED: readonly (readonly [id: string, what: string, mount: Mount, story: RegExp])[] = [
  ['MNT-5b', 'uidMappings without gidMappings', bind('/tmp', [], { uidMappings: range(0, 1, 1) }), /gidMappings/],
  ['MNT-5b', 'gidMappings without uidMappings', bind('/tmp', [], { gidMappings: range(0, 1, 1) }), /uidMappings/],
  [
    'MNT-5b',
    'empty gidMappings',
    bind('/tmp', ['idmap'], { ...mappings(range(0, 1, 1)), gidMappings: [] }),
    /gidMappings/,
  ],
  [
    'MNT-5c',
    'mappings of a file system that is not bound',
    { destination: '/m', type: 'tmpfs', source: 'tmpfs', ...mappings(range(0, 1, 1)) },
    /mounts\/6\/uidMappings.*bind/,
  ],
  [
    'MNT-5c',
    'idmap of a file system that is not bound',
    { destination: '/m', type: 'tmpfs', source: 'tmpfs', options: ['idmap'], ...mappings(range(0, 1, 1)) },
    /mounts\/6\/(uidMappings|options\/0).*bind/,
  ],
  ['MNT-5d', 'a range of size 0', bind('/tmp', ['idmap'], mappings(range(0, 1, 0))), /size/],
  [
    'MNT-5d',
    'ranges that overlap',
    bind('/tmp', ['idmap'], mappings([...range(0, 1, 5), ...range(3, 100, 5)])),
    /uidMappings\/1\/containerID/,
  ],
  ['MNT-6f', 'a word without gids', bind('/tmp', ['idmap=uids=0-1-1']), /options\/1.*has no gids/],
  [
    'MNT-6f',
    'a word that is no triple',
    bind('/tmp', ['idmap=uids=0-1;gids=0-1-1']),
    /options\/1.*"0-1" must be three numbers/,
  ],
  ['MNT-6f', 'a word that is neither uids nor gids', bind('/tmp', ['idmap=users=0-1-1']), /options\/1.*users=0-1-1/],
  [
    'MNT-6f',
    'a relative word without a user namespace',
    bind('/tmp', ['idmap=uids=@0-1-1;gids=@0-1-1']),
    /options\/1.*relative/,
  ],
  [
    'MNT-6f',
    'a word with mappings beside uidMappings',
    bind('/tmp', ['idmap=uids=0-1-1;gids=0-1-1'], mappings(range(0, 1, 1))),
    /options\/1.*uidMappings/,
  ],
]

/** crun 1.8 reads a word of two numbers as a triple, and knows no bind mount but by its type. */
for (const [id, what, mount, story] of REFUSED) {
  test(`config.md#mounts-uid-gid-mappings [${id}]: ${what} is refused`, ONLY_HERE, async () => {
    const b = await bundle((c) => c.mounts.push(mount))
    await b.refused(story)
  })
}

test(
  'config.md#mounts-uid-gid-mappings [MNT-6e]: an unprivileged caller cannot make an id-mapped mount',
  ONLY_HERE,
  async () => {
    requires('root', 'userns')
    const b = await bundle((c) => {
      c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== 'network')
      c.linux.namespaces.push({ type: 'user' })
      c.linux.uidMappings = range(0, 4711, 1)
      c.linux.gidMappings = range(0, 4711, 1)
      c.mounts = [bind('/tmp', ['idmap'])]
    })
    const state = scratch('state-of-user')
    mkdirSync(state)
    chownSync(state, 4711, 4711)
    const user = ['setpriv', '--reuid=4711', '--regid=4711', '--clear-groups']
    const create = [runtime().path, '--root', state, 'create', '--bundle', b.path, b.id]
    // No planner of root's plans for another user.
    const outcome = await launch([...user, ...create], { env: { ...runtimeEnvironment(), TSRUNC_PLANNER: 'off' } })
      .exited
    equal(outcome.status, 1)
    match(outcome.stderr, /only root can make an id-mapped mount.*\/mounts\/0\/options\/1/)
    deepEqual(readdirSync(state), [])
  },
)

test('config.md#mounts-uid-gid-mappings [MNT-6a GEN-3]: nothing of the namespaces that map mounts is left while the container lives', async () => {
  const b = await bundle((c) => {
    c.mounts.push(bind(volume(), ['idmap'], mappings(range(0, 1000, 10))))
  })
  b.command(['sleep', '30'])
  await b.create()
  const { pid } = await b.state()
  const processes = (await leftSoFar()).filter((line) => line.startsWith('process '))
  equal(processes.length, 1, processes.join('\n'))
  match(processes[0] ?? '', new RegExp(`^process ${pid}:`))
})
