import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { REPOSITORY } from './config'
import { sandbox } from './sandbox'

/** An ordinary user that no machine has. */
export const USER = { name: 'spec', uid: 47_123, gid: 47_124 } as const

/** The user of the virtual machine whose systemd runs (spec-tests/vm/build). */
export const SESSION_USER = { name: 'user', uid: 1000, gid: 1000 } as const

/** Its subordinate ids, subuid(5). */
export const SUBORDINATE = { first: 4_712_300, count: 65_536 } as const

/**
 * The host's /etc with this user in it, and the checkout where everybody may read it: in a mount namespace of the call's own,
 * which belongs to the host's root as the host's does.
 */
const SCRIPT = `
set -e
for file in passwd group subuid subgid; do
  mount --bind "$2/$file" "/etc/$file"
done
mount --bind "$1" "$2/tsrunc"
uid=$3 gid=$4; shift 4
exec setpriv --reuid "$uid" --regid "$gid" --clear-groups --inh-caps=-all --bounding-set=+all -- "$@"
`

/**
 * From here on the runtime is called by the user whose systemd runs, outside of its session: with /run/user/UID as
 * $XDG_RUNTIME_DIR.
 */
export const becomeSessionUser = (): void => become(SESSION_USER, `/run/user/${SESSION_USER.uid}`, '')

/**
 * From here on the runtime is called by an ordinary user. Everything of the test is its, the directory of --root and
 * $XDG_RUNTIME_DIR among it.
 *
 * @param ranges of /etc/subuid and /etc/subgid
 */
export const becomeUser = (ranges = `${USER.name}:${SUBORDINATE.first}:${SUBORDINATE.count}\n`): void => {
  const runtimeDirectory = join(sandbox().directory, 'run')
  mkdirSync(runtimeDirectory, { mode: 0o700 })
  chownSync(runtimeDirectory, USER.uid, USER.gid)
  become(USER, runtimeDirectory, ranges)
}

interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const become = ({ name, uid, gid }: User, runtimeDirectory: string, ranges: string): void => {
  const box = sandbox()
  const etc = join(box.directory, 'etc')
  mkdirSync(join(etc, 'tsrunc'), { recursive: true })
  const add = (file: string, line: string): void =>
    writeFileSync(join(etc, file), `${readFileSync(`/etc/${file}`, 'utf8')}${line}\n`)
  add('passwd', `${name}:x:${uid}:${gid}::/:/bin/sh`)
  add('group', `${name}:x:${gid}:`)
  writeFileSync(join(etc, 'subuid'), ranges)
  writeFileSync(join(etc, 'subgid'), ranges)
  for (const file of ['/etc/subuid', '/etc/subgid']) writeFileSync(file, '', { flag: 'a' })
  mkdirSync(box.marks.root, { mode: 0o700 })
  for (const path of [box.marks.root, box.marks.temporary]) chownSync(path, uid, gid)
  box.caller = {
    within: ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', SCRIPT, 'user', REPOSITORY, etc].concat(
      String(uid),
      String(gid),
    ),
    env: { USER: name, HOME: '/', XDG_RUNTIME_DIR: runtimeDirectory },
    path: (path) => (path.startsWith(`${REPOSITORY}/`) ? join(etc, 'tsrunc', path.slice(REPOSITORY.length)) : path),
    own: (path) => execFileSync('chown', ['-R', `${uid}:${gid}`, path]),
  }
}
