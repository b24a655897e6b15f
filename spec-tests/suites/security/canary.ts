import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deepEqual, scratch } from '../../lib'

/** A directory of the host that is outside of every container's root: nobody may change anything in it. */
export interface Canary {
  readonly path: string
  /** @throws AssertionError when anything in it is not as it was made */
  readonly isUntouched: () => void
}

/** What a runtime makes, removes or writes in a /dev. */
const NAMES = [
  'null',
  'zero',
  'ptmx',
  'console',
  'extra',
  'self/attr/exec',
  'sys/kernel/domainname',
  'sys/net/core/somaxconn',
]

const describe = (path: string): string => {
  const status = lstatSync(path)
  const content = status.isSymbolicLink() ? readlinkSync(path) : status.isFile() ? readFileSync(path, 'utf8') : ''
  // The inode tells a file that was removed and made again; the time of change tells an owner, a mode or a link count.
  return [path, status.mode, status.uid, status.gid, status.rdev, status.ino, status.ctimeMs, content].join(' ')
}

const describeTree = (path: string): string[] => [
  describe(path),
  ...(lstatSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .flatMap((name) => describeTree(join(path, name)))
    : []),
]

/** Makes a canary that looks like what an attacker would like to be changed. */
export const makeCanary = (): Canary => {
  const path = scratch('outside')
  mkdirSync(path)
  for (const name of NAMES) {
    mkdirSync(join(path, name, '..'), { recursive: true })
    writeFileSync(join(path, name), 'canary')
  }
  symlinkSync('/proc/self/fd', join(path, 'fd'))
  mkdirSync(join(path, 'empty'))
  // A /dev/null that only its owner may open: a runtime that took it for the container's would change its mode.
  execFileSync('mknod', ['-m', '600', join(path, 'device'), 'c', '1', '3'])
  const before = describeTree(path)
  return { path, isUntouched: () => deepEqual(describeTree(path), before) }
}
