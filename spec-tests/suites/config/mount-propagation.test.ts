// config.md#mounts, the table of options: propagation. The words with and without r differ below the top only.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, equal, mountAt, sandbox, scratch, test } from '../../lib'
import { bind, lacks, mounted, tree } from './mount-words'

const PROPAGATION: Readonly<Record<string, RegExp>> = {
  private: /^$/,
  shared: /^shared:\d+$/,
  slave: /^$/,
  unbindable: /^unbindable$/,
}

const propagation = (info: string, path: string): string => mountAt(info, path).propagation.join(' ')

for (const [word, shown] of Object.entries(PROPAGATION)) {
  test(`config.md#mounts [MNT-4d]: option ${word}`, lacks(word), async () => {
    const info = await mounted(bind(tree(), 'rbind', word))
    equal(shown.test(propagation(info, '/m')), true, propagation(info, '/m'))
  })

  test(`config.md#mounts [MNT-4d]: option r${word} for the whole tree`, lacks(`r${word}`), async () => {
    const info = await mounted(bind(tree(), 'rbind', `r${word}`))
    for (const path of ['/m', '/m/sub']) {
      equal(shown.test(propagation(info, path)), true, propagation(info, path))
    }
  })
}

test('config.md#mounts [MNT-4d]: a slave of a shared mount of the host receives its mounts, and sends none back', async () => {
  const top = scratch('host')
  mkdirSync(top)
  execFileSync('mount', ['-t', 'tmpfs', 'host', top])
  execFileSync('mount', ['--make-shared', top])
  mkdirSync(join(top, 'later'))
  mkdirSync(join(top, 'inside'))
  sandbox().undo.push(() => execFileSync('umount', ['-R', top]))
  const b = await bundle((c) => {
    c.linux.rootfsPropagation = 'slave'
    c.mounts.push(bind(top, 'rbind', 'rslave'))
    c.process.capabilities = Object.fromEntries(
      ['bounding', 'effective', 'permitted'].map((set) => [set, ['CAP_SYS_ADMIN']]),
    )
  })
  b.command(['await', '/m/later/file'], ['mounts'], ['mount', 'x', '/m/inside', 'tmpfs', '0'])
  await b.create()
  await b.start()
  execFileSync('mount', ['-t', 'tmpfs', 'later', join(top, 'later')])
  writeFileSync(join(top, 'later/file'), '')
  await b.reaches('stopped')
  const [found, mounts, inside] = b.answers(b.output(), [['await'], ['mounts'], ['mount']])
  equal(found.found, true)
  equal(mountAt(mounts.mountinfo, '/m').propagation[0]?.startsWith('master:'), true)
  equal(inside.error, '')
  const host = execFileSync('cat', ['/proc/self/mountinfo'], { encoding: 'utf8' })
  equal(host.includes(join(top, 'inside')), false)
})
