// config.md#mounts, the table of options: the words on bind mounts, alone and for a whole tree.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, doesNotInclude, equal, includes, mountAt, requires, sandbox, scratch, test } from '../../lib'
import { bind, lacks, mounted, tree } from './mount-words'

test('config.md#mounts [MNT-4c]: option bind mounts one file system, without what is below', async () => {
  const info = await mounted(bind(tree(), 'bind'))
  equal(mountAt(info, '/m').root.endsWith('/tree'), true)
  equal(info.includes('/m/sub'), false)
})

test('config.md#mounts [MNT-4c]: option rbind mounts what is below too', async () => {
  const info = await mounted(bind(tree(), 'rbind'))
  equal(mountAt(info, '/m/sub').type, 'tmpfs')
})

test('config.md#mounts [MNT-3b]: a mount is a bind mount by its options alone, whatever its type says', async () => {
  const top = tree()
  const info = await mounted({ destination: '/m', type: 'tmpfs', source: top, options: ['bind'] })
  equal(mountAt(info, '/m').root.endsWith('/tree'), true)
})

test('config.md#mounts [MNT-3b]: a bind mount without a type', async () => {
  const top = tree()
  const info = await mounted({ destination: '/m', source: top, options: ['rbind'] })
  equal(mountAt(info, '/m/sub').type, 'tmpfs')
})

for (const word of ['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime']) {
  test(`config.md#mounts [MNT-4c]: option ${word} of a bind mount`, async () => {
    includes(mountAt(await mounted(bind(tree(), 'bind', word)), '/m').options, word)
  })
}

test('config.md#mounts [MNT-4c]: several options of one bind mount', async () => {
  const { options } = mountAt(await mounted(bind(tree(), 'rbind', 'ro', 'nosuid', 'nodev', 'noexec')), '/m')
  for (const word of ['ro', 'nosuid', 'nodev', 'noexec']) {
    includes(options, word)
  }
})

test('config.md#mounts [MNT-4c]: ro with rbind makes only the top read-only', async () => {
  const info = await mounted(bind(tree(), 'rbind', 'ro'))
  includes(mountAt(info, '/m').options, 'ro')
  includes(mountAt(info, '/m/sub').options, 'rw')
})

test('config.md#mounts [MNT-4c]: option strictatime of a bind mount', async () => {
  const { options } = mountAt(await mounted(bind(tree(), 'bind', 'strictatime')), '/m')
  doesNotInclude(options, 'relatime')
})

test('config.md#mounts [MNT-4c]: the clearing words on a bind mount really clear', {
  peers: { runc: 'since 1.2' },
}, async () => {
  const top = scratch('restricted')
  mkdirSync(top)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,noexec,nosuid,nodev', 'x', top])
  sandbox().undo.push(() => execFileSync('umount', [top]))
  const { options } = mountAt(await mounted(bind(top, 'bind', 'rw', 'exec', 'suid', 'dev')), '/m')
  for (const word of ['ro', 'noexec', 'nosuid', 'nodev']) {
    doesNotInclude(options, word)
  }
})

test('config.md#mounts [MNT-4c]: a bind mount without options keeps the flags of its source', {
  peers: { crun: 'drops them' },
}, async () => {
  const top = scratch('restricted')
  mkdirSync(top)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec,nosuid', 'x', top])
  sandbox().undo.push(() => execFileSync('umount', [top]))
  const { options } = mountAt(await mounted(bind(top, 'bind')), '/m')
  includes(options, 'noexec')
  includes(options, 'nosuid')
})

test('config.md#mounts [MNT-4i]: a bind mount that carries options of a file system is refused', {
  peers: { runc: 'ignores them in 1.1', crun: 'ignores them' },
}, async () => {
  const b = await bundle((c) => c.mounts.push(bind(tree(), 'bind', 'size=1k')))
  await b.refused(/size=1k|mounts/)
})

/** Words with an effect on every mount of an rbind, mount_setattr(2) with AT_RECURSIVE. */
const RECURSIVE: Readonly<Record<string, string>> = {
  rro: 'ro',
  rnosuid: 'nosuid',
  rnodev: 'nodev',
  rnoexec: 'noexec',
  rnoatime: 'noatime',
  rnodiratime: 'nodiratime',
  rnosymfollow: 'nosymfollow',
}

for (const [word, shown] of Object.entries(RECURSIVE)) {
  test(`config.md#mounts [MNT-4f]: option ${word} for the whole tree`, lacks(word), async () => {
    requires('mount_setattr')
    const info = await mounted(bind(tree(), 'rbind', word))
    includes(mountAt(info, '/m').options, shown)
    includes(mountAt(info, '/m/sub').options, shown)
  })
}

const RECURSIVE_CLEARS: readonly (readonly [string, string, string])[] = [
  ['rrw', 'ro', 'ro'],
  ['rsuid', 'nosuid', 'nosuid'],
  ['rdev', 'nodev', 'nodev'],
  ['rexec', 'noexec', 'noexec'],
  ['ratime', 'noatime', 'noatime'],
  ['rdiratime', 'nodiratime', 'nodiratime'],
  ['rsymfollow', 'nosymfollow', 'nosymfollow'],
]

const restrictedTree = (option: string): string => {
  const top = scratch('outer')
  mkdirSync(top)
  execFileSync('mount', ['-t', 'tmpfs', 'outer', top])
  mkdirSync(join(top, 'sub'))
  execFileSync('mount', ['-t', 'tmpfs', 'inner', join(top, 'sub')])
  execFileSync('mount', ['-o', `remount,bind,${option}`, join(top, 'sub')])
  execFileSync('mount', ['-o', `remount,bind,${option}`, top])
  sandbox().undo.push(() => execFileSync('umount', ['-R', top]))
  return top
}

for (const [word, set, shown] of RECURSIVE_CLEARS) {
  test(`config.md#mounts [MNT-4f]: option ${word} clears ${set} of the whole tree`, lacks(word), async () => {
    requires('mount_setattr')
    const info = await mounted(bind(restrictedTree(set), 'rbind', word))
    doesNotInclude(mountAt(info, '/m').options, shown)
    doesNotInclude(mountAt(info, '/m/sub').options, shown)
  })
}

for (const word of ['rrelatime', 'rstrictatime', 'rnorelatime', 'rnostrictatime']) {
  test(`config.md#mounts [MNT-4f]: option ${word} is known and reaches the whole tree`, lacks(word), async () => {
    requires('mount_setattr')
    const info = await mounted(bind(restrictedTree('noatime'), 'rbind', word))
    for (const path of ['/m', '/m/sub']) {
      doesNotInclude(mountAt(info, path).options, word === 'rnorelatime' || word === 'rnostrictatime' ? 'x' : 'noatime')
      equal(mountAt(info, path).options.includes('relatime'), word === 'rrelatime' || word === 'rnostrictatime')
    }
  })
}
