import {
  type Bundle,
  bundle,
  deepEqual,
  doesNotInclude,
  equal,
  includes,
  type Mount,
  mountAt,
  requires,
  test,
} from '../../lib'
import { lacks, mounted, tmpfs } from './mount-words'

/** What a word adds to a tmpfs mount's own options. */
const SETS: Readonly<Record<string, string>> = {
  ro: 'ro',
  rw: 'rw',
  nosuid: 'nosuid',
  nodev: 'nodev',
  noexec: 'noexec',
  noatime: 'noatime',
  nodiratime: 'nodiratime',
  relatime: 'relatime',
}

for (const [word, shown] of Object.entries(SETS)) {
  test(`config.md#mounts [MNT-4a]: option ${word}`, async () => {
    includes(mountAt(await mounted(tmpfs(word)), '/m').options, shown)
  })
}

test('config.md#mounts [MNT-4e]: option nosymfollow', lacks('nosymfollow'), async () => {
  requires('nosymfollow')
  includes(mountAt(await mounted(tmpfs('nosymfollow')), '/m').options, 'nosymfollow')
})

test('config.md#mounts [MNT-4e]: option symfollow clears nosymfollow', lacks('symfollow'), async () => {
  requires('nosymfollow')
  doesNotInclude(mountAt(await mounted(tmpfs('nosymfollow', 'symfollow')), '/m').options, 'nosymfollow')
})

/** A word that takes back what another one set: later words win. */
const CLEARS: readonly (readonly [string, string, string])[] = [
  ['rw', 'ro', 'ro'],
  ['suid', 'nosuid', 'nosuid'],
  ['dev', 'nodev', 'nodev'],
  ['exec', 'noexec', 'noexec'],
  ['atime', 'noatime', 'noatime'],
  ['diratime', 'nodiratime', 'nodiratime'],
  ['strictatime', 'relatime', 'relatime'],
]

for (const [word, set, shown] of CLEARS) {
  test(`config.md#mounts [MNT-4a]: option ${word} clears ${set}`, lacks(word), async () => {
    const info = await mounted(tmpfs(set, word))
    doesNotInclude(mountAt(info, '/m').options, shown)
  })
}

test('config.md#mounts [MNT-4a]: option norelatime clears relatime', async () => {
  equal(mountAt(await mounted(tmpfs('relatime', 'norelatime')), '/m').type, 'tmpfs')
})

test('config.md#mounts [MNT-4a]: option nostrictatime clears strictatime', lacks('nostrictatime'), async () => {
  includes(mountAt(await mounted(tmpfs('strictatime', 'nostrictatime')), '/m').options, 'relatime')
})

test('config.md#mounts [MNT-4a]: options are taken in their order', lacks('exec'), async () => {
  const { options } = mountAt(await mounted(tmpfs('rw', 'nosuid', 'suid', 'noexec', 'ro', 'exec', 'nosuid')), '/m')
  includes(options, 'ro')
  includes(options, 'nosuid')
  doesNotInclude(options, 'noexec')
})

/** Words that the super block shows. */
for (const word of ['sync', 'dirsync', 'lazytime']) {
  test(`config.md#mounts [MNT-4b]: option ${word}`, lacks(word), async () => {
    includes(mountAt(await mounted(tmpfs(word)), '/m').superOptions, word)
  })
}

const SUPER_CLEARS = [
  ['async', 'sync'],
  ['nolazytime', 'lazytime'],
] as const

for (const [word, set] of SUPER_CLEARS) {
  test(`config.md#mounts [MNT-4b]: option ${word} clears ${set}`, lacks(word), async () => {
    doesNotInclude(mountAt(await mounted(tmpfs(set, word)), '/m').superOptions, set)
  })
}

/** Words without a trace in mountinfo: they must be known, not passed to the file system, which would refuse them. */
for (const word of ['defaults', 'loud', 'silent', 'iversion', 'noiversion']) {
  test(`config.md#mounts [MNT-4b]: option ${word} is known`, lacks(word), async () => {
    equal(mountAt(await mounted(tmpfs(word)), '/m').type, 'tmpfs')
  })
}

for (const word of ['mand', 'nomand']) {
  test(`config.md#mounts [MNT-4g]: option ${word} is known (the kernel ignores it since 5.15)`, async () => {
    equal(mountAt(await mounted(tmpfs(word)), '/m').type, 'tmpfs')
  })
}

/** Words of crun: what a superblock has is said for it as a whole, with the r or without. */
for (const [word, shown] of [
  ['rsync', 'sync'],
  ['rdirsync', 'dirsync'],
] as const) {
  test(`config.md#linux-mount-options [MNT-4f]: option ${word} is as ${shown}`, lacks(word), async () => {
    includes(mountAt(await mounted(tmpfs(word)), '/m').superOptions, shown)
  })
}

test('config.md#linux-mount-options [MNT-4f]: option rasync clears rsync', lacks('rasync'), async () => {
  doesNotInclude(mountAt(await mounted(tmpfs('rsync', 'rasync')), '/m').superOptions, 'sync')
})

for (const word of ['rmand', 'rnomand']) {
  test(`config.md#linux-mount-options [MNT-4f]: option ${word} is known`, lacks(word), async () => {
    equal(mountAt(await mounted(tmpfs(word)), '/m').type, 'tmpfs')
  })
}

test('config.md#mounts [MNT-4h]: options that are not in the table are passed to the file system', async () => {
  const { superOptions } = mountAt(await mounted(tmpfs('size=1024k', 'nr_inodes=77', 'uid=5')), '/m')
  deepEqual(
    superOptions.filter((word) => /^(size|nr_inodes|uid)=/.test(word)),
    ['size=1024k', 'nr_inodes=77', 'uid=5'],
  )
})

test('config.md#mounts [MNT-4c]: option remount changes the mount that is already there', async () => {
  const mounts: Mount[] = [
    tmpfs('rw', 'size=64k'),
    { destination: '/m', type: 'tmpfs', source: 'tmpfs', options: ['remount', 'ro'] },
  ]
  const info = await mounted(...mounts)
  const lines = info.split('\n').filter((line) => line.includes(' /m '))
  equal(lines.length, 1, info)
  equal(/^ro/.test(mountAt(info, '/m').options.join()) || mountAt(info, '/m').superOptions.includes('ro'), true, info)
})

test('config.md#mounts [MNT-4g]: tmpcopyup copies what the tmpfs hides', async () => {
  const prepare = (b: Bundle): void => {
    b.file('data/file', 'copied', 0o640)
    b.file('data/deep/er/file', 'also')
  }
  const b = await bundle((c, b) => {
    prepare(b)
    c.mounts.push({ destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] })
  })
  const [info, file, stat, deep, made] = await b.probe(
    ['mounts'],
    ['read', '/data/file'],
    ['lstat', '/data/file'],
    ['read', '/data/deep/er/file'],
    ['mkdir', '/data/new'],
  )
  equal(mountAt(info.mountinfo, '/data').type, 'tmpfs')
  deepEqual([file.data, stat.mode, deep.data, made.error], ['copied', 0o640, 'also', ''])
})
