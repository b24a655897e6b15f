// What the tests of mount options have in common.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, type Mount, sandbox, scratch, type TestOptions } from '../../lib'

export const tmpfs = (...options: string[]): Mount => ({ destination: '/m', type: 'tmpfs', source: 'tmpfs', options })

export const bind = (source: string, ...options: string[]): Mount => ({
  destination: '/m',
  type: 'none',
  source,
  options,
})

export const mounted = async (...mounts: Mount[]): Promise<string> => {
  const b = await bundle((c) => c.mounts.push(...mounts))
  const [{ mountinfo }] = await b.probe(['mounts'])
  return mountinfo
}

/** The peers that lack a word, by the word; what they do instead. */
const LACKS: Readonly<Record<string, TestOptions['peers']>> = {
  ...Object.fromEntries(
    ['rw', 'suid', 'dev', 'exec', 'atime', 'diratime', 'nostrictatime', 'async'].map((word) => [
      word,
      { crun: 'adds flags to a new mount and never clears one' },
    ]),
  ),
  ...Object.fromEntries(
    ['loud', 'silent', 'iversion', 'noiversion'].map((word) => [word, { crun: 'passes it to the file system' }]),
  ),
  ...Object.fromEntries(
    ['rnoatime', 'rnodiratime', 'rdiratime', 'rstrictatime'].map((word) => [
      word,
      { crun: 'calls mount_setattr with half of the time flags: EINVAL' },
    ]),
  ),
  ...Object.fromEntries(
    ['ratime', 'rnostrictatime'].map((word) => [
      word,
      { runc: 'clears half of the time flags: EINVAL', crun: 'clears half of the time flags: EINVAL' },
    ]),
  ),
  ...Object.fromEntries(
    ['nosymfollow', 'symfollow', 'rnosymfollow', 'rsymfollow'].map((word) => [word, { crun: 'not in 1.8' }]),
  ),
  ...Object.fromEntries(
    ['shared', 'rshared', 'unbindable', 'runbindable'].map((word) => [
      word,
      { crun: 'makes everything private afterwards' },
    ]),
  ),
  ...Object.fromEntries(
    ['rsync', 'rasync', 'rmand', 'rnomand'].map((word) => [
      word,
      { runc: 'passes it to the file system', crun: 'gives it to mount_setattr, which has no such flag: EINVAL' },
    ]),
  ),
  rdirsync: { runc: 'passes it to the file system' },
  rrelatime: { crun: 'not in 1.8' },
  defaults: { runc: 'passes it to the file system' },
}

export const lacks = (word: string): TestOptions => {
  const peers = LACKS[word]
  return peers === undefined ? {} : { peers }
}

/** A directory of the host with a second mount inside of it. */
export const tree = (): string => {
  const top = scratch('tree')
  mkdirSync(join(top, 'sub'), { recursive: true })
  writeFileSync(join(top, 'file'), 'content')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'below', join(top, 'sub')])
  sandbox().undo.push(() => execFileSync('umount', [join(top, 'sub')]))
  return top
}
