import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fakeResctrlProgram } from './programs'
import { requiresThat } from './requires'
import { launch, scratch } from './sandbox'
import { eventually } from './spawn'

/**
 * A resctrl file system for CPUs that have none, which is most of them: tools/fakeresctrl serves it through FUSE. That it
 * is of the type resctrl is what /proc/self/mountinfo says to a program that is run `within`.
 */
export interface FakeResctrl {
  /** Where the test sees it. */
  readonly path: string
  /** For SpawnOptions.within. */
  readonly within: readonly string[]
  readonly read: (...names: readonly string[]) => string
  readonly exists: (...names: readonly string[]) => boolean
  /** Classes of service besides the default one. */
  readonly classes: () => string[]
}

const OWN = ['info', 'mon_data', 'mon_groups', 'schemata', 'tasks']

/** In a mount namespace of its own: a copy of the list with one more line, over the list of the process that goes on. */
const LISTED =
  'cat /proc/self/mountinfo >"$1" && echo "9999 1 0:99 / $2 rw,relatime - resctrl resctrl rw" >>"$1" && ' +
  'mount --bind "$1" /proc/$$/mountinfo && shift 2 && exec "$@"'

/** One that is gone with the test. Needs root. */
export const fakeResctrl = async (): Promise<FakeResctrl> => {
  requiresThat(existsSync('/dev/fuse'), 'FUSE')
  const path = scratch('resctrl')
  mkdirSync(path)
  // In a mount namespace of its own: nobody else's gets a copy of it.
  const running = launch(['unshare', '--mount', fakeResctrlProgram(), path])
  await eventually('the fake resctrl', () => running.stdout().includes('ready') || undefined)
  const pid = await running.pid
  const seen = `/proc/${pid}/root${path}`
  const enter = ['nsenter', `--mount=/proc/${pid}/ns/mnt`, 'unshare', '--mount']
  return {
    path: seen,
    within: [...enter, 'sh', '-c', LISTED, 'sh', scratch('mountinfo'), path],
    read: (...names) => readFileSync(join(seen, ...names), 'utf8'),
    exists: (...names) => existsSync(join(seen, ...names)),
    classes: () => readdirSync(seen).filter((name) => !OWN.includes(name)),
  }
}
