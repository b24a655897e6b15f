// features.md#mountOptions: a mount with every option that is listed, and what the kernel says about it.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Bundle,
  bundle,
  doesNotInclude,
  equal,
  includes,
  isMounted,
  type Mount,
  match,
  mountAt,
  requires,
  sandbox,
  scratch,
  type TestOptions,
  test,
  uniqueName,
} from '../../lib'
import { allProven, features, NO_FEATURES, type ProvenElsewhere } from './document'

/** Looks at the mount on `at`, and throws unless it is as the option says. */
type Look = (mountinfo: string, at: string) => void

interface Proof {
  /** Options before the one that is proven. */
  readonly before: readonly string[]
  readonly look: Look
}

const has =
  (word: string): Look =>
  (info, at) =>
    includes(mountAt(info, at).options, word)
const lacks =
  (...words: readonly string[]): Look =>
  (info, at) => {
    for (const word of words) {
      doesNotInclude(mountAt(info, at).options, word)
    }
  }
const hasSuper =
  (word: string): Look =>
  (info, at) =>
    includes(mountAt(info, at).superOptions, word)
const lacksSuper =
  (word: string): Look =>
  (info, at) =>
    doesNotInclude(mountAt(info, at).superOptions, word)
/** The word leaves no trace: a file system that was given it would have refused it. */
const isKnown: Look = (info, at) => equal(mountAt(info, at).type, 'tmpfs')

const sets = (look: Look): Proof => ({ before: [], look })
const clears = (before: string, look: Look): Proof => ({ before: [before], look })

/** On a tmpfs of its own. */
const ON_TMPFS: Readonly<Record<string, Proof>> = {
  async: clears('sync', lacksSuper('sync')),
  atime: clears('noatime', lacks('noatime')),
  defaults: sets(isKnown),
  dev: clears('nodev', lacks('nodev')),
  diratime: clears('nodiratime', lacks('nodiratime')),
  dirsync: sets(hasSuper('dirsync')),
  exec: clears('noexec', lacks('noexec')),
  iversion: sets(isKnown),
  lazytime: sets(hasSuper('lazytime')),
  loud: sets(isKnown),
  mand: sets(isKnown),
  noatime: sets(has('noatime')),
  nodev: sets(has('nodev')),
  nodiratime: sets(has('nodiratime')),
  noexec: sets(has('noexec')),
  noiversion: sets(isKnown),
  nolazytime: clears('lazytime', lacksSuper('lazytime')),
  nomand: sets(isKnown),
  norelatime: clears('noatime', has('noatime')),
  nostrictatime: clears('strictatime', has('relatime')),
  nosuid: sets(has('nosuid')),
  nosymfollow: sets(has('nosymfollow')),
  rasync: clears('rsync', lacksSuper('sync')),
  rdirsync: sets(hasSuper('dirsync')),
  relatime: sets(has('relatime')),
  rmand: sets(isKnown),
  rnomand: sets(isKnown),
  ro: sets(has('ro')),
  rsync: sets(hasSuper('sync')),
  rw: clears('ro', has('rw')),
  silent: sets(isKnown),
  strictatime: clears('relatime', lacks('relatime')),
  suid: clears('nosuid', lacks('nosuid')),
  symfollow: clears('nosymfollow', lacks('nosymfollow')),
  sync: sets(hasSuper('sync')),
}

const RESTRICTED = 'ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow'

/** On both mounts of a tree of the host, whose own flags are the first word. */
const ON_TREES: Readonly<Record<string, readonly [flags: string, look: Look]>> = {
  ratime: [RESTRICTED, lacks('noatime')],
  rdev: [RESTRICTED, lacks('nodev')],
  rdiratime: [RESTRICTED, lacks('nodiratime')],
  rexec: [RESTRICTED, lacks('noexec')],
  rnoatime: ['rw', has('noatime')],
  rnodev: ['rw', has('nodev')],
  rnodiratime: ['rw', has('nodiratime')],
  rnoexec: ['rw', has('noexec')],
  rnorelatime: [RESTRICTED, has('noatime')],
  rnostrictatime: ['strictatime', has('relatime')],
  rnosuid: ['rw', has('nosuid')],
  rnosymfollow: ['rw', has('nosymfollow')],
  rrelatime: [RESTRICTED, has('relatime')],
  rro: ['rw', has('ro')],
  rrw: [RESTRICTED, has('rw')],
  rstrictatime: [RESTRICTED, lacks('noatime', 'relatime')],
  rsuid: [RESTRICTED, lacks('nosuid')],
  rsymfollow: [RESTRICTED, lacks('nosymfollow')],
}

const isPropagated =
  (pattern: RegExp): Look =>
  (info, at) =>
    match(mountAt(info, at).propagation.join(' '), pattern)

/** On a tree of the host that is shared, in a container whose mounts are; the second one: on the mount below as well. */
const PROPAGATION: Readonly<Record<string, readonly [look: Look, below: Look]>> = {
  private: [isPropagated(/^$/), isPropagated(/./)],
  rprivate: [isPropagated(/^$/), isPropagated(/^$/)],
  rshared: [isPropagated(/shared:/), isPropagated(/shared:/)],
  rslave: [isPropagated(/^master:\d+$/), isPropagated(/^master:\d+$/)],
  runbindable: [isPropagated(/^unbindable$/), isPropagated(/^unbindable$/)],
  shared: [isPropagated(/shared:/), isPropagated(/./)],
  slave: [isPropagated(/^master:\d+$/), isPropagated(/./)],
  unbindable: [isPropagated(/^unbindable$/), isPropagated(/./)],
}

/** Options that say which kind of mount it is. */
const KINDS = ['bind', 'rbind', 'remount', 'tmpcopyup'] as const

const LINKS = 'config/link-options.test.ts'
const IDMAPPED = 'config/idmapped-mounts.test.ts'

const ELSEWHERE: Readonly<Record<string, ProvenElsewhere>> = {
  'copy-symlink': { file: LINKS, title: 'copy-symlink: a source that is a link is made anew' },
  'dest-nofollow': { file: LINKS, title: 'dest-nofollow: the link itself is covered' },
  'src-nofollow': { file: LINKS, title: 'src-nofollow: the link itself is mounted' },
  idmap: { file: IDMAPPED, title: '[MNT-6a]: the mount is shown as id-mapped' },
  ridmap: { file: IDMAPPED, title: 'ridmap maps the whole tree' },
}

/** A tmpfs with another one on its directory sub, both with these flags. */
const tree = (flags: string): string => {
  const top = scratch(uniqueName())
  mkdirSync(top)
  execFileSync('mount', ['-t', 'tmpfs', 'outer', top])
  sandbox().undo.push(() => execFileSync('umount', ['-R', top]))
  mkdirSync(join(top, 'sub'))
  execFileSync('mount', ['-t', 'tmpfs', 'inner', join(top, 'sub')])
  for (const path of [join(top, 'sub'), top]) {
    execFileSync('mount', ['-o', `remount,bind,${flags}`, path])
  }
  return top
}

const place = (word: string): string => `/options/${word}`

const bound = (source: string, word: string, ...options: string[]): Mount => ({
  destination: place(word),
  type: 'none',
  source,
  options: [...options, word],
})

/** What a container's mountinfo says when these mounts are made. */
const mounted = async (mounts: readonly Mount[], change: (b: Bundle) => void = () => undefined): Promise<string> => {
  const b = await bundle((c) => c.mounts.push(...mounts))
  change(b)
  const [{ mountinfo }] = await b.probe(['mounts'])
  return mountinfo
}

/** The listed ones of a table's options. */
const listed = async (table: object): Promise<readonly string[]> => {
  const { mountOptions } = await features()
  return mountOptions.filter((word) => Object.hasOwn(table, word))
}

const peers = (runc: string): TestOptions => ({ peers: { ...NO_FEATURES, runc } })

test(
  'features.md#mount-options [FEA-1c]: every option that is listed has a proof',
  peers('lists acl and noacl'),
  async () => {
    const { mountOptions } = await features()
    const here = [ON_TMPFS, ON_TREES, PROPAGATION].flatMap((table) => Object.keys(table))
    allProven(mountOptions, [...here, ...KINDS], ELSEWHERE)
  },
)

test(
  'features.md#mount-options [FEA-1c]: options of a file system',
  peers('1.1 passes defaults to the file system'),
  async () => {
    requires('nosymfollow')
    const words = await listed(ON_TMPFS)
    const info = await mounted(
      words.map((word) => ({
        destination: place(word),
        type: 'tmpfs',
        source: 'tmpfs',
        options: [...(ON_TMPFS[word]?.before ?? []), word],
      })),
    )
    for (const word of words) {
      ON_TMPFS[word]?.look(info, place(word))
    }
  },
)

test(
  'features.md#mount-options [FEA-1c]: recursive options',
  peers('clears half of the time flags: EINVAL'),
  async () => {
    requires('mount_setattr', 'nosymfollow')
    const words = await listed(ON_TREES)
    const trees = new Map(['rw', 'strictatime', RESTRICTED].map((flags) => [flags, tree(flags)]))
    const info = await mounted(words.map((word) => bound(trees.get(ON_TREES[word]?.[0] ?? '') ?? '', word, 'rbind')))
    for (const word of words) {
      for (const at of [place(word), `${place(word)}/sub`]) {
        ON_TREES[word]?.[1](info, at)
      }
    }
  },
)

test('features.md#mount-options [FEA-1c]: propagation', { peers: NO_FEATURES }, async () => {
  const words = await listed(PROPAGATION)
  const source = tree('rw')
  execFileSync('mount', ['--make-rshared', source])
  const control = { destination: '/options/control', type: 'none', source, options: ['rbind'] }
  const info = await mounted([control, ...words.map((word) => bound(source, word, 'rbind'))], (b) => {
    b.config.linux.rootfsPropagation = 'shared'
  })
  isPropagated(/^shared:/)(info, '/options/control')
  for (const word of words) {
    PROPAGATION[word]?.[0](info, place(word))
    PROPAGATION[word]?.[1](info, `${place(word)}/sub`)
  }
})

test('features.md#mount-options [FEA-1c]: bind, rbind, remount, tmpcopyup', { peers: NO_FEATURES }, async () => {
  const words = await listed(Object.fromEntries(KINDS.map((word) => [word, true])))
  const source = tree('rw')
  const scale = { destination: '/options/remount', type: 'tmpfs', source: 'tmpfs' }
  const b = await bundle((c, b) => {
    b.file('options/tmpcopyup/file', 'copied')
    c.mounts.push(
      bound(source, 'bind'),
      bound(source, 'rbind'),
      { ...scale, options: ['size=64k'] },
      { ...scale, options: ['remount', 'size=128k'] },
      { ...scale, destination: '/options/tmpcopyup', options: ['tmpcopyup'] },
    )
  })
  const [{ mountinfo }, file] = await b.probe(['mounts'], ['read', '/options/tmpcopyup/file'])
  const looks: Readonly<Record<(typeof KINDS)[number], () => void>> = {
    bind: () => equal(isMounted(mountinfo, '/options/bind') && !isMounted(mountinfo, '/options/bind/sub'), true),
    rbind: () => equal(isMounted(mountinfo, '/options/rbind/sub'), true),
    remount: () => {
      equal(mountinfo.split(' /options/remount ').length, 2)
      includes(mountAt(mountinfo, '/options/remount').superOptions, 'size=128k')
    },
    tmpcopyup: () => equal(file.data, 'copied'),
  }
  for (const word of words) {
    looks[word as (typeof KINDS)[number]]()
  }
})
