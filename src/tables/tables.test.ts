import { describe, expect, test } from 'vitest'
import { CAPABILITIES } from './capabilities'
import { MOUNT_OPTIONS } from './mount-options'
import { NAMESPACES } from './namespaces'
import { RLIMITS } from './rlimits'
import { SECCOMP_ACTIONS, SECCOMP_ARCHITECTURES, SECCOMP_FLAGS, SECCOMP_OPERATORS } from './seccomp'
import { SIGNALS } from './signals'

describe('tables are sorted, so that a missing or doubled word is seen', () => {
  test.each([
    ['mount options', Object.keys(MOUNT_OPTIONS)],
    ['rlimits', Object.keys(RLIMITS)],
    ['signals', Object.keys(SIGNALS)],
    ['namespaces', Object.keys(NAMESPACES)],
    ['seccomp actions', Object.keys(SECCOMP_ACTIONS)],
    ['seccomp operators', Object.keys(SECCOMP_OPERATORS)],
    ['seccomp flags', Object.keys(SECCOMP_FLAGS)],
    ['seccomp architectures', [...SECCOMP_ARCHITECTURES]],
  ])('%s', (_name, words) => {
    expect(words).toEqual([...words].sort())
  })

  test('capabilities: numbers without gaps', () => {
    expect(Object.values(CAPABILITIES)).toEqual(Object.keys(CAPABILITIES).map((_, index) => index))
  })
})

test('config.md "Linux mount options": every word of the table is known', () => {
  const must =
    'async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec ' +
    'noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate rshared rslave ' +
    'runbindable rw shared silent slave strictatime suid sync unbindable'
  const should =
    'nosymfollow symfollow ratime rdev rdiratime rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime ' +
    'rnosuid rnosymfollow rrelatime rro rrw rstrictatime rsuid rsymfollow idmap ridmap rnodev mand nomand tmpcopyup'
  for (const word of `${must} ${should}`.split(' ')) expect(Object.keys(MOUNT_OPTIONS)).toContain(word)
})

test('config-linux.md "Seccomp": the 23 architectures', () => {
  expect(SECCOMP_ARCHITECTURES).toHaveLength(23)
})
